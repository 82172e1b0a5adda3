"""A hand of round cones, made from a table of measures: needs no files and renders in milliseconds.

A round cone is the convex hull of two spheres. The spheres hang on the bones, as in the sphere meshes of Tkach et al.,
"Sphere-meshes for real-time hand modeling and tracking", 2016.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from handkit.datasets.synthetic.arm import BONES, FINGERS_AT, PALM_BONES, Arm, Geometry, joint_bones
from handkit.datasets.synthetic.flesh import FLESHY, PLACES, SPHERES_PER_BONE, Flesh
from handkit.datasets.synthetic.posing import finger_axes, finger_chains

Array = NDArray[Any]

_MM = 1e-3
# Joints in millimetres in the hand's frame (see `arm`), wrist first, then per finger base to tip.
_THUMB = ((22, 31, 12), (41, 54, 21), (58, 81, 33), (67, 104, 42))
_KNUCKLES = ((25, 91, 0), (1, 94, 0), (-20, 89, -1), (-38, 79, -1))
# Of forefinger to pinky: lengths of the phalanges, and the finger's angle with the hand's axis in degrees.
_PHALANGES = ((36, 24, 22), (40, 26, 23), (36, 25, 22), (28, 19, 20))
_SPLAY = (7, -2, -12, -20)
_BEND = (4, 8, 8)
_ELBOW, _MIDARM, _SHOULDER = (8, -235, 40), (4, -115, 18), (165, -400, 60)
# Roots of the metacarpals of forefinger to pinky.
_ROOTS = ((12, 18, 6), (3, 18, 6), (-8, 18, 7), (-17, 19, 7))
# Radii at the four joints of each finger, thumb first.
_RADII = ((13, 11.5, 9.8, 7.4), (10, 8.6, 7.6, 6.2), (10.2, 8.8, 7.8, 6.4), (9.8, 8.2, 7.2, 6.0), (8.8, 7.2, 6.4, 5.4))
# A fingertip's sphere ends this part of its radius beyond the tip's joint.
_BEYOND_TIP = 0.35
#: Blend shape -> how much it adds to all radii.
_THICKNESS = {"thin_fingers": -0.16, "thick_fingers": 0.2}


@dataclass(frozen=True)
class CapsuleArm(Arm):
    """An arm of round cones; the centres of their spheres are the geometry's vertices.

    Args:
        rest: the shape without any blend shape.
        shapes: blend shapes, name -> displacement at strength 1.
        thickness: blend shapes, name -> share added to the radii at strength 1.
        bone: (V,) index into `BONES` of the bone each sphere hangs on.
        radii: (V,) metres.
        cones: (C, 2) indices of two spheres.
        owner: (C,) index into `BONES` of the bone each cone is the flesh of.
        palmar: (C, 3) unit direction to the palm's side at rest.
        nails: (C,) bool, the cones that end in a nail.
    """

    thickness: Mapping[str, float]
    bone: Array
    radii: Array
    cones: Array
    owner: Array
    palmar: Array
    nails: Array

    def radii_of(self, strengths: Mapping[str, float], scale: float = 1.0) -> Array:
        """(V,) metres, of the same shape as `shaped` gives."""
        share = sum(strength * self.thickness.get(name, 0.0) for name, strength in strengths.items())
        return np.asarray(self.radii * scale * (1 + share))

    def own(self) -> Array:
        """(21, C) bool: the cones that are flesh of the bones that meet at each joint."""
        return np.stack([np.isin(self.owner, sorted(bones)) for bones in joint_bones()])

    def depths(self) -> Array:
        """(21,) how deep the joints lie under the skin at rest, metres: the radius of the flesh around them."""
        joints = self.rest.joints()
        nearest = np.linalg.norm(joints[:, None] - self.rest.vertices, axis=-1).argmin(1)
        return np.asarray(self.radii[nearest])

    def flesh(self) -> Flesh:
        """Spheres along the bones, somewhat thinner than the cones."""
        bones = np.repeat(FLESHY, SPHERES_PER_BONE)
        places = np.tile(PLACES, len(FLESHY))[:, None]
        centres = self.rest.heads[bones] * (1 - places) + self.rest.tails[bones] * places
        a, b = (self.rest.vertices[self.cones[:, end]] for end in (0, 1))
        radii = np.zeros(len(bones))
        for row, bone in enumerate(bones):
            cones = np.flatnonzero(self.owner == bone)
            along = b[cones] - a[cones]
            place = ((centres[row] - a[cones]) * along).sum(1) / (along**2).sum(1)
            place = np.clip(place, 0, 1)
            off = np.linalg.norm(a[cones] + place[:, None] * along - centres[row], axis=1)
            ends = self.radii[self.cones[cones]]
            radii[row] = (ends[:, 0] + place * (ends[:, 1] - ends[:, 0]) - off).max()
        return Flesh(bones, centres, np.maximum(0.9 * radii, _MM))


def capsule_arm() -> CapsuleArm:
    """A grown person's right arm."""
    geometry = _bones()
    parts = _Parts(geometry)
    _add_fingers(parts)
    _add_arm(parts, _add_palm(parts))
    rest = Geometry(np.array(parts.centres), geometry.heads, geometry.tails)
    owner = np.array(parts.owner)
    return CapsuleArm(
        rest=rest,
        shapes=_shapes(rest, np.array(parts.bone)),
        thickness=_THICKNESS,
        bone=np.array(parts.bone),
        radii=np.array(parts.radii),
        cones=np.array(parts.cones),
        owner=owner,
        palmar=_palmar(rest, owner),
        nails=(owner >= FINGERS_AT) & ((owner - FINGERS_AT) % 3 == 2),
    )


def _bones() -> Geometry:
    """The bones alone."""
    joints = np.zeros((21, 3))
    joints[1:5], joints[5::4] = _THUMB, _KNUCKLES
    for finger, (lengths, splay) in enumerate(zip(_PHALANGES, _SPLAY, strict=True)):
        bend = np.radians(np.cumsum(_BEND))
        turn = np.radians(splay)
        steps = np.stack([np.sin(turn) * np.cos(bend), np.cos(turn) * np.cos(bend), np.sin(bend)], 1)
        joints[6 + 4 * finger : 9 + 4 * finger] = joints[5 + 4 * finger] + np.cumsum(
            steps * np.array(lengths)[:, None], 0
        )
    heads, tails = np.zeros((2, len(BONES), 3))
    arm = np.array([_SHOULDER, _ELBOW, _MIDARM, (0, 0, 0), (0, 30, 4)], float)
    heads[:4], tails[:4] = arm[:4], arm[1:]
    palm = slice(BONES.index(PALM_BONES[0]), FINGERS_AT)
    heads[palm], tails[palm] = _ROOTS, _KNUCKLES
    chains = joints[1:].reshape(5, 4, 3)
    heads[FINGERS_AT:], tails[FINGERS_AT:] = chains[:, :3].reshape(15, 3), chains[:, 1:].reshape(15, 3)
    return Geometry(np.zeros((0, 3)), heads * _MM, tails * _MM)


class _Parts:
    """Spheres and cones as they are added; places and radii are given in metres and millimetres."""

    def __init__(self, bones: Geometry) -> None:
        self.bones = bones
        self.centres: list[Array] = []
        self.radii: list[float] = []
        self.bone: list[int] = []
        self.cones: list[tuple[int, int]] = []
        self.owner: list[int] = []

    def sphere(self, bone: str, centre: Array, radius: float) -> int:
        """Adds a sphere that hangs on a bone and returns its index."""
        self.centres.append(np.asarray(centre))
        self.radii.append(radius * _MM)
        self.bone.append(BONES.index(bone))
        return len(self.centres) - 1

    def cone(self, owner: str, first: int, second: int) -> None:
        """Joins two spheres."""
        self.cones.append((first, second))
        self.owner.append(BONES.index(owner))


def _add_fingers(parts: _Parts) -> None:
    for finger, chain in enumerate(finger_chains(parts.bones), 1):
        last = chain[3] - chain[2]
        radii = _RADII[finger - 1]
        inset = last / np.linalg.norm(last) * (1 - _BEYOND_TIP) * radii[3] * _MM
        centres = [*chain[:3], chain[3] - inset]
        # A sphere at a joint hangs on the bone before it, so that the flesh there turns by half.
        bones = [f"finger{finger}-{part}" for part in (1, 1, 2, 3)]
        spheres = [parts.sphere(*row) for row in zip(bones, centres, radii, strict=True)]
        for part in (1, 2, 3):
            parts.cone(f"finger{finger}-{part}", spheres[part - 1], spheres[part])


def _add_palm(parts: _Parts) -> tuple[int, int]:
    """Returns the spheres at the roots of the outer rays."""
    roots, knuckles = np.array(_ROOTS) * _MM, np.array(_KNUCKLES) * _MM
    rays = []
    for row, bone in enumerate(PALM_BONES):
        ends = (parts.sphere(bone, roots[row], 13.5), parts.sphere(bone, knuckles[row], (10.4, 10.6, 10.2, 9.2)[row]))
        rays.append(ends)
        parts.cone(bone, *ends)
    for row, bone in enumerate(PALM_BONES[:3]):
        # Between two rays, thinner towards the fingers, where the web is.
        root = parts.sphere(bone, (roots[row] + roots[row + 1]) / 2, 13.6)
        web = (knuckles[row] + knuckles[row + 1]) / 2 + np.array([0, 2, 0.5]) * _MM
        parts.cone(bone, root, parts.sphere(bone, web, 9.8))
    for row in range(3):
        parts.cone(PALM_BONES[row], rays[row][1], rays[row + 1][1])
    thumb = finger_chains(parts.bones)[0]
    ball = parts.sphere("wrist", np.array([14, 22, 9]) * _MM, 14)
    parts.cone("finger1-1", ball, parts.sphere("finger1-1", thumb[0] + 0.75 * (thumb[1] - thumb[0]), 13))
    web = parts.sphere("metacarpal2", roots[0] + 0.62 * (knuckles[0] - roots[0]), 9)
    parts.cone("metacarpal2", web, parts.sphere("finger1-1", thumb[0] + 0.8 * (thumb[1] - thumb[0]), 9))
    parts.cone("metacarpal2", web, parts.sphere("finger1-1", thumb[0], 12))
    edge = parts.sphere("metacarpal5", np.array([-21, 24, 10]) * _MM, 12)
    parts.cone("metacarpal5", edge, parts.sphere("metacarpal5", np.array([-35, 62, 4]) * _MM, 10.5))
    return rays[0][0], rays[3][0]


def _add_arm(parts: _Parts, roots: tuple[int, int]) -> None:
    middle, elbow, shoulder = (np.array(place) * _MM for place in (_MIDARM, _ELBOW, _SHOULDER))
    ends = []
    for side, root in zip((1, -1), roots, strict=True):
        wrist = parts.sphere("wrist", np.array([11.5 * side, 0, 3]) * _MM, 15.5)
        parts.cone("wrist", wrist, root)
        half = parts.sphere("lowerarm1", middle + np.array([13 * side, 0, 0]) * _MM, 25)
        ends.append(parts.sphere("lowerarm1", elbow + np.array([8 * side, 0, 0]) * _MM, 36))
        parts.cone("lowerarm2", wrist, half)
        parts.cone("lowerarm1", half, ends[-1])
    parts.cone("upperarm", ends[0], parts.sphere("upperarm", shoulder, 48))


def _palmar(rest: Geometry, owner: Array) -> Array:
    """(C, 3) across the bone in the plane in which the finger bends; of palm and arm straight out of the palm."""
    palmar = np.tile([0.0, 0.0, 1.0], (len(owner), 1))
    chains = finger_chains(rest)
    across = np.cross(finger_axes(chains)[:, None], np.diff(chains, axis=1)).reshape(15, 3)
    fingers = owner >= FINGERS_AT
    palmar[fingers] = across[owner[fingers] - FINGERS_AT]
    return np.asarray(palmar / np.linalg.norm(palmar, axis=1, keepdims=True))


def _shapes(rest: Geometry, bone: Array) -> dict[str, Geometry]:
    """The blend shapes: fingers longer or shorter, palm wider or narrower; those of `_THICKNESS` move nothing."""
    of_points = (bone, np.arange(len(BONES)), np.arange(len(BONES)))
    points = (rest.vertices, rest.heads, rest.tails)
    roots = np.zeros((len(BONES), 3))
    roots[FINGERS_AT:] = np.repeat(finger_chains(rest)[:, 0], 3, axis=0)
    fingers = (np.arange(len(BONES)) >= FINGERS_AT)[:, None]
    palm = (np.arange(len(BONES)) >= BONES.index("wrist"))[:, None]
    longer = [(place - roots[of]) * fingers[of] for of, place in zip(of_points, points, strict=True)]
    wider = []
    for of, place in zip(of_points, points, strict=True):
        wider.append(np.where(fingers[of], roots[of], place) * palm[of] * np.array([1.0, 0, 0]))
    still = Geometry(*(np.zeros_like(place) for place in points))
    shapes = {name: still for name in _THICKNESS}
    for name, share, moves in (
        ("long_fingers", 0.3, longer),
        ("short_fingers", -0.16, longer),
        ("wide_palm", 0.16, wider),
        ("narrow_palm", -0.12, wider),
    ):
        shapes[name] = Geometry(*(share * move for move in moves))
    return shapes
