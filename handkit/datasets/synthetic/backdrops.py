"""Photographs behind rendered hands."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from handkit.datasets.synthetic.skin import srgb_to_linear
from handkit.errors import DataError
from handkit.images import picture_files, read_image
from handkit.transforms.background import random_part

Array = NDArray[Any]

_LIGHT = np.asarray(srgb_to_linear(np.arange(256) / 255), np.float32)
# How often a picture of the folder is taken, and not a room by rule.
_OFTEN = 0.75


class Backdrops:
    """A folder of pictures without hands.

    Args:
        folder: the pictures, also in its subfolders.
        skip: leaves out the first pictures in the order of their names, e.g. because they are held out for testing.

    Raises:
        DataError: the folder is missing or holds no picture beyond the skipped ones.
    """

    def __init__(self, folder: str | os.PathLike[str], skip: int = 0) -> None:
        found = picture_files(folder)
        self.files = tuple(found[skip:])
        if not self.files:
            raise DataError(f"{folder}: has {len(found)} pictures, none is left after the first {skip}")

    def draw(self, rng: np.random.Generator, size: tuple[int, int]) -> Array | None:
        """(H, W, 3) float32 linear RGB, a random part of a random picture; one time in four None.

        Raises:
            ImageError: the picture cannot be read.
        """
        if rng.random() >= _OFTEN:
            return None
        picture = read_image(self.files[rng.integers(len(self.files))])
        return np.asarray(_LIGHT[random_part(rng, picture, size)])
