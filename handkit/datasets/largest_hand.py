"""One hand per picture: the largest."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from handkit.datasets.labels import HandLabels
from handkit.datasets.reader import HandReader
from handkit.errors import DataError
from handkit.geometry import box_area
from handkit.registry import DATASETS
from handkit.transforms.base import Sample

Array = NDArray[Any]


@DATASETS.register_module()
class LargestHand:
    """The samples of a reader whose boxes are the largest of their pictures, as Zimmermann and Brox train (ICCV 2017).

    That is what a network sees whose crops come from the largest piece of a mask.

    Args:
        dataset: a reader of hands, e.g. `RHD` or `HandShards`.

    Raises:
        DataError: `dataset` is no reader.
    """

    def __init__(self, dataset: HandReader) -> None:
        if not isinstance(dataset, HandReader):
            raise DataError(f"LargestHand needs a reader of hands, {type(dataset).__name__} is none")
        self.dataset = dataset
        self.index = dataset.index
        areas = box_area(dataset.boxes[dataset.rows].astype(np.float64))
        images = np.asarray(dataset.index.image_of(dataset.rows))
        order = np.lexsort((-areas, images))
        first = np.diff(images[order], prepend=-1) > 0
        self._chosen: Array = np.sort(order[first])

    def __len__(self) -> int:
        return len(self._chosen)

    def __getitem__(self, index: int) -> Sample:
        """Sample `index`, as the reader gives it."""
        return self.dataset[self._place(index)]

    def hands(self, index: int) -> HandLabels:
        """The labels of sample `index` alone."""
        return self.dataset.hands(self._place(index))

    def image_labels(self) -> list[HandLabels]:
        """Per image, in the reader's order, the labels of all its hands; all but the largest are `ignored`."""
        chosen = np.zeros(len(self.index), bool)
        chosen[self.dataset.rows[self._chosen]] = True
        images = np.flatnonzero(self.dataset.chosen_images()).tolist()
        return [
            replace(labels, ignored=labels.ignored | ~chosen[self.index.rows_of(image)])
            for image, labels in zip(images, self.dataset.image_labels(), strict=True)
        ]

    def _place(self, index: int) -> int:
        if not -len(self) <= index < len(self):
            raise IndexError(f"sample {index} of {len(self)}")
        return int(self._chosen[index])
