"""Masks drawn into a picture."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
_LABEL = (255, 255, 255)
_MASK = (0, 196, 255)


def draw_mask(
    canvas: Array,
    shown: Array,
    labels: Array | None = None,
    color: tuple[int, int, int] = _MASK,
    contour: bool = False,
) -> None:
    """Tints the pixels of a mask, and outlines the labelled ones in white.

    Args:
        canvas: (H, W, 3) uint8 RGB, C-contiguous; it is changed.
        shown: (H, W) bool.
        labels: (H, W) bool, what the mask is compared with.
        color: RGB, of which half is laid over the pixels.
        contour: outline the mask in its colour, thicker in larger pictures.
    """
    canvas[shown] = (canvas[shown] // 2 + np.array(color) // 2).astype(np.uint8)
    if contour:
        _outline(canvas, shown, color, max(1, round(min(canvas.shape[:2]) / 300)))
    if labels is not None:
        _outline(canvas, labels, _LABEL, 1)


def _outline(canvas: Array, shown: Array, color: tuple[int, int, int], width: int) -> None:
    outlines, _ = cv2.findContours(shown.astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(canvas, outlines, -1, color, width)
