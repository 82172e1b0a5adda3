"""Hand photographs with machine-made joints, each with a measure of how far it can be trusted."""

from __future__ import annotations

import os
from collections.abc import Sequence

from handkit.datasets.index import open_index
from handkit.datasets.labels import GOOD_DISAGREEMENT
from handkit.datasets.reader import HandReader, Unlabelled
from handkit.registry import DATASETS


@DATASETS.register_module()
class HandPhotos(HandReader):
    """One sample per trusted hand; `handkit.datasets.layouts` describes the file (``handphotos``).

    An image without a labelled hand is no sample, and no negative either: that no hand was found does not say that
    there is none. For negatives see `handkit.datasets.NegativePhotos`, to draw evenly from the sources
    `handkit.datasets.SourceBalance`.

    Args:
        ann_file: the JSON.
        image_root: the folder that `file_name` is relative to; None: ``images`` beside the JSON.
        max_disagreement: hands whose `flip_disagreement`, in shares of the hand, is not below it are left out; None
            keeps all.
        sources: only images of these sources; None takes all.
        unlabelled: 'error' refuses a file with a hand that has no joint in the frame, 'skip' leaves such hands out.

    Raises:
        DataError: see `handkit.datasets.index.open_index`; an unusable hand; an unknown source; no hand is left.
    """

    def __init__(
        self,
        ann_file: str | os.PathLike[str],
        image_root: str | os.PathLike[str] | None = None,
        max_disagreement: float | None = GOOD_DISAGREEMENT,
        sources: Sequence[str] | None = None,
        unlabelled: Unlabelled = "error",
    ) -> None:
        index = open_index(ann_file, "handphotos")
        super().__init__(index, image_root, "joints", unlabelled, max_disagreement, sources)
