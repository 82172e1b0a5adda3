"""The canonical frame of a hand (Zimmermann and Brox, Learning to Estimate 3D Hand Pose, ICCV 2017, section 5).

A hand relative to its wrist, in lengths of its forefinger's proximal bone, is turned so that the middle finger's base
lies on +y and the pinky's base in the plane z = 0 at x >= 0. What is left is the pose, whatever the view. A left hand
and its mirror image, a right one, differ by the sign of z there: here left hands are mirrored to right ones, where the
paper mirrors right ones.

The paper says "the first bone of the index finger", and so it is here, from base to second joint; its authors' program
(lmb-freiburg/hand3d, utils of the data set) measures the middle finger's.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from handkit.errors import DataError

Array = NDArray[Any]
_WRIST, _MIDDLE, _PINKY = 0, 9, 17
#: The forefinger's proximal bone, from its base.
BONE = (5, 6)
#: Shorter than this, in lengths of the bone, a direction is none.
_LEAST = 1e-6


class Canonical(NamedTuple):
    """N hands in their canonical frames.

    Args:
        pose: (N, 21, 3), the wrist at 0, in lengths of the bone; left hands mirrored to right ones.
        viewpoint: (N, 3, 3) rotation from the axes that the hand was given in to those of the canonical frame.
        bone: (N,) length of the forefinger's proximal bone, in the units that the hand was given in.
    """

    pose: Array
    viewpoint: Array
    bone: Array


def bone_length(xyz: Array) -> Array:
    """(..., 21, 3) joints -> (...) length of the forefinger's proximal bone."""
    length: Array = np.linalg.norm(xyz[..., BONE[1], :] - xyz[..., BONE[0], :], axis=-1)
    return length


def to_canonical(xyz: Array, right: Any) -> Canonical:
    """Joints in any axes and units -> their pose and view.

    Args:
        xyz: (N, 21, 3), finite.
        right: (N,) 1 the person's right hand, 0 the left one.

    Raises:
        DataError: joints that are not finite, an unknown side, or joints in one place or line that give no frame.
    """
    xyz = np.asarray(xyz, np.float64)
    try:
        right = np.asarray(right, np.float64)
    except (TypeError, ValueError):  # e.g. 'left'
        raise DataError(f"a canonical frame needs the hand's side, 1 right or 0 left, not {right!r}") from None
    if xyz.ndim != 3 or xyz.shape[1:] != (21, 3) or right.shape != xyz.shape[:1]:
        raise DataError(f"a canonical frame is of (N, 21, 3) joints and (N,) sides, not {xyz.shape} and {right.shape}")
    if not np.isfinite(xyz).all():
        raise DataError("a canonical frame needs all 21 joints in space, and some are not labelled")
    if not np.isin(right, (0, 1)).all():
        raise DataError("a canonical frame needs the hand's side, 1 right or 0 left, and it is unknown")
    bone = bone_length(xyz)
    if not (bone > 0).all():
        raise DataError("a hand whose forefinger's proximal bone has no length has no canonical frame")
    own = (xyz - xyz[:, _WRIST, None]) / bone[:, None, None]
    y = _direction(own[:, _MIDDLE])
    pinky = own[:, _PINKY]
    x = _direction(pinky - (pinky * y).sum(-1, keepdims=True) * y)
    viewpoint = np.stack([x, y, np.cross(x, y)], 1)
    return Canonical(_mirrored(own @ viewpoint.swapaxes(1, 2), right), viewpoint, bone)


def from_canonical(pose: Array, viewpoint: Array, right: Array) -> Array:
    """The inverse: (N, 21, 3) poses, (N, 3, 3) views and (N,) sides -> (N, 21, 3) in lengths of the bone."""
    seen: Array = _mirrored(pose, right) @ viewpoint
    return seen


def _mirrored(pose: Array, right: Array) -> Array:
    """Left hands become right ones and, again, left ones."""
    mirror = np.stack([np.ones_like(right), np.ones_like(right), 2 * right - 1], -1)
    mirrored: Array = pose * mirror[:, None]
    return mirrored


def _direction(vectors: Array) -> Array:
    """(N, 3) -> unit length."""
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    if not (length > _LEAST).all():
        raise DataError("wrist, middle finger's base and pinky's base lie in one line, so there is no canonical frame")
    unit: Array = vectors / length
    return unit
