"""From anatomical angles to a posed arm: rotation axes out of the bones at rest, and linear blend skinning.

A bone's rotation is given about its head in the rest pose's axes, so its transform is that of its parent applied after
the rotation; no bone roll is needed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from handkit.datasets.synthetic.arm import BONES, ELBOW, PARENTS, WRIST, Geometry, finger_bones

Array = NDArray[Any]

_X, _Y, _Z = np.eye(3)


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


def _about(axis: Array, degrees: float) -> Rotation:
    return Rotation.from_rotvec(axis / np.linalg.norm(axis) * np.radians(degrees))


def _angle(a: Array, b: Array, axis: Array) -> float:
    """Degrees from direction a to b, counter-clockwise about `axis`."""
    return float(np.degrees(np.arctan2(np.cross(a, b) @ axis, a @ b - (a @ axis) * (b @ axis))))


def finger_axis(joints: Array) -> Array:
    """(4, 3) joints of a slightly bent finger -> the unit normal of their plane, turned so that flexion is positive."""
    _, _, rows = np.linalg.svd(joints - joints.mean(0))
    bend = np.cross(joints[1] - joints[0], joints[3] - joints[1])
    return np.asarray(rows[2] * np.sign(rows[2] @ bend))


def _chain(rest: Geometry, finger: int) -> Array:
    bones = finger_bones(finger)
    return np.vstack([rest.heads[bones], rest.tails[bones][2:]])


def _finger_rotations(rest: Geometry, finger: int, angles: Array) -> list[Rotation]:
    """The three rotations of finger 2 to 5."""
    joints = _chain(rest, finger)
    axis = finger_axis(joints)
    bones = np.diff(joints, axis=0)
    metacarpal = joints[0] - rest.heads[BONES.index(f"metacarpal{finger}")]
    flexion = [_angle(a, b, axis) for a, b in zip((metacarpal, *bones[:2]), bones, strict=True)]
    splay = -_angle(_Y, bones[0], _Z)
    # The knuckle flexes about the axis the finger would have without splay, leaning less out of the palm's plane than
    # the finger's other joints do, so that straight fingers stay side by side.
    hinge = _about(_Z, splay).apply(axis) * (1, 1, 0.4)
    knuckle = _about(hinge, angles[0] - flexion[0]) * _about(_Z, splay - angles[3])
    return [knuckle, _about(axis, angles[1] - flexion[1]), _about(axis, angles[2] - flexion[2])]


def _thumb_rotations(rest: Geometry, angles: Array) -> list[Rotation]:
    joints = _chain(rest, 1)
    axis = finger_axis(joints)
    along = joints[1] - joints[0]
    base = _about(_Z, -angles[1]) * _about(np.cross(along, _Z), angles[0]) * _about(along, angles[2])
    return [base, _about(axis, angles[3]), _about(axis, angles[4])]


def _rotations(rest: Geometry, pose: Pose) -> dict[str, Rotation]:
    forearm = rest.tails[WRIST - 1] - rest.heads[ELBOW]
    upperarm = rest.tails[0] - rest.heads[0]
    # A straight arm bends to the palm's side.
    elbow = np.cross(upperarm, forearm) + 1e-9 * _X
    flexion = pose.wrist[0] - _angle(forearm, _Y, _X)
    deviation = pose.wrist[1] + _angle(forearm, _Y, _Z)
    turns = {
        "wrist": _about(_Z, -deviation) * _about(_X, flexion) * _about(forearm, -pose.forearm / 2),
        "lowerarm2": _about(forearm, -pose.forearm / 2),
        "lowerarm1": _about(elbow, pose.elbow),
        "metacarpal4": _about(_X, pose.cupping * 0.4),
        "metacarpal5": _about(_X, pose.cupping),
    }
    fingers = [_finger_rotations(rest, finger, pose.fingers[finger - 2]) for finger in range(2, 6)]
    for finger, parts in enumerate([_thumb_rotations(rest, pose.thumb), *fingers], 1):
        turns |= {f"finger{finger}-{part}": turn for part, turn in enumerate(parts, 1)}
    return turns


def bone_transforms(rest: Geometry, pose: Pose) -> Array:
    """(B, 3, 4) of each bone: point of the rest pose -> posed point, the hand staying where it is."""
    turns = _rotations(rest, pose)
    world = np.tile(np.eye(4), (len(BONES), 1, 1))
    for index, (bone, parent) in enumerate(zip(BONES, PARENTS, strict=True)):
        local = np.eye(4)
        if bone in turns:
            local[:3, :3] = turns[bone].as_matrix()
            local[:3, 3] = rest.heads[index] - local[:3, :3] @ rest.heads[index]
        world[index] = local if parent < 0 else world[parent] @ local
    return np.asarray((np.linalg.inv(world[WRIST]) @ world)[:, :3])


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
