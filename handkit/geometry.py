"""Boxes, points and the one object that cuts a hand out of an image and puts the joints back.

Coordinates: an integer coordinate is a pixel's centre (as in cv2.warpAffine and mmpose), x to the right, y down. Boxes
are xyxy floats in the image. Mirroring an image of width W sends x to W - 1 - x.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Border = Literal["constant", "replicate"]
_BORDERS: dict[str, int] = {"constant": cv2.BORDER_CONSTANT, "replicate": cv2.BORDER_REPLICATE}

#: The hand box is the box of the joints, grown by this factor about its centre and clipped to the image.
HAND_BOX_FACTOR = 1.15


@dataclass(frozen=True)
class Crop:
    """A rectangle in an image, possibly turned and mirrored, that fills an output of fixed size.

    Args:
        center: (x, y) of the rectangle in image pixels.
        size: (width, height) of the rectangle in image pixels, before turning.
        output_size: (width, height) of the result in pixels.
        rotation: radians by which the rectangle is turned, clockwise on the screen (from +x to +y).
        flip: mirror the result left to right.
        border: what lies outside the image: black, or its edge repeated.
        antialias: where the result has less than half the image's resolution, average pixels first; mmpose does not,
            and samples so few pixels of a large photograph that noise hides the hand.
        udp: map the centres of the corner pixels onto each other, as UDP does (Huang et al., CVPR 2020); otherwise the
            rectangle's edges onto the coordinates 0 and `output_size`, as mmpose does.
    """

    center: tuple[float, float]
    size: tuple[float, float]
    output_size: tuple[int, int]
    rotation: float = 0.0
    flip: bool = False
    border: Border = "constant"
    udp: bool = False
    antialias: bool = True

    def __post_init__(self) -> None:
        numbers = np.array([*self.center, *self.size, self.rotation], np.float64)
        if not np.isfinite(numbers).all() or min(self.size) <= 0 or min(self.output_size) <= 0:
            raise ValueError(f"a crop needs finite numbers and positive sizes, got {self}")

    @classmethod
    def from_box(
        cls,
        box: Array,
        output_size: tuple[int, int],
        padding: float = 1.25,
        rotation: float = 0.0,
        border: Border = "constant",
        udp: bool = False,
        antialias: bool = True,
    ) -> Crop:
        """The crop of a box (x1, y1, x2, y2), grown by `padding`, its short side lengthened to the output's aspect."""
        x1, y1, x2, y2 = (float(v) for v in box)
        width, height = (x2 - x1) * padding, (y2 - y1) * padding
        aspect = output_size[0] / output_size[1]
        size = (max(width, height * aspect), max(height, width / aspect))
        center = ((x1 + x2) / 2, (y1 + y2) / 2)
        return cls(center, size, output_size, rotation, False, border, udp, antialias)

    def rotated(self, angle: float) -> Crop:
        """The same rectangle turned further by `angle` radians, clockwise on the screen."""
        return replace(self, rotation=self.rotation + angle)

    def matrix(self) -> Array:
        """(2, 3) float64: image pixel -> output pixel."""
        out = np.array(self.output_size, np.float64)
        scale = (out - 1 if self.udp else out) / self.size
        middle = (out - 1 if self.udp else out) / 2
        cos, sin = np.cos(self.rotation), np.sin(self.rotation)
        linear = scale[:, None] * np.array([[cos, sin], [-sin, cos]])
        offset = middle - linear @ self.center
        if self.flip:
            linear[0], offset[0] = -linear[0], out[0] - 1 - offset[0]
        return np.column_stack([linear, offset])

    def inverse_matrix(self) -> Array:
        """(2, 3) float64: output pixel -> image pixel."""
        inverse: Array = np.linalg.inv(np.vstack([self.matrix(), [0, 0, 1]]))[:2]
        return inverse

    def apply_image(self, image: Array) -> Array:
        """Cuts out (H, W[, C]) pixels, bilinear, as `output_size` (height, width[, C]) of the same dtype.

        The dtype is one that OpenCV warps: uint8, uint16, int16, float32 or float64.
        """
        matrix = self.matrix()
        factor = int(min(self.size[0] / self.output_size[0], self.size[1] / self.output_size[1]))
        if self.antialias and factor >= 2:
            image, to_full = self._shrunk(image, factor)
            matrix = matrix @ np.vstack([to_full, [0, 0, 1]])
        border = _BORDERS[self.border]
        cut = np.asarray(cv2.warpAffine(image, matrix, self.output_size, flags=cv2.INTER_LINEAR, borderMode=border))
        return cut[..., None] if image.ndim == 3 and cut.ndim == 2 else cut  # OpenCV drops an axis of one channel

    def _shrunk(self, image: Array, factor: int) -> tuple[Array, Array]:
        """The part of the image that the crop covers, averaged over `factor` squared pixels.

        Returns:
            The smaller picture, and (2, 3): its pixels -> the image's.
        """
        width, height = self.output_size
        corners = self.inverse_points(np.array([[-1, -1], [width, -1], [-1, height], [width, height]], np.float64))
        size = np.array([image.shape[1], image.shape[0]])
        low = np.clip(np.floor(corners.min(0)) - 2 * factor, 0, size - 1).astype(int)
        high = np.clip(np.ceil(corners.max(0)) + 2 * factor, low + 1, size).astype(int)
        part = image[low[1] : high[1], low[0] : high[0]]
        step = np.minimum(factor, high - low)
        small = cv2.resize(part, None, fx=1 / step[0], fy=1 / step[1], interpolation=cv2.INTER_AREA)
        return np.asarray(small), np.column_stack([np.diag(step), low + (step - 1) / 2])

    def apply_points(self, points: Array) -> Array:
        """(..., 2) image pixels -> output pixels."""
        return _moved(self.matrix(), points)

    def inverse_points(self, points: Array) -> Array:
        """(..., 2) output pixels -> image pixels."""
        return _moved(self.inverse_matrix(), points)

    def apply_xyz(self, xyz: Array) -> Array:
        """(..., 3) in the axes of the image (x right, y down, z forward) -> in the output's, turned and mirrored."""
        x, y, z = np.moveaxis(xyz, -1, 0)
        cos, sin = np.cos(self.rotation), np.sin(self.rotation)
        turned = x * cos + y * sin
        return np.stack([-turned if self.flip else turned, y * cos - x * sin, z], -1)


def _moved(matrix: Array, points: Array) -> Array:
    """One (2, 3) matrix applied to (..., 2) points."""
    moved: Array = points @ matrix[:, :2].T + matrix[:, 2]
    return moved


def apply_affine(matrix: Array, points: Array) -> Array:
    """Applies (..., 2, 3) matrices to (..., K, 2) points, broadcasting over the leading axes."""
    moved: Array = points @ np.swapaxes(matrix[..., :2], -1, -2) + matrix[..., None, :, 2]
    return moved


def inverse_crops(crops: Sequence[Crop], points: Array) -> Array:
    """(N, K, 2) points, each row in its own crop's output pixels -> image pixels."""
    if not crops:
        return np.zeros_like(points)
    return apply_affine(np.stack([crop.inverse_matrix() for crop in crops]), points)


def mirror_points(points: Array, width: int) -> Array:
    """(..., 2) points of an image of that width -> the same points in the mirrored image."""
    mirrored: Array = points * np.array([-1.0, 1.0]) + np.array([width - 1.0, 0.0])
    return mirrored


def mirror_boxes(boxes: Array, width: int) -> Array:
    """(N, 4) xyxy boxes of an image of that width -> the same boxes in the mirrored image."""
    mirrored: Array = boxes.copy()
    mirrored[:, 0], mirrored[:, 2] = width - 1.0 - boxes[:, 2], width - 1.0 - boxes[:, 0]
    return mirrored


def points_box(points: Array) -> Array:
    """(..., K, 2) points -> (..., 4) tight xyxy box."""
    return np.concatenate([points.min(-2), points.max(-2)], -1)


def grow_boxes(boxes: Array, factor: float) -> Array:
    """(..., 4) boxes grown about their centres."""
    center, half = (boxes[..., :2] + boxes[..., 2:]) / 2, (boxes[..., 2:] - boxes[..., :2]) * factor / 2
    return np.concatenate([center - half, center + half], -1)


def clip_boxes(boxes: Array, image_size: tuple[int, int] | Array) -> Array:
    """(..., 4) boxes cut to the image: x to [0, width - 1], y to [0, height - 1].

    `image_size` is (width, height), or (..., 2) with one image per box.
    """
    size = np.asarray(image_size, np.float64)
    clipped: Array = np.clip(boxes, 0, np.concatenate([size, size], -1) - 1)
    return clipped


def hand_box(points: Array, image_size: tuple[int, int]) -> Array:
    """(..., K, 2) joints -> (..., 4) handkit's hand box: their box x 1.15, clipped to (width, height)."""
    return clip_boxes(grow_boxes(points_box(points), HAND_BOX_FACTOR), image_size)


def box_area(boxes: Array) -> Array:
    """(..., 4) boxes -> (...) areas; an inside-out box has none."""
    sides = np.clip(boxes[..., 2:] - boxes[..., :2], 0, None)
    area: Array = sides[..., 0] * sides[..., 1]
    return area


def box_iou(a: Array, b: Array) -> Array:
    """(N, 4) and (M, 4) boxes -> (N, M) intersection over union."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    both = box_area(np.concatenate([low, high], -1))
    union = box_area(a)[:, None] + box_area(b)[None] - both
    iou: Array = both / np.maximum(union, 1e-12)
    return iou


def upright_turns(tails: Array, heads: Array) -> Array:
    """(..., 2) ends of lines -> (...,) radians, clockwise on the screen, by which tail to head is turned from up."""
    x, y = np.moveaxis(np.asarray(heads) - tails, -1, 0)
    turns: Array = np.arctan2(x, -y)
    return turns


def turn_xyz(xyz: Array, angles: Array) -> Array:
    """(N, K, 3) in the frames of crops turned by (N,) radians clockwise -> the frame of the image."""
    cos, sin = np.cos(angles)[:, None], np.sin(angles)[:, None]
    x, y, z = np.moveaxis(xyz, -1, 0)
    turned: Array = np.stack([x * cos - y * sin, x * sin + y * cos, z], -1)
    return turned
