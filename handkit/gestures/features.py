"""What a classifier of gestures sees of a hand: its joints, whatever their place, size, side and, if asked, turn."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from handkit.errors import DataError
from handkit.gestures.fingers import palm_length

Array = NDArray[Any]
_BASES = np.array([1, 5, 9, 13, 17])
_TIPS = _BASES + 3
_KNUCKLES = (5, 9, 13, 17)
_ONE, _OTHER = np.triu_indices(5, 1)
_REACH = 4.0  # palms: further away than any joint
#: How many numbers `hand_features` gives.
FEATURES = 40 + 5 + 10


def hand_features(points: Array, upright: bool = True) -> Array:
    """(N, 21, 2) joints in the picture -> (N, 55) float32.

    Joints are taken relative to the wrist in palm lengths, mirrored where need be so that the forefinger's knuckle lies
    on one side of the pinky's: the palm of a left hand looks like the back of a right one. To these 40 numbers come how
    straight each finger is and how far apart the tips are.

    Args:
        points: the joints.
        upright: turn every hand so that its knuckles lie above its wrist; False where a thumb up is not a thumb down.
            Either way a hand and its mirror image are the same, so that up is told from down but never left from right.

    Raises:
        DataError: other shapes, or joints that are not finite.
    """
    points = np.asarray(points, np.float64)
    if points.ndim != 3 or points.shape[1:] != (21, 2) or not np.isfinite(points).all():
        raise DataError(f"gestures are told by finite joints (N, 21, 2), got {points.shape}")
    moved = (points - points[:, :1]) / np.maximum(palm_length(points), 1e-6)[:, None, None]
    first, last = moved[:, 5], moved[:, 17]
    mirrored = first[:, 0] * last[:, 1] - first[:, 1] * last[:, 0] > 0
    moved[mirrored, :, 0] *= -1
    if upright:
        axis = moved[:, _KNUCKLES].mean(1)
        axis /= np.maximum(np.linalg.norm(axis, axis=-1, keepdims=True), 1e-6)
        across = np.stack([-axis[:, 1], axis[:, 0]], -1)
        moved = moved @ np.stack([across, -axis], -1)
    moved = np.clip(moved, -_REACH, _REACH)
    chains = moved[:, _BASES[:, None] + np.arange(4)]
    bones = np.linalg.norm(np.diff(chains, axis=2), axis=-1).sum(-1)
    reach = np.linalg.norm(chains[:, :, 3] - chains[:, :, 0], axis=-1) / np.maximum(bones, 1e-6)
    apart = np.linalg.norm(moved[:, _TIPS[_ONE]] - moved[:, _TIPS[_OTHER]], axis=-1)
    return np.concatenate([moved[:, 1:].reshape(-1, 40), reach, apart], 1).astype(np.float32)
