"""From anatomical angles to a posed arm: rotation axes out of the bones at rest, and linear blend skinning.

A bone's rotation is given about its head in the rest pose's axes, so its transform is that of its parent applied after
the rotation; no bone roll is needed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from handkit.datasets.synthetic.arm import BONES, ELBOW, PALM_BONES, PARENTS, WRIST, Geometry

Array = NDArray[Any]

_X, _Y, _Z = np.eye(3)
# Of the cross product: (a x b)_i = sum over j, k of this_ijk a_j b_k.
_LEVI_CIVITA = np.cross(np.eye(3)[:, None], np.eye(3)).transpose(2, 0, 1)


@dataclass(frozen=True)
class Pose:
    """Joint angles of an arm in degrees.

    Args:
        fingers: (4, 4) forefinger to pinky: flexion of the knuckle (MCP), of the middle joint (PIP) and of the end
            joint (DIP), 0 where the finger is straight, then splay, the angle of the first phalanx with the hand's
            axis, positive to the thumb's side.
        thumb: (5,) relative to the rest pose: palmar abduction (out of the palm's plane), radial abduction (away from
            the forefinger), pronation (the pad turning to the fingers), flexion of MCP and IP.
        wrist: (2,) flexion to the palm and deviation to the thumb's side, 0 where the forearm goes straight on.
        cupping: how far the roots of ring and pinky finger close over the palm.
        forearm: twist of the forearm's bones against the hand.
        elbow: flexion of the elbow further than at rest.
    """

    fingers: Array
    thumb: Array
    wrist: Array
    cupping: float = 0.0
    forearm: float = 0.0
    elbow: float = 0.0


def _cross(a: Array, b: Array) -> Array:
    """The cross product of (..., 3) vectors, four times faster than numpy's for a handful of them."""
    return np.asarray(a[..., [1, 2, 0]] * b[..., [2, 0, 1]] - a[..., [2, 0, 1]] * b[..., [1, 2, 0]])


def _angles(a: Array, b: Array, axis: Array) -> Array:
    """Degrees from directions a to b (..., 3), counter-clockwise about `axis`."""
    sine = (_cross(a, b) * axis).sum(-1)
    cosine = (a * b).sum(-1) - (a * axis).sum(-1) * (b * axis).sum(-1)
    return np.asarray(np.degrees(np.arctan2(sine, cosine)))


def finger_axes(joints: Array) -> Array:
    """(..., 4, 3) joints of slightly bent fingers -> the unit normals of their planes; flexion is positive."""
    _, _, rows = np.linalg.svd(joints - joints.mean(-2, keepdims=True))
    bend = _cross(joints[..., 1, :] - joints[..., 0, :], joints[..., 3, :] - joints[..., 1, :])
    return np.asarray(rows[..., 2, :] * np.sign((rows[..., 2, :] * bend).sum(-1, keepdims=True)))


def finger_chains(rest: Geometry) -> Array:
    """(5, 4, 3) joints of thumb to pinky, base to tip."""
    return np.asarray(rest.bone_ends()[1:].reshape(5, 4, 3))


class Kinematics:
    """The hinges of an arm at rest, and what a pose's angles do to its bones.

    A bone turns about one to three hinges, one after the other; the angle of each is a linear function of the pose.

    Args:
        rest: the arm at rest; the vertices are not looked at.
    """

    def __init__(self, rest: Geometry) -> None:
        self._heads = rest.heads
        self._bones: list[int] = []
        self._axes: list[Array] = []
        self._gains: list[Array] = []
        self._offsets: list[float] = []
        chains = finger_chains(rest)
        axes = finger_axes(chains)
        self._add_arm(rest)
        self._add_thumb(chains[0], axes[0])
        self._add_fingers(rest, chains[1:], axes[1:])
        hinges = np.stack(self._axes)
        hinges /= np.linalg.norm(hinges, axis=1, keepdims=True)
        self._cross = np.einsum("ijk,nj->nik", _LEVI_CIVITA, hinges)
        self._outer = hinges[:, :, None] * hinges[:, None, :]
        self._gain, self._offset = np.stack(self._gains), np.array(self._offsets)

    def transforms(self, pose: Pose) -> Array:
        """(B, 3, 4) of each bone: point of the rest pose -> posed point, the hand staying where it is."""
        angles = np.radians(self._gain @ _values(pose) + self._offset)[:, None, None]
        # Rodrigues' formula.
        turns = np.cos(angles) * (np.eye(3) - self._outer) + np.sin(angles) * self._cross + self._outer
        world = np.zeros((len(BONES), 4, 4))
        world[:, :3, :3], world[:, 3, 3] = np.eye(3), 1
        for bone, turn in zip(self._bones, turns, strict=True):
            world[bone, :3, :3] = world[bone, :3, :3] @ turn
        world[:, :3, 3] = self._heads - (world[:, :3, :3] @ self._heads[:, :, None])[..., 0]
        for bone, parent in enumerate(PARENTS):
            if parent >= 0:
                world[bone] = world[parent] @ world[bone]
        back = world[WRIST, :3, :3].T
        moves = back @ world[:, :3]
        moves[:, :, 3] -= back @ world[WRIST, :3, 3]
        return np.asarray(moves)

    def _add(self, bone: str, axis: Array, angle: Mapping[int, float], offset: float = 0.0) -> None:
        """The next hinge of a bone; `angle` says by how much each of the pose's values turns it."""
        gain = np.zeros(_VALUES)
        for value, share in angle.items():
            gain[value] = share
        self._bones.append(BONES.index(bone))
        self._axes.append(axis)
        self._gains.append(gain)
        self._offsets.append(offset)

    def _add_arm(self, rest: Geometry) -> None:
        forearm = rest.tails[WRIST - 1] - rest.heads[ELBOW]
        upperarm = rest.tails[0] - rest.heads[0]
        deviation, flexion = -_angles(forearm, _Y, np.stack([_Z, _X]))
        self._add("wrist", _Z, {_WRIST_AT + 1: -1}, deviation)
        self._add("wrist", _X, {_WRIST_AT: 1}, flexion)
        self._add("wrist", forearm, {_FOREARM_AT: -0.5})
        self._add("lowerarm2", forearm, {_FOREARM_AT: -0.5})
        # A straight arm bends to the palm's side.
        self._add("lowerarm1", _cross(upperarm, forearm) + 1e-9 * _X, {_ELBOW_AT: 1})
        self._add("metacarpal4", _X, {_CUPPING_AT: 0.4})
        self._add("metacarpal5", _X, {_CUPPING_AT: 1})

    def _add_thumb(self, chain: Array, axis: Array) -> None:
        along = chain[1] - chain[0]
        self._add("finger1-1", _Z, {_THUMB_AT + 1: -1})
        self._add("finger1-1", _cross(along, _Z), {_THUMB_AT: 1})
        self._add("finger1-1", along, {_THUMB_AT + 2: 1})
        self._add("finger1-2", axis, {_THUMB_AT + 3: 1})
        self._add("finger1-3", axis, {_THUMB_AT + 4: 1})

    def _add_fingers(self, rest: Geometry, chains: Array, axes: Array) -> None:
        bones = np.diff(chains, axis=1)
        metacarpals = chains[:, 0] - rest.heads[[BONES.index(bone) for bone in PALM_BONES]]
        before = np.concatenate([metacarpals[:, None], bones[:, :2]], 1)
        straight = -_angles(before, bones, axes[:, None])
        splay = -_angles(_Y, bones[:, 0], _Z)
        # A knuckle flexes about the axis the finger would have without splay, leaning less out of the palm's plane
        # than the finger's other joints do, so that straight fingers stay side by side.
        hinges = Rotation.from_rotvec(np.radians(splay)[:, None] * _Z).apply(axes) * (1, 1, 0.4)
        for row, finger in enumerate(range(2, 6)):
            self._add(f"finger{finger}-1", hinges[row], {4 * row: 1}, straight[row, 0])
            self._add(f"finger{finger}-1", _Z, {4 * row + 3: -1}, splay[row])
            self._add(f"finger{finger}-2", axes[row], {4 * row + 1: 1}, straight[row, 1])
            self._add(f"finger{finger}-3", axes[row], {4 * row + 2: 1}, straight[row, 2])


# Where a pose's values stand in `_values`; the fingers' come first.
_THUMB_AT, _WRIST_AT, _CUPPING_AT, _FOREARM_AT, _ELBOW_AT = 16, 21, 23, 24, 25
_VALUES = 26


def _values(pose: Pose) -> Array:
    return np.concatenate([pose.fingers.ravel(), pose.thumb, pose.wrist, (pose.cupping, pose.forearm, pose.elbow)])


def bone_transforms(rest: Geometry, pose: Pose) -> Array:
    """`Kinematics.transforms` of an arm that is posed once."""
    return Kinematics(rest).transforms(pose)


def posed(rest: Geometry, weights: Array, pose: Pose) -> Geometry:
    """Linear blend skinning of the rest pose with (V, B) weights."""
    moves = bone_transforms(rest, pose)
    return replace(posed_bones(rest, moves), vertices=moved(np.tensordot(weights, moves, 1), rest.vertices))


def posed_bones(rest: Geometry, moves: Array) -> Geometry:
    """The bones moved by (B, 3, 4) transforms, without the mesh (no vertices)."""
    return Geometry(np.zeros((0, 3)), moved(moves, rest.heads), moved(moves, rest.tails))


def moved(moves: Array, points: Array) -> Array:
    """(N, 3, 4) transforms of (N, 3) points, each its own."""
    return np.asarray(np.einsum("nij,nj->ni", moves[..., :3], points) + moves[..., 3])
