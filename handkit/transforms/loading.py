"""The first step: a source becomes pixels."""

from __future__ import annotations

from typing import ClassVar, Literal

from handkit.errors import DataError
from handkit.images import MAX_PIXELS, read_image, source_name
from handkit.registry import TRANSFORMS
from handkit.transforms.base import Sample


@TRANSFORMS.register_module()
class LoadImage:
    """Reads `source` into `img`, (H, W, 3) uint8 RGB upright, and notes `image_size`.

    A sample that has no `source` but an `img`, of a data set that renders, keeps it.

    Where a data set has noted the size that its labels were made for, the picture must have it.

    Args:
        max_pixels: larger pictures are refused before they are decoded.

    Raises:
        ImageError: see `handkit.images.read_image`.
        DataError: the picture has another size than its labels say.
    """

    stage: ClassVar[Literal["image"]] = "image"

    def __init__(self, max_pixels: int = MAX_PIXELS) -> None:
        self.max_pixels = max_pixels

    def __call__(self, sample: Sample) -> Sample:
        """Adds `img` and `image_size`."""
        if "source" not in sample and "img" in sample:
            return {**sample, "image_size": (sample["img"].shape[1], sample["img"].shape[0])}
        img = read_image(sample["source"], sample.get("channel_order", "bgr"), sample.get("name"), self.max_pixels)
        size, labelled = (img.shape[1], img.shape[0]), sample.get("image_size")
        if labelled is not None and tuple(labelled) != size:
            name = sample.get("name") or source_name(sample["source"])
            raise DataError(
                f"{name}: labelled as {tuple(labelled)} pixels, but the upright picture has {size}; label it anew, or "
                "remove the EXIF orientation that the labels ignore"
            )
        return {**sample, "img": img, "image_size": size}
