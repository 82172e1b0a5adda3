"""Marks of skin: where it is palmar, flushed, creased or raised, by rule from the mesh at rest.

Everything is derived from joints, normals and weights, so that any hand gets the same anatomy. Lengths are for the rest
size.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import interpolate, spatial

from handkit.datasets.synthetic.arm import Geometry, finger_bones
from handkit.datasets.synthetic.noise import solid_noise
from handkit.datasets.synthetic.posing import finger_axes

Array = NDArray[Any]

#: What is known of a point: 1 on the palm's side and 0 on the back; flush of blood; darkness of creases; height in
#: metres.
LAYERS = ("palmar", "flush", "crease", "height")

_MM = 1e-3
# The three great creases of the palm, through points (x, y) in the hand's frame over the length wrist to middle root.
_PALM_CREASES = (
    ((-0.43, 0.66), (-0.2, 0.69), (0.02, 0.8), (0.13, 0.93)),
    ((0.32, 0.78), (0.16, 0.73), (-0.1, 0.6), (-0.34, 0.46)),
    ((0.32, 0.81), (0.19, 0.71), (0.07, 0.5), (0.05, 0.28), (0.1, 0.1)),
)
# The ball of the thumb, the opposite edge and the roots of the fingers, which are redder: x, y, radius, likewise.
_PALM_FLUSH = ((0.25, 0.4, 0.22), (-0.33, 0.35, 0.2), (0.0, 0.98, 0.16), (0.25, 0.98, 0.14), (-0.22, 0.93, 0.16))


def markings(rest: Geometry, surface: Array) -> Array:
    """Values of `LAYERS`.

    Args:
        rest: the joints.
        surface: (N, 6 + B) points of the surface at rest: position, normal, bone weights.

    Returns:
        (N, 4) float32.
    """
    points, normals, weights = surface[:, :3], surface[:, 3:6], surface[:, 6:]
    wobble = solid_noise(points, 12 * _MM)
    layers = np.zeros((len(points), 4))
    layers[:, 0] = _step(-0.1, 0.4, normals[:, 2])
    for finger in range(1, 6):
        share = _step(0.3, 0.8, weights[:, finger_bones(finger)].sum(1))
        rows = np.flatnonzero(share > 0)
        painted = _finger(rest, finger, points[rows], normals[rows], wobble[rows])
        layers[rows] += share[rows, None] * (painted - layers[rows] * (1, 0, 0, 0))
    thumb = _step(0.5, 0.9, weights[:, finger_bones(1)].sum(1))
    share = layers[:, 0] * _step(0.0, 20 * _MM, points[:, 1]) * (1 - thumb)
    rows = np.flatnonzero(share > 0)
    layers[rows] += share[rows, None] * _palm(rest, points[rows], wobble[rows])
    # The inside of the arm is paler too.
    layers[:, 0] *= _step(-150 * _MM, 5 * _MM, points[:, 1])
    return layers.astype(np.float32)


def _step(low: float, high: float, value: Array) -> Array:
    t = np.clip((value - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t))


def _bump(distance: Array, width: float | Array) -> Array:
    return np.asarray(np.exp(-((distance / width) ** 2)))


def _finger(rest: Geometry, finger: int, points: Array, normals: Array, wobble: Array) -> Array:
    """(N, 4) layers near one finger: creases on the palm's side, wrinkles and flush over the joints' backs."""
    bones = finger_bones(finger)
    joints = np.vstack([rest.heads[bones], rest.tails[bones][2:]])
    ends = np.cumsum(np.linalg.norm(np.diff(joints, axis=0), axis=1))
    along, side = _finger_place(joints, points, normals)
    palmar, back = _step(-0.25, 0.35, side), _step(0.1, 0.7, -side)
    crease, height, flush = (np.zeros(len(points)) for _ in range(3))

    lines = [ends[0] - 1.0 * _MM, ends[0] + 0.9 * _MM, ends[1]]
    if finger > 1:
        lines.append(0.5 * ends[0])  # where the web between the fingers ends
    for line in lines:
        depth = _bump(along + 0.5 * _MM * wobble - line, 0.5 * _MM) * palmar
        crease += 0.8 * depth
        height -= 0.25 * _MM * depth
    for joint, width in ((ends[0], 4.5 * _MM), (ends[1], 3.0 * _MM)):
        ripple = np.cos((along - joint + 1.1 * _MM * wobble) * (2 * np.pi / (1.9 * _MM)))
        near = _bump(along - joint, width) * back
        crease += 0.4 * near * _step(-0.2, 1.0, -ripple)
        height += 0.1 * _MM * near * ripple
        flush += 0.7 * _bump(along - joint, 7 * _MM) * back
    flush += 0.6 * _bump(along, 9 * _MM) * back + 0.8 * _step(ends[2] - 16 * _MM, ends[2], along)
    return np.stack([palmar, flush, crease, height], -1)


def _finger_place(joints: Array, points: Array, normals: Array) -> tuple[Array, Array]:
    """(N,) metres along the finger's bones from its root, and (N,) from -1 on its back to 1 on the palm's side."""
    axis = finger_axes(joints)
    steps = np.diff(joints, axis=0)
    lengths = np.linalg.norm(steps, axis=1)
    along, side = np.zeros(len(points)), np.zeros(len(points))
    away = np.full(len(points), np.inf)
    for index in range(3):
        direction = steps[index] / lengths[index]
        local = points - joints[index]
        # Beyond the first and the last joint the bone's line goes on.
        low, high = (-np.inf if index == 0 else 0), (np.inf if index == 2 else lengths[index])
        place = np.clip(local @ direction, low, high)
        distance = np.linalg.norm(local - place[:, None] * direction, axis=1)
        nearer = distance < away
        along = np.where(nearer, place + lengths[:index].sum(), along)
        side = np.where(nearer, normals @ np.cross(axis, direction), side)
        away = np.minimum(away, distance)
    return along, side


def _palm(rest: Geometry, points: Array, wobble: Array) -> Array:
    """(N, 4) layers of the palm: the great creases, fading at their ends, a net of fine ones, and flush."""
    scale = rest.heads[finger_bones(3)][0][1]
    places = points[:, :2] / scale
    lines = np.zeros(len(points))
    t = np.linspace(0, 1, 200)
    depth = _step(0, 0.12, t) * _step(0, 0.25, 1 - t)
    for crease in _PALM_CREASES:
        curve = interpolate.make_interp_spline(np.linspace(0, 1, len(crease)), np.array(crease), k=2)(t)
        distance, nearest = spatial.cKDTree(curve).query(places + 0.4 * _MM / scale * wobble[:, None])
        width = np.maximum(0.7 + 0.2 * wobble, 0.4) * _MM
        lines = np.maximum(lines, _bump(distance * scale, width) * depth[nearest])
    lines *= 0.8 + 0.2 * np.clip(solid_noise(points, 7 * _MM, 9.0), -1, 1)
    fine = 0.25 * _bump(solid_noise(points, 9 * _MM, 5.0), 0.09)
    flush = sum(0.45 * _bump(np.linalg.norm(places - (x, y), axis=1), radius) for x, y, radius in _PALM_FLUSH)
    height = -0.45 * _MM * lines - 0.12 * _MM * fine
    return np.stack([np.zeros(len(points)), flush, np.maximum(lines, fine), height], -1)
