"""Plain COCO keypoint JSON with 21 joints, the format that people annotate in."""

from __future__ import annotations

import os

from handkit.datasets.index import open_index
from handkit.datasets.reader import BoxKind, HandReader, Unlabelled
from handkit.registry import DATASETS


@DATASETS.register_module()
class CocoHands(HandReader):
    """One sample per hand of a COCO keypoint JSON; `handkit.datasets.layouts` describes the file (``coco``).

    Args:
        ann_file: the JSON.
        image_root: the folder that `file_name` is relative to; None: the JSON's own.
        box: 'joints' for handkit's hand box, the joints' box x 1.15, or 'annotated' for the file's `bbox`; both are
            clipped to the frame.
        unlabelled: 'error' refuses a file with a hand that has no joint in the frame or no box, 'skip' leaves such
            hands out; 'keep' leaves out only those without a box: files of boxes alone, for `ImageBoxes`.

    Raises:
        DataError: see `handkit.datasets.index.open_index`; an unusable hand; no hand is left.
    """

    def __init__(
        self,
        ann_file: str | os.PathLike[str],
        image_root: str | os.PathLike[str] | None = None,
        box: BoxKind = "joints",
        unlabelled: Unlabelled = "error",
    ) -> None:
        super().__init__(open_index(ann_file, "coco"), image_root, box, unlabelled)
