"""The hand database of CMU Panoptic: Simon et al., Hand Keypoint Detection in Single Images using Multiview
Bootstrapping, CVPR 2017.
"""

from __future__ import annotations

import os

from handkit.datasets.index import open_index
from handkit.datasets.reader import BoxKind, HandReader, Unlabelled
from handkit.registry import DATASETS


@DATASETS.register_module()
class Panoptic(HandReader):
    """One sample per annotation; a picture with two labelled hands is in the data set twice, once for each.

    The name of a picture ends in ``_l`` or ``_r`` by the person's side where that is known. So that the other hand of a
    picture is not taught to be none, do not train detectors on it.

    Args:
        ann_file: mmpose's ``panoptic_train.json`` or ``panoptic_test.json``.
        image_root: the folder that `file_name` is relative to; None: the JSON's own.
        box: 'joints' for handkit's hand box, or 'annotated' for the file's `bbox`, tight around the joints.
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
        super().__init__(open_index(ann_file, "panoptic"), image_root, box, unlabelled)
