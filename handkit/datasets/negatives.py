"""Pictures known to show no hand, from which a network learns to say so."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from handkit.datasets.image_boxes import ImageBoxes
from handkit.errors import DataError
from handkit.images import picture_files, picture_size
from handkit.registry import DATASETS
from handkit.skeleton import HAND
from handkit.transforms.base import Sample

Array = NDArray[Any]


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
        box = _square(np.array([0, 0, *size]) - [0, 0, 1, 1], self.min_side, np.random.default_rng([self.seed, index]))
        return no_hand(str(path), sample_id, size, box)


@DATASETS.register_module()
class SquaresBesideHands:
    """Squares beside the hands of labelled images: forearms, faces, sleeves, whatever stands near a hand and is none.

    Samples are those of `NegativePhotos`. A square lies wholly left of, right of, above or below all boxes of its
    image, the ignored ones too; images in which no side leaves `min_side` pixels are left out. All hands of the images
    must have a box: take those in which people drew boxes, or in which as many hands are labelled as there are.

    Args:
        dataset: the images and their boxes.
        crops_per_image: samples from each image.
        min_side: shortest side of a square in pixels.
        margin: by which boxes are widened at each edge, in shares of their longer side.
        seed: another seed, other squares.

    Raises:
        DataError: `dataset` is no `ImageBoxes`, an argument is out of its range, or no image has room.
    """

    def __init__(
        self, dataset: ImageBoxes, crops_per_image: int = 4, min_side: float = 48, margin: float = 0.1, seed: int = 0
    ) -> None:
        if not isinstance(dataset, ImageBoxes):
            raise DataError(f"SquaresBesideHands needs ImageBoxes, {type(dataset).__name__} is none")
        if crops_per_image < 1 or min_side < 1 or margin < 0 or seed < 0:
            raise DataError(
                "SquaresBesideHands needs crops_per_image and min_side >= 1, and margin and seed >= 0, got "
                f"{crops_per_image}, {min_side}, {margin} and {seed}"
            )
        self.dataset = dataset
        self.crops_per_image = crops_per_image
        self.min_side = min_side
        self.margin = margin
        self.seed = seed
        self._images = [index for index in range(len(dataset)) if len(self._free(dataset[index]))]
        if not self._images:
            raise DataError(f"{dataset.dataset.index.path}: no image has {min_side} pixels beside its hands")

    def __len__(self) -> int:
        return len(self._images) * self.crops_per_image

    def __getitem__(self, index: int) -> Sample:
        """Sample `index`, without its pixels."""
        if not -len(self) <= index < len(self):
            raise IndexError(f"sample {index} of {len(self)}")
        index %= len(self)
        image = self.dataset[self._images[index % len(self._images)]]
        rng = np.random.default_rng([self.seed, index])
        free = self._free(image)
        area = np.prod(free[:, 2:] - free[:, :2], axis=1)
        region = free[rng.choice(len(free), p=area / area.sum())]
        sample_id = f"{image['sample_id']}, square {index // len(self._images)}"
        return no_hand(image["source"], sample_id, image["image_size"], _square(region, self.min_side, rng))

    def _free(self, image: Sample) -> Array:
        """(R, 4) float64 regions beside all boxes in which a square has room."""
        boxes = np.concatenate([image["boxes"], image["ignored_boxes"]]).astype(np.float64)
        right, bottom = np.array(image["image_size"]) - 1.0
        if not len(boxes):
            return np.array([[0, 0, right, bottom]])
        margins = self.margin * (boxes[:, 2:] - boxes[:, :2]).max(axis=1, keepdims=True)
        (x1, y1), (x2, y2) = (boxes[:, :2] - margins).min(axis=0), (boxes[:, 2:] + margins).max(axis=0)
        sides = np.array([[0, 0, x1, bottom], [x2, 0, right, bottom], [0, 0, right, y1], [0, y2, right, bottom]])
        return np.asarray(sides[(sides[:, 2:] - sides[:, :2] >= self.min_side).all(axis=1)])


def no_hand(path: str, sample_id: str, size: tuple[int, int], box: Array) -> Sample:
    """The sample of a box (4,) xyxy in which no hand is."""
    return {
        "source": path,
        "name": f"{path} ({sample_id})",
        "sample_id": sample_id,
        "image_size": size,
        "box": box,
        "keypoints": np.zeros((len(HAND), 2), np.float32),
        "visible": np.zeros(len(HAND), np.uint8),
        "right": np.float32(np.nan),
        "hand": np.float32(0),
    }


def _square(region: Array, min_side: float, rng: np.random.Generator) -> Array:
    """A square in an xyxy region, (4,) float32; its side evenly distributed on a logarithmic scale."""
    room = region[2:] - region[:2]
    longest = max(1.0, room.min())
    side = min(longest, np.exp(rng.uniform(np.log(min(min_side, longest)), np.log(longest))))
    corner = region[:2] + rng.uniform(0, np.maximum(0, room - side))
    return np.concatenate([corner, corner + side]).astype(np.float32)
