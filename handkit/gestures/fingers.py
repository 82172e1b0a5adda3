"""Which fingers are stretched, from the joints of a hand, in the picture or in space."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from handkit.errors import DataError

Array = NDArray[Any]
FingerState = Literal["extended", "bent", "folded"]
#: In the order of `FingerRules.codes`.
FINGER_STATES: tuple[FingerState, ...] = get_args(FingerState)
#: In the order of the columns.
FINGERS = ("thumb", "forefinger", "middle_finger", "ring_finger", "pinky_finger")
_WRIST, _PALM_EDGES = 0, ((0, 5), (0, 9), (0, 13), (0, 17), (5, 17))
_BASES = np.array([1, 5, 9, 13, 17])
# The distance of the outer knuckles is this part of the palm's length.
_BREADTH = 0.75


@dataclass(frozen=True)
class FingerRules:
    """By what a finger's state is told.

    The reach of a finger is the distance from its base to its tip over the length of its bones. A straight finger has
    the reach 1 in space and in every picture of it.

    Args:
        straight: least reach of an extended finger.
        curled: a finger of less reach is folded.
        thumb_straight: like `straight`, of the thumb.
        thumb_in: the thumb is folded where its tip is nearer to the pinky's knuckle than this part of the distance
            between that knuckle and the thumb's own.
        pinch: thumb and forefinger pinch where their tips are nearer than this part of the palm's length.
    """

    straight: float = 0.9
    curled: float = 0.6
    thumb_straight: float = 0.9
    thumb_in: float = 0.85
    pinch: float = 0.25

    def codes(self, points: Array) -> Array:
        """(N, 21, 2) or (N, 21, 3) joints -> (N, 5) indices into `FINGER_STATES`, from the thumb to the pinky.

        Raises:
            DataError: another shape, or joints that are not finite.
        """
        points = _checked(points)
        chains = points[:, _BASES[:, None] + np.arange(4)]
        bones = np.linalg.norm(np.diff(chains, axis=2), axis=-1).sum(-1)
        reach = np.linalg.norm(chains[:, :, 3] - chains[:, :, 0], axis=-1) / np.maximum(bones, 1e-9)
        away = np.linalg.norm(chains - points[:, None, None, _WRIST], axis=-1)
        turned_back = away[:, :, 3] < away[:, :, 1]
        codes = np.where(reach >= self.straight, 0, np.where(reach < self.curled, 2, 1))
        codes = np.where(turned_back, 2, codes)
        codes[:, 0] = np.where(reach[:, 0] >= self.thumb_straight, 0, 1)
        across = np.linalg.norm(points[:, [4, 2]] - points[:, [17]], axis=-1)
        codes[:, 0] = np.where(across[:, 0] < self.thumb_in * across[:, 1], 2, codes[:, 0])
        return np.asarray(codes)

    def states(self, points: Array) -> list[tuple[FingerState, ...]]:
        """`codes` as words, five for each hand."""
        return [tuple(FINGER_STATES[code] for code in row) for row in self.codes(points).tolist()]

    def pinches(self, points: Array) -> Array:
        """(N, 21, 2) or (N, 21, 3) joints -> (N,) bool: the tips of thumb and forefinger meet.

        Raises:
            DataError: another shape, or joints that are not finite.
        """
        points = _checked(points)
        apart = np.linalg.norm(points[:, 4] - points[:, 8], axis=-1)
        return np.asarray(apart < self.pinch * palm_length(points))


def palm_length(points: Array) -> Array:
    """(N, 21, 2 or 3) joints -> (N,) lengths: the longest of the palm's edges, so that a lean shortens it little."""
    lengths = [np.linalg.norm(points[:, a] - points[:, b], axis=-1) for a, b in _PALM_EDGES]
    longest: Array = np.max([*lengths[:-1], lengths[-1] / _BREADTH], axis=0)
    return longest


def _checked(points: Array) -> Array:
    points = np.asarray(points, np.float64)
    if points.ndim != 3 or points.shape[1] != 21 or points.shape[2] not in (2, 3):
        raise DataError(f"fingers need joints (N, 21, 2) or (N, 21, 3), got {points.shape}")
    if not np.isfinite(points).all():
        raise DataError("fingers are told by all 21 joints, and some are not finite")
    return points
