"""Another place behind the hand."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from handkit.errors import DataError
from handkit.images import picture_files, read_image
from handkit.registry import TRANSFORMS
from handkit.transforms.base import Sample
from handkit.transforms.draws import between, check_at_least_0, check_shares, stream

Array = NDArray[Any]


@TRANSFORMS.register_module()
class BackgroundPaste:
    """Puts what the `mask` of a sample shows before a random part of a random picture of a folder.

    What the mask leaves out goes; whether an arm does depends on the data set. Samples without a `mask`, or with an
    empty one, stay as they are.
    Behind `TopDownAffine` the picture also fills what lay outside the image.

    Args:
        folder: pictures without hands, also in its subfolders.
        skip: leaves out the first pictures in the order of their names, e.g. because they are held out for testing.
        feather: deviation in pixels by which the hand's outline is softened, about one pixel inside it, so that the
            old background does not shine through.
        prob: how often a sample gets another background.

    Raises:
        ConfigError: a negative `skip` or `feather`, or no probability.
        DataError: the folder is missing or holds no picture beyond the skipped ones; in use, a mask that does not fit.
        ImageError: in use, a file of the folder that is no image.
    """

    stage: ClassVar[Literal["image"]] = "image"

    def __init__(self, folder: str, skip: int = 0, feather: float = 0.8, prob: float = 0.5) -> None:
        check_shares(self, prob=prob)
        check_at_least_0(self, feather=feather, skip=skip)
        self.backgrounds = Backgrounds(self, folder, skip)
        self.feather = feather
        self.prob = prob

    def __call__(self, sample: Sample) -> Sample:
        """Replaces `img`."""
        rng = stream(sample, self, self.prob)
        if rng is None or "mask" not in sample or not sample["mask"].any():
            return sample
        img, mask = sample["img"], sample["mask"]
        if mask.shape != img.shape[:2]:
            raise DataError(f"BackgroundPaste: a mask of {mask.shape} does not fit an image of {img.shape[:2]}")
        behind = self.backgrounds.draw(rng, (img.shape[1], img.shape[0]))
        weight = soft_weight(mask > 0, self.feather)
        return {**sample, "img": cv2.blendLinear(img, behind, weight, 1 - weight)}


class Backgrounds:
    """Random parts of the pictures of a folder.

    Args:
        transform: who asks, for messages.
        folder: the pictures, also in its subfolders.
        skip: leaves out the first pictures in the order of their names.

    Raises:
        DataError: the folder is missing or holds no picture beyond the skipped ones.
    """

    def __init__(self, transform: object, folder: str, skip: int) -> None:
        files = picture_files(folder)
        self.files = tuple(files[skip:])
        if not self.files:
            name = type(transform).__name__
            raise DataError(f"{name}: {folder} holds {len(files)} pictures, and skip={skip} leaves none")

    def draw(self, rng: np.random.Generator, size: tuple[int, int]) -> Array:
        """A part scaled to (width, height): (height, width, 3) uint8."""
        return random_part(rng, read_image(self.files[rng.integers(len(self.files))]), size)


def soft_weight(inside: Array, feather: float) -> Array:
    """(H, W) bool -> float32 in [0, 1]: how much of what lies inside shows, its outline taken in by a pixel."""
    eroded = cv2.erode(inside.astype(np.float32), np.ones((3, 3), np.uint8))
    return cv2.GaussianBlur(eroded, (0, 0), feather) if feather else eroded


def random_part(rng: np.random.Generator, picture: Array, size: tuple[int, int]) -> Array:
    """A random part of a picture with the aspect of (width, height), scaled to it and mirrored by chance."""
    height, width = picture.shape[:2]
    share = between(rng, (0.35, 1.0)) * min(width / size[0], height / size[1])
    w, h = max(1, int(size[0] * share)), max(1, int(size[1] * share))
    x, y = int(rng.integers(width - w + 1)), int(rng.integers(height - h + 1))
    part = picture[y : y + h, x : x + w]
    part = part[:, ::-1] if rng.random() < 0.5 else part
    return cv2.resize(part, size, interpolation=cv2.INTER_AREA if share > 1 else cv2.INTER_LINEAR)
