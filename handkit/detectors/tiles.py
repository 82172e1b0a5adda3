"""Overlapping tiles of an image, in which a network of fixed input sees small hands larger.

After SAHI (Akyon et al., *Slicing Aided Hyper Inference and Fine-Tuning for Small Object Detection*, ICIP 2022): the
image as a whole and its tiles are looked at, and what overlaps is found once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from handkit.detections import Detections

Array = NDArray[Any]
#: x1, y1, x2, y2 in pixels, the last two exclusive.
Window = tuple[int, int, int, int]

# Neighbours share a third of a tile, so that a hand of that size is whole in one of them.
_OVERLAP = 1 / 3
# In shares of a tile: a box so near to an edge inside the image is of a cut hand; a longer one is the whole image's.
_MARGIN, _LONGEST = 0.02, 0.6
# A box of which so much lies in a stronger one that was found elsewhere is a part of the same hand.
_INSIDE = 0.7


def tiles(image_size: tuple[int, int], share: float) -> list[Window]:
    """Square tiles that cover an image, row by row; cut to the image where it is narrower than a tile.

    Args:
        image_size: (width, height) in pixels.
        share: the side of a tile, in shares of the image's longer side.
    """
    side = max(round(share * max(image_size)), 1)
    columns, rows = (_starts(length, side) for length in image_size)
    width, height = image_size
    return [(x, y, min(x + side, width), min(y + side, height)) for y in rows for x in columns]


def _starts(length: int, side: int) -> list[int]:
    """Where tiles begin along a side of the image."""
    if length <= side:
        return [0]
    count = int(np.ceil((length - side) / (side * (1 - _OVERLAP)) - 1e-2)) + 1
    return [round(start) for start in np.linspace(0, length - side, count)]


def whole(boxes: Array, window: Window, image_size: tuple[int, int]) -> Array:
    """(N,) whether a tile shows all of what a box holds, and not so large that the whole image tells it better.

    Args:
        boxes: (N, 4) xyxy in pixels of the tile.
        window: the tile.
        image_size: (width, height) of the image in pixels.
    """
    size = np.array([window[2] - window[0], window[3] - window[1]])
    side = size.max()
    inner_first, inner_last = np.array(window[:2]) > 0, np.array(window[2:]) < image_size
    cut = (boxes[:, :2] < _MARGIN * side) & inner_first | (boxes[:, 2:] > size - _MARGIN * side) & inner_last
    return np.asarray(~cut.any(1) & ((boxes[:, 2:] - boxes[:, :2]).max(1) <= _LONGEST * side))


def merged(parts: Sequence[Detections], nms_iou: float) -> Detections:
    """What several windows of one image found, best first, each hand once.

    Args:
        parts: per window, in pixels of the image. Boxes of one window may overlap as they do.
        nms_iou: of two boxes of different windows that overlap by more, or of which one lies in the other, the weaker
            is dropped.
    """
    boxes, scores = (np.concatenate([getattr(part, name) for part in parts]) for name in ("boxes", "scores"))
    origin = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(1)
    kept: list[int] = []
    for row in np.argsort(-scores, kind="stable"):
        others = np.array([other for other in kept if origin[other] != origin[row]], int)
        sides = np.minimum(boxes[row, 2:], boxes[others, 2:]) - np.maximum(boxes[row, :2], boxes[others, :2])
        both = np.clip(sides, 0, None).prod(1)
        overlap = both > nms_iou * (areas[row] + areas[others] - both)
        if not (overlap | (both > _INSIDE * np.minimum(areas[row], areas[others]))).any():
            kept.append(int(row))
    return Detections(boxes[kept], scores[kept])
