"""OneHand10K: Wang et al., Mask-Pose Cascaded CNN for 2D Hand Pose Estimation from Single Color Images, TCSVT 2019."""

from __future__ import annotations

import os

from handkit.datasets.index import open_index
from handkit.datasets.reader import BoxKind, HandReader, Unlabelled
from handkit.registry import DATASETS


@DATASETS.register_module()
class OneHand10K(HandReader):
    """One sample per photograph, which shows one hand; the file does not say which side.

    Joints that the file labels are `visible` 2, the others 0.

    Args:
        ann_file: mmpose's ``onehand10k_train.json`` or ``onehand10k_test.json``.
        image_root: the folder that `file_name` is relative to; None: the JSON's own.
        box: 'joints' for handkit's hand box, or 'annotated' for the file's `bbox` around the hand's mask, by which
            published numbers are normalised.
        unlabelled: 'skip' leaves out hands without a joint in the frame or without a box, 'error' refuses the file.

    Raises:
        DataError: see `handkit.datasets.index.open_index`; an unusable hand; no hand is left.
    """

    def __init__(
        self,
        ann_file: str | os.PathLike[str],
        image_root: str | os.PathLike[str] | None = None,
        box: BoxKind = "joints",
        unlabelled: Unlabelled = "skip",
    ) -> None:
        super().__init__(open_index(ann_file, "onehand10k"), image_root, box, unlabelled)
