"""Something in front of the hand."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from handkit.registry import TRANSFORMS
from handkit.transforms.base import Sample
from handkit.transforms.draws import between, check_range, check_shares, stream

Array = NDArray[Any]


@TRANSFORMS.register_module()
class RandomOcclusion:
    """Covers parts of the picture by turned rectangles and ellipses of one colour, of a random texture, or of the
    picture itself from elsewhere.

    A joint that was visible and is covered becomes 1 in `visible`: labelled but hidden, so that it is still learnt. The
    `mask` is 0 under the cover.

    Args:
        count: least and largest number of covers.
        size: least and largest side of a cover, in shares of the picture's shorter side.
        prob: how often a sample is covered.

    Raises:
        ConfigError: limits out of order, or no probability.
    """

    stage: ClassVar[Literal["image"]] = "image"

    def __init__(
        self, count: tuple[int, int] = (1, 3), size: tuple[float, float] = (0.08, 0.35), prob: float = 0.3
    ) -> None:
        check_range(self, "count", count, 1)
        check_range(self, "size", size, 0, 1)
        check_shares(self, prob=prob)
        self.count = (int(count[0]), int(count[1]))
        self.size = size
        self.prob = prob

    def __call__(self, sample: Sample) -> Sample:
        """Changes `img`, `visible` and `mask`."""
        rng = stream(sample, self, self.prob)
        if rng is None:
            return sample
        img = sample["img"].copy()
        covered = np.zeros(img.shape[:2], np.uint8)
        for _ in range(rng.integers(self.count[0], self.count[1] + 1)):
            cover = self._cover(rng, img.shape[:2])
            cv2.copyTo(_filling(rng, sample["img"]), cover, img)
            covered |= cover
        changed = {**sample, "img": img}
        if "mask" in sample:
            changed["mask"] = np.where(covered, 0, sample["mask"]).astype(np.uint8)
        if "visible" in sample:
            hidden = _at(covered, sample["keypoints"]) & (sample["visible"] == 2)
            changed["visible"] = np.where(hidden, 1, sample["visible"]).astype(np.uint8)
        return changed

    def _cover(self, rng: np.random.Generator, shape: tuple[int, int]) -> Array:
        """(H, W) uint8: 1 inside a shape."""
        height, width = shape
        center = (between(rng, (0, width)), between(rng, (0, height)))
        sides = [between(rng, self.size) * min(width, height) for _ in range(2)]
        turned = (center, (sides[0], sides[1]), between(rng, (0, 180)))
        cover = np.zeros(shape, np.uint8)
        if rng.random() < 0.5:
            cv2.ellipse(cover, turned, 1, -1)
        else:
            cv2.fillPoly(cover, [np.rint(cv2.boxPoints(turned)).astype(np.int32)], 1)
        return cover


def _filling(rng: np.random.Generator, img: Array) -> Array:
    """(H, W, 3) uint8: what a cover shows."""
    height, width = img.shape[:2]
    kind = rng.integers(3)
    if kind == 0:
        return np.full_like(img, rng.integers(0, 256, 3, dtype=np.uint8))
    if kind == 1:
        cells = int(rng.integers(2, 33))
        coarse = rng.integers(0, 256, (cells, cells, 3), dtype=np.uint8)
        return cv2.resize(coarse, (width, height), interpolation=(cv2.INTER_NEAREST, cv2.INTER_CUBIC)[rng.integers(2)])
    return np.roll(img, (int(rng.integers(height)), int(rng.integers(width))), (0, 1))


def _at(covered: Array, points: Array) -> Array:
    """(H, W) and (K, 2) points -> (K,) whether their pixel is covered; False outside the picture."""
    height, width = covered.shape
    x, y = np.rint(np.nan_to_num(points, nan=-1)).T
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    found = covered[np.where(inside, y, 0).astype(int), np.where(inside, x, 0).astype(int)] > 0
    return np.asarray(found & inside)
