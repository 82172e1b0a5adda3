"""FreiHAND: Zimmermann et al., A Dataset for Markerless Capture of Hand Pose and Shape from Single RGB Images, 2019."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from handkit.datasets.index import open_index
from handkit.datasets.originals.freihand import SIZE
from handkit.datasets.reader import HandReader, Unlabelled
from handkit.registry import DATASETS

Array = NDArray[Any]
#: As `handkit.datasets.reader.BoxKind`, or the whole picture.
FreiHANDBox = Literal["joints", "annotated", "frame"]


@DATASETS.register_module()
class FreiHAND(HandReader):
    """One sample per picture, which shows one right hand of 224 x 224 pixels.

    The data set's own files give `xyz_cam` and `camera` too; `handkit.datasets.originals.freihand` describes them. That
    a joint is hidden, none of the files says: all are `visible` 2.

    Args:
        ann_file: ``training_xyz.json`` or, for the official evaluation, ``evaluation_xyz.json``, with the ``*_K.json``
            beside it; or mmpose's ``freihand_train.json``, ``freihand_val.json`` or ``freihand_test.json``, which are
            parts of the training pictures in 2D.
        image_root: the folder that holds ``training/rgb`` and ``evaluation/rgb``, of mmpose's files the one that
            `file_name` is relative to; None: the annotation file's own.
        box: 'joints' for handkit's hand box; 'annotated' for the `bbox` of mmpose's files; 'frame' for the whole
            picture (0, 0, 224, 224), by which published numbers of mmpose are normalised.
        sources: of the data set's own training pictures only these versions: 'gs' (green screen), 'hom', 'sample' and
            'auto' (other backgrounds); None takes all.
        unlabelled: 'skip' leaves out hands without a joint in the frame or without a box, 'error' refuses the file.

    Raises:
        DataError: see `handkit.datasets.index.open_index`; an unusable hand; an unknown source; no hand is left.
    """

    boxes_of = ("joints", "annotated", "frame")

    def __init__(
        self,
        ann_file: str | os.PathLike[str],
        image_root: str | os.PathLike[str] | None = None,
        box: FreiHANDBox = "joints",
        sources: Sequence[str] | None = None,
        unlabelled: Unlabelled = "skip",
    ) -> None:
        own = Path(ann_file).name.endswith("_xyz.json")
        index = open_index(ann_file, "freihand_xyz" if own else "freihand")
        super().__init__(index, image_root, box, unlabelled, sources=sources)

    @property
    def boxes(self) -> Array:
        """(H, 4) xyxy of every hand of the index, samples or not, by the reader's choice of `box`; NaN where absent."""
        if self.box == "frame":
            return np.broadcast_to(np.array([0, 0, SIZE, SIZE], np.float32), (len(self.index), 4))
        return super().boxes
