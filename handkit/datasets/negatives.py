"""Pictures known to show no hand, from which a network learns to say so."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from handkit.errors import DataError
from handkit.images import picture_files, picture_size
from handkit.registry import DATASETS
from handkit.skeleton import HAND
from handkit.transforms.base import Sample


@DATASETS.register_module()
class NegativePhotos:
    """Squares of pictures without hands: samples with `hand` 0, no visible joint and no side.

    Sample i is a square of picture i modulo their number, anywhere in it, with a side between `min_side` and the
    picture's shorter one, evenly distributed on a logarithmic scale; a pure function of (seed, i).

    Args:
        folder: the pictures, also in its subfolders.
        skip: leaves out the first pictures in the order of their names, e.g. because they are held out for testing.
        count: how many are taken then; None: all.
        crops_per_image: samples from each picture.
        min_side: shortest side of a square in pixels; a smaller picture is taken whole.
        seed: another seed, other squares.

    Raises:
        DataError: no picture is left, or an argument is out of its range.
        ImageError: at a sample, its picture cannot be read.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        skip: int = 0,
        count: int | None = None,
        crops_per_image: int = 8,
        min_side: float = 48,
        seed: int = 0,
    ) -> None:
        if min(skip, seed) < 0 or crops_per_image < 1 or min_side < 1 or (count is not None and count < 1):
            raise DataError(
                "NegativePhotos needs skip and seed >= 0, and count, crops_per_image and min_side >= 1, got "
                f"{skip}, {seed}, {count}, {crops_per_image} and {min_side}"
            )
        found = picture_files(folder)
        self.paths = found[skip:] if count is None else found[skip : skip + count]
        if not self.paths:
            raise DataError(f"{folder}: has {len(found)} pictures, none is left after the first {skip}")
        self.crops_per_image = crops_per_image
        self.min_side = min_side
        self.seed = seed

    def __len__(self) -> int:
        return len(self.paths) * self.crops_per_image

    def __getitem__(self, index: int) -> Sample:
        """Sample `index`, without its pixels; of the file only the header is read."""
        if not -len(self) <= index < len(self):
            raise IndexError(f"sample {index} of {len(self)}")
        index %= len(self)
        path = self.paths[index % len(self.paths)]
        sample_id = f"{path.name}: square {index // len(self.paths)}"
        size = picture_size(path, f"{path} ({sample_id})")
        return {
            "source": str(path),
            "name": f"{path} ({sample_id})",
            "sample_id": sample_id,
            "image_size": size,
            "box": self._square(size, np.random.default_rng([self.seed, index])),
            "keypoints": np.zeros((len(HAND), 2), np.float32),
            "visible": np.zeros(len(HAND), np.uint8),
            "right": np.float32(np.nan),
            "hand": np.float32(0),
        }

    def _square(self, size: tuple[int, int], rng: np.random.Generator) -> NDArray[Any]:
        limit = np.array(size, np.float64) - 1
        longest = max(1.0, limit.min())
        side = min(longest, np.exp(rng.uniform(np.log(min(self.min_side, longest)), np.log(longest))))
        corner = rng.uniform(0, np.maximum(0, limit - side))
        return np.concatenate([corner, corner + side]).astype(np.float32)
