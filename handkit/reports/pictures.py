"""A hand cut out of its photograph, with what was predicted and what was labelled."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from handkit.drawing.hands import draw_joints
from handkit.geometry import Crop, points_box
from handkit.metrics.measurement import Measurement
from handkit.skeleton import HAND

Array = NDArray[Any]
_WHITE, _DARK = (255, 255, 255), (24, 24, 24)
_PADDING = 1.15


def hand_picture(measured: Measurement, row: int, side: int = 240) -> Array:
    """The predicted hand in colours, its labels as white rings, and a white line from each to its prediction.

    Args:
        measured: the hands.
        row: which of them.
        side: of the picture, in pixels.

    Returns:
        (side, side, 3) uint8 RGB.
    """
    samples = measured.samples
    points, labels = samples.predicted[row].astype(np.float64), samples.labels[row].astype(np.float64)
    shown = np.isfinite(points).all(-1)
    known = samples.visible[row] > 0
    crop = Crop.from_box(_region(samples.boxes[row], points[shown]), (side, side), padding=_PADDING)
    canvas = np.ascontiguousarray(crop.apply_image(measured.picture(row)))
    points, labels = (crop.apply_points(np.nan_to_num(joints)) for joints in (points, labels))
    radius = max(3, side // 72)
    if shown.any() and len(points) == len(HAND):
        draw_joints(canvas, points, shown)
    for joint in np.flatnonzero(known):
        place = _pixel(labels[joint])
        if shown[joint]:
            cv2.line(canvas, place, _pixel(points[joint]), _DARK, 3, cv2.LINE_AA)
            cv2.line(canvas, place, _pixel(points[joint]), _WHITE, 1, cv2.LINE_AA)
        cv2.circle(canvas, place, radius, _DARK, 3, cv2.LINE_AA)
        cv2.circle(canvas, place, radius, _WHITE, 1, cv2.LINE_AA)
    return canvas


def _region(box: Array, points: Array) -> Array:
    """The labelled box with the predicted joints, but not farther from it than its own size."""
    size = np.maximum(box[2:] - box[:2], 1).max()
    if not len(points):
        return box
    around = points_box(points)
    low = np.clip(np.minimum(box[:2], around[:2]), box[:2] - size, box[:2])
    high = np.clip(np.maximum(box[2:], around[2:]), box[2:], box[2:] + size)
    return np.concatenate([low, high])


def _pixel(point: Array) -> tuple[int, int]:
    x, y = np.clip(np.rint(point), -10000, 10000).astype(int).tolist()
    return x, y
