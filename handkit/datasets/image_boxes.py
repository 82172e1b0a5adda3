"""Whole images with the boxes of their hands: the samples of a detector."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from handkit.datasets.reader import HandReader
from handkit.errors import DataError
from handkit.registry import DATASETS
from handkit.transforms.base import Sample

Array = NDArray[Any]


@DATASETS.register_module()
class ImageBoxes:
    """One sample per image of a reader, with the boxes of all its hands, those without a labelled joint too.

    Samples hold no pixels yet: `source`, `name`, `image_size`, `boxes`, `ignored_boxes` (crowd regions) and
    `sample_id`, as `handkit.transforms.base.SAMPLE_KEYS` explains them. Those of `HandShards` have the `mask` of the
    image as it was read, so that `BackgroundPaste` may stand right behind `LoadImage`. Which of a hand's boxes is
    taken, handkit's or the file's, is the reader's `box`; a hand whose box has a side below a pixel counts as none.

    Args:
        dataset: a reader of a COCO file, e.g. `CocoHands`.
        empty: take the images without any box too.
        min_size: images with a shorter side are left out, in pixels; mmdet leaves out those below 32.

    Raises:
        DataError: `dataset` is no reader, or no image is left.
    """

    def __init__(self, dataset: HandReader, empty: bool = False, min_size: int = 32) -> None:
        if not isinstance(dataset, HandReader):
            raise DataError(f"ImageBoxes needs a reader of a COCO file, {type(dataset).__name__} is none")
        self.dataset = dataset
        self.empty = empty
        self.min_size = min_size
        self._images = self._select()
        if not len(self._images):
            path, images = dataset.index.path, dataset.index.images
            raise DataError(f"{path}: none of {images} images has a box and sides of {min_size} pixels or more")

    def __len__(self) -> int:
        return len(self._images)

    def __getitem__(self, index: int) -> Sample:
        """Sample `index`, without its pixels."""
        if not -len(self) <= index < len(self):
            raise IndexError(f"sample {index} of {len(self)}")
        image, reader = int(self._images[index]), self.dataset
        of = reader.index.columns
        path = str(reader.image_root / of.file_names[image].decode())
        sample_id = f"{reader.index.path.name}: image {of.image_ids[image].decode()}"
        rows = reader.index.rows_of(image)
        boxes, crowd = np.array(reader.boxes[rows]), of.crowd[rows]
        return {
            **reader.whole_image(image),
            "source": path,
            "name": f"{path} ({sample_id})",
            "sample_id": sample_id,
            "image_size": tuple(of.image_sizes[image].tolist()),
            "boxes": boxes[_solid(boxes) & ~crowd],
            "ignored_boxes": boxes[_solid(boxes) & crowd],
        }

    def __getstate__(self) -> dict[str, Any]:
        """Without the list of images, which follows from the rest."""
        return self.__dict__ | {"_images": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._images = self._select()

    def _select(self) -> Array:
        reader, of = self.dataset, self.dataset.index.columns
        kept = reader.chosen_images() & (of.image_sizes.min(-1) >= self.min_size)
        if not self.empty:
            hands = np.concatenate([[0], np.cumsum(_solid(reader.boxes) & ~of.crowd)])
            kept &= np.diff(hands[of.first_hands]) > 0
        return np.flatnonzero(kept)


def _solid(boxes: Array) -> Array:
    """(N, 4) -> (N,) whether both sides are at least a pixel; False for NaN."""
    return np.asarray(((boxes[:, 2:] - boxes[:, :2]) >= 1).all(-1))
