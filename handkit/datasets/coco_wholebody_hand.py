"""The hands of COCO-WholeBody: Jin et al., Whole-Body Human Pose Estimation in the Wild, ECCV 2020."""

from __future__ import annotations

import os

from handkit.datasets.index import open_index
from handkit.datasets.reader import BoxKind, HandReader, Unlabelled
from handkit.registry import DATASETS


@DATASETS.register_module()
class CocoWholeBodyHand(HandReader):
    """One sample per valid hand of each person, left before right; crowds of people are left out.

    Against mmpose's data set of the same annotation: the side is kept, and the box is clipped to the frame. A joint
    whose v is a fraction is labelled (`visible` 1) as in mmpose's metrics; mmpose's training weighs it by min(1, v).

    Args:
        ann_file: ``coco_wholebody_train_v1.0.json`` or ``coco_wholebody_val_v1.0.json``.
        image_root: the folder ``train2017`` or ``val2017`` of COCO; None: the JSON's own.
        box: 'annotated' for the file's `lefthand_box` and `righthand_box`, by which published numbers are normalised,
            or 'joints' for handkit's hand box.
        unlabelled: 'skip' leaves out hands without a joint in the frame or without a box, 'error' refuses the file.

    Raises:
        DataError: see `handkit.datasets.index.open_index`; an unusable hand; no hand is left.
    """

    def __init__(
        self,
        ann_file: str | os.PathLike[str],
        image_root: str | os.PathLike[str] | None = None,
        box: BoxKind = "annotated",
        unlabelled: Unlabelled = "skip",
    ) -> None:
        super().__init__(open_index(ann_file, "coco_wholebody"), image_root, box, unlabelled)
