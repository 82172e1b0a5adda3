"""The first step: a source becomes pixels."""

from __future__ import annotations

from typing import ClassVar, Literal

from handkit.images import MAX_PIXELS, read_image
from handkit.registry import TRANSFORMS
from handkit.transforms.base import Sample


@TRANSFORMS.register_module()
class LoadImage:
    """Reads `source` into `img`, (H, W, 3) uint8 RGB upright, and notes `image_size`.

    Args:
        max_pixels: larger pictures are refused before they are decoded.

    Raises:
        ImageError: see `handkit.images.read_image`.
    """

    stage: ClassVar[Literal["image"]] = "image"

    def __init__(self, max_pixels: int = MAX_PIXELS) -> None:
        self.max_pixels = max_pixels

    def __call__(self, sample: Sample) -> Sample:
        """Adds `img` and `image_size`."""
        img = read_image(sample["source"], sample.get("channel_order", "bgr"), sample.get("name"), self.max_pixels)
        return {**sample, "img": img, "image_size": (img.shape[1], img.shape[0])}
