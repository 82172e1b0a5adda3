"""InterHand2.6M: Moon et al., A Dataset and Baseline for 3D Interacting Hand Pose Estimation, ECCV 2020."""

from __future__ import annotations

import os

from handkit.datasets.index import open_index
from handkit.datasets.reader import HandReader, Unlabelled
from handkit.registry import DATASETS


@DATASETS.register_module()
class InterHand26M(HandReader):
    """One sample per hand of a picture, right before left, with its side, `xyz_cam` and `camera`.

    `handkit.datasets.originals.interhand` describes the files. That a joint is hidden they do not say: valid ones are
    `visible` 2, the others 0 with NaN as `xyz_cam`. The box is handkit's; the file's own is around both hands.

    Against mmpose's data sets of the same annotation: each hand is a sample, in handkit's order of joints; joints of a
    hand whose wrist is not valid stay labelled; nothing is left out by `hand_type_valid`.

    Args:
        ann_file: ``InterHand2.6M_train_data.json`` or likewise; the ``*_camera.json`` and ``*_joint_3d.json`` lie
            beside it.
        image_root: the folder that `file_name` is relative to, as ``images/train``; None: the annotation file's own.
        unlabelled: 'skip' leaves out hands without a joint in the frame, 'error' refuses the files.

    Raises:
        DataError: see `handkit.datasets.index.open_index`; an unusable hand; no hand is left.
    """

    def __init__(
        self,
        ann_file: str | os.PathLike[str],
        image_root: str | os.PathLike[str] | None = None,
        unlabelled: Unlabelled = "skip",
    ) -> None:
        super().__init__(open_index(ann_file, "interhand"), image_root, "joints", unlabelled)
