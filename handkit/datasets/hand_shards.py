"""Rendered hands that `handkit data synth` has written."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from handkit.datasets.index import open_index
from handkit.datasets.originals.handsynth import files
from handkit.datasets.reader import HandReader
from handkit.datasets.synthetic.picture import FOREGROUND, mask_of, mask_of_all
from handkit.datasets.synthetic.shards import HANDS
from handkit.errors import DataError
from handkit.registry import DATASETS
from handkit.transforms.base import Sample

Array = NDArray[Any]


@DATASETS.register_module()
class HandShards(HandReader):
    """One sample per hand of a folder of shards; `handkit.datasets.synthetic.shards` describes it.

    Samples are those of the other readers with `mask`, `xyz_cam` and `camera`. Whole shards can be read while others
    are still being rendered. Hands of which next to nothing is seen are left out.

    Args:
        folder: the folder.

    Raises:
        DataError: it holds no whole shard, or its files do not belong together; at a sample, its mask cannot be read.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)
        if not (self.folder / HANDS).is_file():
            raise DataError(f"{self.folder}: has no {HANDS}, so no whole shard; render some with `handkit data synth`")
        if missing := [path.name for path in files(self.folder / HANDS) if not path.is_file()]:
            raise DataError(f"{self.folder}: {missing[0]} cannot be read (there is none); render again")
        super().__init__(open_index(self.folder / HANDS, "handsynth"), unlabelled="skip")

    def __getitem__(self, index: int) -> Sample:
        """Sample `index`, without the picture's pixels but with the mask's."""
        row = self._row(index)
        sample = super().__getitem__(index)
        image = int(self.index.image_of(row))
        hand = row - int(self.index.columns.first_hands[image])
        return {
            **sample,
            "mask": mask_of(self._shown(image), hand),
        }

    def image_mask(self, image: int) -> Array:
        """(H, W) uint8: 1 where the picture shows a labelled hand, 2 other things before the background."""
        return mask_of_all(self._shown(image))

    def _shown(self, image: int) -> Array:
        """(H, W) uint8: which hand a pixel shows, as the shards have it."""
        of = self.index.columns
        picture = self.image_root / of.file_names[image].decode()
        path = picture.parents[1] / "masks" / f"{picture.stem}.png"
        shown = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        if shown is None or shown.shape != tuple(of.image_sizes[image].tolist()[::-1]):
            raise DataError(f"{path}: is no mask of {picture}; remove its shard to have it rendered again")
        hands = len(self.index.columns.crowd[self.index.rows_of(image)])
        if (strange := shown[(shown > hands) & (shown != FOREGROUND)]).size:
            mend = "remove its shard to have it rendered again"
            raise DataError(f"{path}: shows hand {strange[0]}, but {picture} has {hands}; {mend}")
        return np.asarray(shown)
