"""Whole pictures known to show no hand, for detectors."""

from __future__ import annotations

import os

import numpy as np

from handkit.errors import DataError
from handkit.images import picture_files, picture_size
from handkit.registry import DATASETS
from handkit.skeleton import HAND
from handkit.transforms.base import Sample


@DATASETS.register_module()
class NegativeImages:
    """One sample per picture of a folder, like those of `ImageBoxes` but without a box.

    Args:
        folder: the pictures, also in its subfolders.
        skip: leaves out the first pictures in the order of their names, e.g. because they are held out for testing.
        count: how many are taken then; None: all.

    Raises:
        DataError: no picture is left, or an argument is out of its range.
        ImageError: at a sample, its picture cannot be read.
    """

    def __init__(self, folder: str | os.PathLike[str], skip: int = 0, count: int | None = None) -> None:
        if skip < 0 or (count is not None and count < 1):
            raise DataError(f"NegativeImages needs skip >= 0 and count >= 1, got {skip} and {count}")
        found = picture_files(folder)
        self.paths = found[skip:] if count is None else found[skip : skip + count]
        if not self.paths:
            raise DataError(f"{folder}: has {len(found)} pictures, none is left after the first {skip}")

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> Sample:
        """Sample `index`, without its pixels; of the file only the header is read."""
        if not -len(self) <= index < len(self):
            raise IndexError(f"sample {index} of {len(self)}")
        path = self.paths[index]
        return {
            "source": str(path),
            "name": str(path),
            "sample_id": path.name,
            "image_size": picture_size(path, str(path)),
            "boxes": np.zeros((0, 4), np.float32),
            "box_points": np.zeros((0, len(HAND), 2), np.float32),
            "ignored_boxes": np.zeros((0, 4), np.float32),
        }
