"""How a palm lies in space, from its joints."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from handkit.errors import DataError

Array = NDArray[Any]
WRIST, FOREFINGER, MIDDLE, PINKY = 0, 5, 9, 17
_KNUCKLES = (5, 9, 13, 17)
# |sine| of the angle between the wrist's lines to the first and last knuckle when the palm is seen head-on.
_HEAD_ON = 0.5


def palm_axes(xyz: Array, right: Array) -> Array:
    """(N, 3, 3) rotations from the hand's axes to those of the joints; NaN where the joints or the side are unknown.

    The columns are the hand's own axes: x from the pinky's knuckle to the forefinger's for a right hand, the other way
    for a left one; y from the knuckles to the wrist; z out of the back of the hand. In the frame of a camera (x right,
    y down, z forward) an upright hand that shows its palm has the identity.

    Args:
        xyz: (N, 21, 3) joints.
        right: (N,) 1 the person's right hand, 0 the left, NaN unknown.
    """
    xyz, right = np.asarray(xyz, np.float64), np.asarray(right, np.float64)
    y = _unit(xyz[:, WRIST] - xyz[:, _KNUCKLES].mean(1))
    across = (xyz[:, FOREFINGER] - xyz[:, PINKY]) * np.where(right > 0.5, 1.0, -1.0)[:, None]
    x = _unit(across - (across * y).sum(-1, keepdims=True) * y)
    axes = np.stack([x, y, np.cross(x, y)], -1)
    axes[np.isnan(right)] = np.nan
    return axes


def palm_angles(axes: Array) -> Array:
    """(N, 3, 3) of `palm_axes` -> (N, 3) yaw, pitch and roll in radians.

    A hand that is upright and shows its palm is first turned about its own axis (yaw: 0 palm, pi back), then leant
    (pitch, within pi / 2: positive with the fingers towards the camera), then turned in the picture (roll: positive
    clockwise). Mirrored, a hand of the other side has the opposite yaw and roll and the same pitch.
    """
    yaw = np.arctan2(-axes[:, 2, 0], axes[:, 2, 2])
    pitch = np.arcsin(np.clip(axes[:, 2, 1], -1, 1))
    roll = np.arctan2(-axes[:, 0, 1], axes[:, 1, 1])
    return np.stack([yaw, pitch, roll], -1)


def palm_facing(points: Array, right: Array) -> Array:
    """How far palms face the camera: (N,) from 1, the palm head-on, over 0, its edge, to -1, the back; NaN unknown.

    Args:
        points: (N, 21, 2) joints in the picture, x right and y down.
        right: (N,) 1 the person's right hand, 0 the left, NaN unknown.

    Raises:
        DataError: other shapes.
    """
    points, right = np.asarray(points, np.float64), np.asarray(right, np.float64)
    if points.shape[1:] != (21, 2) or right.shape != points.shape[:1]:
        raise DataError(f"palm_facing needs (N, 21, 2) joints and (N,) sides, got {points.shape} and {right.shape}")
    first, last = points[:, FOREFINGER] - points[:, WRIST], points[:, PINKY] - points[:, WRIST]
    lengths = np.linalg.norm(first, axis=-1) * np.linalg.norm(last, axis=-1)
    sine = (first[:, 1] * last[:, 0] - first[:, 0] * last[:, 1]) / np.maximum(lengths, 1e-9)
    sides = np.where(right > 0.5, 1.0, -1.0) * np.where(np.isnan(right), np.nan, 1.0)
    facing: Array = np.clip(sine / _HEAD_ON, -1, 1) * sides
    return facing


def _unit(vectors: Array) -> Array:
    unit: Array = vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)
    return unit
