"""Many small pictures on one sheet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from handkit.drawing.hands import draw_joints
from handkit.skeleton import HAND, Skeleton

Array = NDArray[Any]
_GAP = 4
_LABEL = (255, 255, 255)


def contact_sheet(pictures: Sequence[Array], columns: int = 8) -> Array:
    """Pictures of one size, (H, W, 3) uint8, row by row on a dark sheet; at least one."""
    height, width = pictures[0].shape[:2]
    columns = min(columns, len(pictures))
    rows = -(-len(pictures) // columns)
    sheet = np.full((rows * (height + _GAP) + _GAP, columns * (width + _GAP) + _GAP, 3), 32, np.uint8)
    for index, picture in enumerate(pictures):
        row, column = divmod(index, columns)
        top, left = _GAP + row * (height + _GAP), _GAP + column * (width + _GAP)
        sheet[top : top + height, left : left + width] = picture
    return sheet


def crop_picture(
    crop: Array,
    points: Array,
    shown: Array,
    labels: Array | None = None,
    least: int = 192,
    skeleton: Skeleton = HAND,
) -> Array:
    """A crop with a hand's joints, enlarged so that they can be told apart.

    Args:
        crop: (H, W, 3) uint8 RGB.
        points: (K, 2) joints in its pixels.
        shown: (K,) bool, which of them are drawn.
        labels: (K, 2) labelled joints that the points are compared with; white rings at those that are finite.
        least: pixels of the shorter side, reached by a whole factor.
        skeleton: the joints.
    """
    factor = max(1, -(-least // min(crop.shape[:2])))
    canvas = np.ascontiguousarray(crop.repeat(factor, 0).repeat(factor, 1))
    draw_joints(canvas, _enlarged(points, factor), shown & np.isfinite(points).all(-1), skeleton)
    if labels is not None:
        for x, y in np.rint(_enlarged(labels[np.isfinite(labels).all(-1)], factor)).astype(int).tolist():
            cv2.circle(canvas, (x, y), max(2, min(canvas.shape[:2]) // 64), _LABEL, 1, cv2.LINE_AA)
    return canvas


def draw_boxes(canvas: Array, boxes: Array, points: Array | None = None) -> None:
    """Draws labelled boxes in white, and the joints of their hands.

    Args:
        canvas: (H, W, 3) uint8 RGB, C-contiguous; it is changed.
        boxes: (N, 4) xyxy in its pixels.
        points: (N, K, 2) joints in its pixels, NaN where unknown; None draws none.
    """
    for hand in () if points is None else points:
        known = np.isfinite(hand).all(-1)
        if known.any():
            draw_joints(canvas, np.where(known[:, None], hand, hand[known].mean(0)), known)
    for x1, y1, x2, y2 in np.rint(boxes).astype(int).tolist():
        cv2.rectangle(canvas, (x1, y1), (x2, y2), _LABEL, max(1, min(canvas.shape[:2]) // 200))


def _enlarged(points: Array, factor: int) -> Array:
    """Pixel centres of a picture -> those of the picture enlarged by a whole factor."""
    moved: Array = np.nan_to_num((points + 0.5) * factor - 0.5)
    return moved
