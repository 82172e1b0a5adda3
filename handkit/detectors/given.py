"""Boxes without a network: the caller's own, or the whole image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from handkit.detections import Detections
from handkit.errors import DataError
from handkit.registry import DETECTORS

Array = NDArray[Any]


@DETECTORS.register_module()
class GivenBoxes:
    """Answers the boxes it was given: row i is box i, all of them, with the score 1.

    A box that lies partly outside the image is kept as it is.

    Args:
        boxes: (N, 4) xyxy in pixels for one image, or a list of such arrays, one for each image. An empty list means
            one image without boxes.

    Raises:
        DataError: another shape, a value that is not finite, or a box that is inside out (x2 <= x1 or y2 <= y1).
    """

    def __init__(self, boxes: ArrayLike | Sequence[ArrayLike]) -> None:
        self.boxes = [_checked(item, _place(index)) for index, item in enumerate(_by_image(boxes))]

    def detect(self, images: Sequence[Array]) -> list[Detections]:
        """(H, W, 3) images -> the boxes given for each.

        Raises:
            DataError: another number of images than boxes were given for, or a box wholly outside its image.
        """
        if len(images) != len(self.boxes):
            raise DataError(f"boxes were given for {len(self.boxes)} images, but there are {len(images)}")
        for index, (image, boxes) in enumerate(zip(images, self.boxes, strict=True)):
            _check_inside(boxes, image, _place(index))
        return [Detections(boxes, np.ones(len(boxes))) for boxes in self.boxes]


@DETECTORS.register_module()
class FullImage:
    """Answers one box for each image: all of it, from its outer edges, with the score 1.

    Used only where the caller says so: an image in which no hand was found has no hand.
    """

    def detect(self, images: Sequence[Array]) -> list[Detections]:
        """(H, W, 3) images -> [-0.5, -0.5, W - 0.5, H - 0.5] for each, since integers are pixel centres."""
        sizes = [(image.shape[1], image.shape[0]) for image in images]
        return [Detections(np.array([[0, 0, *size]]) - 0.5, np.ones(1)) for size in sizes]


def _place(index: int) -> str:
    return f"boxes of image {index}"


def _by_image(boxes: Any) -> list[Any]:
    """One item for each image: a list of boxes for one image nests twice, a list of such lists three times."""
    all_empty = _depth(boxes) == 2 and len(boxes) > 0 and all(len(item) == 0 for item in boxes)
    return list(boxes) if _depth(boxes) > 2 or (all_empty and not hasattr(boxes, "ndim")) else [boxes]


def _depth(value: Any) -> int:
    """How often lists or arrays are nested in each other."""
    if isinstance(value, (list, tuple)):
        return 1 + max(map(_depth, value), default=0)
    return int(getattr(value, "ndim", 0))


def _checked(boxes: ArrayLike, place: str) -> Array:
    """(N, 4) float64."""
    try:
        array = np.array(boxes, np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"{place}: expected (N, 4) numbers x1, y1, x2, y2: {error}") from error
    if array.size == 0:
        return np.zeros((0, 4))
    if array.ndim != 2 or array.shape[1] != 4:
        raise DataError(f"{place}: expected (N, 4) numbers x1, y1, x2, y2, got the shape {array.shape}")
    for index, box in enumerate(array):
        if not np.isfinite(box).all():
            raise DataError(f"{place}: box {index} is not finite: {box.tolist()}")
        if (box[2:] <= box[:2]).any():
            raise DataError(f"{place}: box {index} is inside out, x2 > x1 and y2 > y1 are needed: {box.tolist()}")
    return array


def _check_inside(boxes: Array, image: Array, place: str) -> None:
    """A pixel's centre is an integer, so the image reaches from -0.5 to its size - 0.5."""
    size = np.array([image.shape[1], image.shape[0]])
    outside = (boxes[:, 2:] <= -0.5).any(1) | (boxes[:, :2] >= size - 0.5).any(1)
    if outside.any():
        index = int(outside.argmax())
        raise DataError(
            f"{place}: box {index} lies wholly outside the image of {size[0]} x {size[1]} pixels: "
            f"{boxes[index].tolist()}"
        )
