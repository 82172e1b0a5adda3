"""Hands drawn over their image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from handkit.detections import Detections
from handkit.drawing.masks import draw_mask
from handkit.errors import DataError
from handkit.hands import Hands, Side
from handkit.images import ChannelOrder, ImageSource, read_image
from handkit.skeleton import HAND, Skeleton

Array = NDArray[Any]
#: Fixed-point bits of cv2's drawing, so that joints are drawn at sub-pixel places.
_SHIFT = 4
_SIDE_COLORS = {"left": (255, 196, 0), "right": (0, 196, 255), None: (200, 200, 200)}
_OUTLINE = (24, 24, 24)


def draw(
    image: ImageSource, result: Hands | Detections, min_score: float = 0.2, channel_order: ChannelOrder = "bgr"
) -> Array:
    """Draws masks, boxes, bones, joints, sides and gestures.

    A mask is a translucent layer with a contour, in the colour of its hand's box and below everything else.

    Args:
        image: the image the result belongs to; anything `handkit.images.read_image` takes.
        result: hands, or a detector's boxes.
        min_score: joints below it, and their bones, are left out.
        channel_order: of an array that is passed as image.

    Returns:
        (H, W, 3) uint8 RGB, a new array.

    Raises:
        DataError: the hands, or a detector's masks, belong to an image of another size.
    """
    canvas = read_image(image, channel_order)
    size = (canvas.shape[1], canvas.shape[0])
    if isinstance(result, Detections):
        if result.masks is not None and result.masks.shape[1:] != canvas.shape[:2]:
            raise DataError(f"these masks belong to an image of {result.masks.shape[:0:-1]}, not {size} pixels")
        _masks(canvas, result.masks, [None] * len(result))
        for box, score in zip(result.boxes, result.scores, strict=True):
            _box(canvas, box, _SIDE_COLORS[None], f"{score:.2f}")
        return canvas
    if result.image_size != size:
        raise DataError(f"these hands belong to an image of {result.image_size}, not {size} pixels")
    _masks(canvas, result.masks, result.handedness)
    for hand in result:
        _box(canvas, hand.boxes[0], _SIDE_COLORS[hand.handedness[0]], _label(hand))
        draw_joints(canvas, hand.keypoints[0], hand.scores[0] >= min_score, hand.skeleton)
    return canvas


def _masks(canvas: Array, masks: Array | None, sides: Sequence[Side | None]) -> None:
    for mask, side in zip(() if masks is None else masks, sides, strict=masks is not None):
        draw_mask(canvas, mask, color=_SIDE_COLORS[side], contour=True)


def draw_joints(canvas: Array, points: Array, shown: Array, skeleton: Skeleton = HAND) -> None:
    """Draws one hand's bones and joints into a picture.

    Args:
        canvas: (H, W, 3) uint8 RGB, C-contiguous; it is changed.
        points: (K, 2) finite joints in its pixels.
        shown: (K,) bool; the others, and their bones, are left out.
        skeleton: the joints.
    """
    extent = float(np.ptp(points, axis=0).max())
    width = max(1, round(extent / 80))
    places = [tuple(place) for place in np.rint(points * (1 << _SHIFT)).astype(int).tolist()]
    colors = skeleton.colors
    bones = [(a, b) for a, b in skeleton.edges if shown[a] and shown[b]]
    for outline in (True, False):
        for a, b in bones:
            color, thick = (_OUTLINE, width + 2) if outline else (colors[b], width)
            cv2.line(canvas, places[a], places[b], color, thick, cv2.LINE_AA, _SHIFT)
    for index in np.flatnonzero(shown):
        radius = (width + 1) << _SHIFT
        cv2.circle(canvas, places[index], radius + (1 << _SHIFT), _OUTLINE, -1, cv2.LINE_AA, _SHIFT)
        cv2.circle(canvas, places[index], radius, colors[index], -1, cv2.LINE_AA, _SHIFT)


def _label(hand: Hands) -> str:
    """The side and the gesture of one hand, as far as they are known; cv2's letters are ASCII."""
    side, gesture = hand.handedness[0], hand.gestures and hand.gestures[0]
    label = f"{side or 'hand'} {hand.handedness_scores[0] if side else hand.box_scores[0]:.2f}"
    return f"{label} {gesture}".encode("ascii", "replace").decode() if gesture else label


def _box(canvas: Array, box: Array, color: tuple[int, int, int], label: str) -> None:
    height, width = canvas.shape[:2]
    x1, y1, x2, y2 = (int(v) for v in np.clip(np.rint(box), 0, [width - 1, height - 1] * 2))
    thick = max(1, round(min(height, width) / 300))
    cv2.rectangle(canvas, (x1, y1), (x2, y2), color, thick, cv2.LINE_AA)
    scale = float(np.clip(min(height, width) / 700, 0.4, 2.0))
    (text_w, text_h), base = cv2.getTextSize(label, cv2.FONT_HERSHEY_SIMPLEX, scale, thick)
    left, top = min(x1, max(width - text_w - 6, 0)), max(y1 - text_h - base - 4, 0)
    cv2.rectangle(canvas, (left, top), (left + text_w + 6, top + text_h + base + 4), color, -1)
    origin = (left + 3, top + text_h + 2)
    cv2.putText(canvas, label, origin, cv2.FONT_HERSHEY_SIMPLEX, scale, _OUTLINE, thick, cv2.LINE_AA)
