"""The Rendered Hand Pose data set: Zimmermann and Brox, Learning to Estimate 3D Hand Pose, ICCV 2017."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from handkit.datasets.index import open_index
from handkit.datasets.originals.rhd import LAST_PART, hand_mask, hands_mask
from handkit.datasets.reader import BoxKind, HandReader, Unlabelled
from handkit.errors import DataError
from handkit.registry import DATASETS
from handkit.transforms.base import Sample

Array = NDArray[Any]


@DATASETS.register_module()
class RHD(HandReader):
    """One sample per hand of a rendered person, with `xyz_cam`, `camera` and, if asked for, `mask`.

    The data set's own files have both hands of a person, and say which joints are hidden (`visible` 1); a hand of which
    no joint is seen is no sample. mmpose's files have the one that is seen best; a joint with v = 0 is not labelled
    there, as in mmpose. Either way the joints are brought from tips first into handkit's order.

    Args:
        ann_file: the data set's own ``anno_training.pickle`` or ``anno_evaluation.pickle``, of which nothing is run; or
            mmpose's ``rhd_train.json`` or ``rhd_test.json``.
        image_root: the folder that holds ``color``, of mmpose's files the one that `file_name` is relative to; None:
            the annotation file's own.
        box: 'joints' for handkit's hand box, or 'annotated' for the `bbox` of mmpose's files, tight around the joints.
        masks: give every sample its `mask`, from the folder ``mask`` beside the pictures' ``color``.
        unlabelled: 'skip' leaves out hands without a joint in the frame or without a box, 'error' refuses the file.

    Raises:
        DataError: see `handkit.datasets.index.open_index`; an unusable hand; no hand is left; at a sample, its mask
            cannot be read.
    """

    def __init__(
        self,
        ann_file: str | os.PathLike[str],
        image_root: str | os.PathLike[str] | None = None,
        box: BoxKind = "joints",
        masks: bool = False,
        unlabelled: Unlabelled = "skip",
    ) -> None:
        own = Path(ann_file).suffix in (".pickle", ".pkl")
        super().__init__(open_index(ann_file, "rhd_pickle" if own else "rhd"), image_root, box, unlabelled)
        self.masks = masks

    def __getitem__(self, index: int) -> Sample:
        """Sample `index`, without the picture's pixels but with the mask's."""
        sample = super().__getitem__(index)
        if not self.masks:
            return sample
        parts = self._parts(int(self.index.image_of(self._row(index))))
        return {**sample, "mask": hand_mask(parts, right=bool(sample["right"] == 1))}

    def image_mask(self, image: int) -> Array | None:
        """(H, W) uint8: 1 where either hand is seen, 2 on the rest of the person; None without `masks`."""
        return hands_mask(self._parts(image)) if self.masks else None

    def _parts(self, image: int) -> Array:
        """(H, W) the data set's own mask of a picture."""
        of = self.index.columns
        picture = self.image_root / of.file_names[image].decode()
        path = picture.parents[1] / "mask" / picture.name
        parts = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        if parts is None or parts.shape != tuple(of.image_sizes[image].tolist()[::-1]):
            raise DataError(f"{path}: is no mask of {picture}; put the folder mask there or pass masks=False")
        if parts.max() > LAST_PART:
            raise DataError(f"{path}: holds the label {parts.max()}, but RHD's end at {LAST_PART}; fetch the file anew")
        return np.asarray(parts)
