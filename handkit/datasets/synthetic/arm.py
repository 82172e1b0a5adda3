"""The arm a source gives: bones with blend shapes and what is attached to them, in the hand's frame.

The hand's frame is that of a right hand: origin at the wrist, metres, +x to the thumb's side, +y to the root of the
middle finger, +z out of the palm. Seen with +x right and +y up, the palm faces the viewer. Left hands are made by
mirroring x after posing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

#: The bones every source gives, parents first.
ARM_BONES = ("upperarm", "lowerarm1", "lowerarm2", "wrist")
PALM_BONES = ("metacarpal2", "metacarpal3", "metacarpal4", "metacarpal5")
FINGER_BONES = tuple(f"finger{finger}-{part}" for finger in range(1, 6) for part in (1, 2, 3))
BONES = (*ARM_BONES, *PALM_BONES, *FINGER_BONES)


def _parent(bone: str) -> int:
    if bone == "upperarm":
        return -1
    if bone in ARM_BONES:
        return ARM_BONES.index(bone) - 1
    if bone in PALM_BONES or bone == "finger1-1":
        return BONES.index("wrist")
    finger, part = bone.removeprefix("finger").split("-")
    return BONES.index(f"metacarpal{finger}" if part == "1" else f"finger{finger}-{int(part) - 1}")


#: Index into `BONES` of each bone's parent, -1 for the first.
PARENTS = tuple(_parent(bone) for bone in BONES)
WRIST = BONES.index("wrist")
#: Where the bones of the fingers begin in `BONES`, three for each.
FINGERS_AT = BONES.index("finger1-1")
#: The bone that begins at the elbow.
ELBOW = BONES.index("lowerarm1")


# Joint -> the share by which it lies nearer to another of the rig's points.
_MOVES = {
    0: {9: 0.23},
    1: {2: 0.17},
    2: {3: 0.2},
    3: {2: 0.1},
    4: {3: 0.25},
    5: {0: 0.055, 9: 0.1},
    8: {7: 0.33},
    9: {0: 0.035},
    12: {11: 0.38},
    13: {9: 0.16, 0: 0.025},
    16: {15: 0.35},
    17: {9: 0.1, 0: 0.04},
    20: {19: 0.25},
}


def _mixture() -> Array:
    """(21, 21) rows sum to 1: how the labelled joints mix the rig's points."""
    matrix: Array = np.eye(21)
    for joint, moves in _MOVES.items():
        for toward, share in moves.items():
            matrix[joint, [joint, toward]] += (-share, share)
    return matrix


_LABELLED = _mixture()


def finger_bones(finger: int) -> slice:
    """The three bones of finger 1 (thumb) to 5 (pinky) in `BONES`, base to tip."""
    start = BONES.index(f"finger{finger}-1")
    return slice(start, start + 3)


def joint_bones() -> list[frozenset[int]]:
    """Per joint the indices into `BONES` of the bones that meet there; wrist and knuckles count as the palm's."""
    palm = frozenset({WRIST, *(BONES.index(bone) for bone in PALM_BONES)})
    bones = [palm | {WRIST - 1}]
    for finger in range(1, 6):
        first, second, third = range(len(BONES))[finger_bones(finger)]
        bones += [palm | {first}, frozenset({first, second}), frozenset({second, third}), frozenset({third})]
    return bones


@dataclass(frozen=True)
class Geometry:
    """What a blend shape moves. Arrays are in metres, in the hand's frame.

    Args:
        vertices: (V, 3) points of what is attached to the bones: a mesh's vertices, or the centres of spheres.
        heads: (B, 3) where each bone of `BONES` begins.
        tails: (B, 3) where it ends.
    """

    vertices: Array
    heads: Array
    tails: Array

    def joints(self) -> Array:
        """(21, 3) the labelled joints in handkit's order, where people mark them in photographs.

        A rig's points differ from those: its wrist lies within the forearm, its tips at the end of the flesh. What is
        labelled are fixed mixtures of the rig's points (see `_MOVES`): the wrist a quarter of the way to the middle
        knuckle, where the hand bends; knuckles somewhat nearer to the wrist and to each other; the tips on the pads,
        below the middle of the nail. The shares are those that bring the median differences to MediaPipe's labels on
        renders below 3 % of the palm's length in the palm's plane.
        """
        return np.asarray(_LABELLED @ self.bone_ends())

    def bone_ends(self) -> Array:
        """(21, 3) the rig's own points: the wrist, then per finger the heads of its bones and the tail of its last."""
        heads = self.heads[FINGERS_AT:].reshape(5, 3, 3)
        fingers = np.concatenate([heads, self.tails[FINGERS_AT:].reshape(5, 3, 3)[:, 2:]], 1)
        return np.concatenate([self.heads[WRIST : WRIST + 1], fingers.reshape(20, 3)])


@dataclass(frozen=True)
class Arm:
    """A hand with its arm, at rest.

    Args:
        rest: the shape without any blend shape.
        shapes: blend shapes, name -> displacement at strength 1.
    """

    rest: Geometry
    shapes: Mapping[str, Geometry]

    def shaped(self, strengths: Mapping[str, float], scale: float = 1.0) -> Geometry:
        """The rest pose with blend shapes added and the whole scaled about the wrist."""
        parts = []
        for name in ("vertices", "heads", "tails"):
            moved = getattr(self.rest, name) + sum(s * getattr(self.shapes[n], name) for n, s in strengths.items())
            parts.append(moved)
        wrist = parts[1][WRIST].copy()
        return Geometry(*((part - wrist) * scale for part in parts))


@dataclass(frozen=True)
class MeshArm(Arm):
    """An arm whose surface is a mesh of quads; its vertices are the geometry's.

    Args:
        rest: the shape without any blend shape.
        shapes: blend shapes, name -> displacement at strength 1.
        quads: (F, 4) vertex indices, counter-clockwise seen from outside.
        uv: (F, 4, 2) texture coordinates of each quad's corners on the hand's chart, in [0, 1] from its upper left;
            -1 where a quad lies outside the chart, as the forearm's do.
        weights: (V, B) how much each bone moves a vertex; rows sum to 1.
        nails: (F,) bool, the quads of the nail plates.
    """

    quads: Array
    uv: Array
    weights: Array
    nails: Array
