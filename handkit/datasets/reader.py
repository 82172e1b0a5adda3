"""What the readers of COCO hands share: which hands of an index become samples, and what a sample holds."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from handkit.datasets.index import HandIndex, parse_index
from handkit.datasets.labels import GOOD_DISAGREEMENT, HandLabels, image_labels, picture_root
from handkit.errors import DataError, did_you_mean
from handkit.transforms.base import Sample

Array = NDArray[Any]
#: What happens to a hand without a joint in the frame, or without a box to crop: an error, or it is left out; with
#: 'keep' only those without a box are left out, for detectors.
Unlabelled = Literal["error", "skip", "keep"]
#: The box of a sample: handkit's, the joints' box x 1.15 clipped to the frame, or the file's own, clipped.
BoxKind = Literal["joints", "annotated"]

_RIGHT = np.array([0, 1, np.nan], np.float32)  # by the index's side: 0 left, 1 right, -1 unknown


class HandReader:
    """One sample per usable hand of an annotation file; crowd regions are left out.

    Samples hold no pixels yet, `LoadImage` reads them: `source`, `name`, `image_size`, `box`, `keypoints`, `visible`,
    `right`, `hand` and `sample_id`, and in 3D data sets `xyz_cam` and `camera`, as
    `handkit.transforms.base.SAMPLE_KEYS` explains them.

    A reader pickles as the path of its index and its settings, so that worker processes share one memory.

    Args:
        index: of the annotation file.
        image_root: the folder that `file_name` is relative to; None takes the layout's own.
        box: which box a sample gets.
        unlabelled: what happens to hands that nothing can be learnt from.
        max_disagreement: hands whose labels disagree by as much are left out; None keeps all.
        sources: only images collected there; None takes all.

    Raises:
        DataError: an unusable hand, an unknown source, or no hand is left.
    """

    #: The boxes that the constructor takes.
    boxes_of: ClassVar[tuple[str, ...]] = get_args(BoxKind)

    def __init__(
        self,
        index: HandIndex,
        image_root: str | os.PathLike[str] | None = None,
        box: str = "joints",
        unlabelled: Unlabelled = "error",
        max_disagreement: float | None = None,
        sources: Sequence[str] | None = None,
    ) -> None:
        for name, value, allowed in (("box", box, self.boxes_of), ("unlabelled", unlabelled, get_args(Unlabelled))):
            if value not in allowed:
                wanted = " or ".join(map(repr, allowed))
                raise DataError(f"{type(self).__name__}: {name} must be {wanted}, not {value!r}")
        self.index = index
        self.image_root = picture_root(index, image_root)
        self.box = box
        self.unlabelled = unlabelled
        self.max_disagreement = max_disagreement
        self.sources = None if sources is None else tuple(sources)
        self._rows = self._select()

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: int) -> Sample:
        """Sample `index`, without its pixels."""
        row = self._row(index)
        of, image = self.index.columns, self.index.image_of(row)
        path = str(self.image_root / of.file_names[image].decode())
        sample_id = f"{self.index.path.name}: {self.index.place(row)}"
        sample: Sample = {
            "source": path,
            "name": f"{path} ({sample_id})",
            "sample_id": sample_id,
            "image_size": tuple(of.image_sizes[image].tolist()),
            "box": np.array(self.boxes[row]),
            "keypoints": np.array(of.keypoints[row]),
            "visible": np.array(of.visible[row]),
            "right": _RIGHT[of.sides[row]],
            "hand": np.float32(1),
        }
        if len(of.xyz_cam):
            sample |= {"xyz_cam": np.array(of.xyz_cam[row]), "camera": np.array(of.camera[image])}
        return sample

    def hands(self, index: int) -> HandLabels:
        """The labels of sample `index` alone, with the sample's box."""
        row = self._row(index)
        return self._labels(int(self.index.image_of(row)), [row])

    def image_labels(self) -> list[HandLabels]:
        """Per image, in the file's order, the labels of all its hands; where sources are chosen, of their images.

        Hands that are no sample are among them: `HandLabels.good` and `ignored` say why.
        """
        return [self._labels(int(image), None) for image in np.flatnonzero(self.chosen_images())]

    @staticmethod
    def of_file(path: str | os.PathLike[str], good_only: bool = False) -> HandReader:
        """All hands with a joint in the frame of a COCO keypoint JSON, whichever its layout (it is told by its fields).

        Args:
            path: the JSON.
            good_only: leave out hands whose labels the file itself gives reason to doubt.

        Raises:
            DataError: see `handkit.datasets.index.parse_index`; no hand is left.
        """
        return HandReader(
            parse_index(path, None), unlabelled="skip", max_disagreement=GOOD_DISAGREEMENT if good_only else None
        )

    def groups(self) -> dict[str, Array]:
        """The samples of each source, by its name, as indices; those of images that name none under ''."""
        codes = self.index.columns.sources[self.index.image_of(self._rows)]
        return {name.decode(): np.flatnonzero(codes == name) for name in np.unique(codes)}

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_rows": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._rows = self._select()

    @property
    def rows(self) -> Array:
        """(N,) the rows of the index that are samples."""
        return self._rows

    @property
    def boxes(self) -> Array:
        """(H, 4) xyxy of every hand of the index, samples or not, by the reader's choice of `box`; NaN where absent."""
        of = self.index.columns
        return of.boxes if self.box == "joints" else of.annotated_boxes

    @property
    def doubted(self) -> Array:
        """(H,) bool of every hand of the index: a crowd region, or labels that disagree too much."""
        of = self.index.columns
        limit = np.inf if self.max_disagreement is None else self.max_disagreement
        doubted: Array = of.crowd | (of.disagreement >= limit)
        return doubted

    def image_mask(self, image: int) -> Array | None:
        """(H, W) uint8 `mask` of a whole image, by its number in the index; None where the data have none."""
        return None

    def _row(self, index: int) -> int:
        if not -len(self) <= index < len(self):
            raise IndexError(f"sample {index} of {len(self)}")
        return int(self._rows[index])

    def _labels(self, image: int, rows: Sequence[int] | None) -> HandLabels:
        limit = np.inf if self.max_disagreement is None else self.max_disagreement
        labels = image_labels(self.index, image, self.image_root, rows, limit)
        if self.box == "joints":
            return labels
        boxes = self.boxes[self.index.rows_of(image) if rows is None else rows].astype(np.float64)
        return replace(labels, boxes=np.where(np.isnan(boxes), labels.boxes, boxes))

    def chosen_images(self) -> Array:
        """(I,) bool: the images that were collected where `sources` says."""
        names = self.index.columns.sources
        if self.sources is None:
            return np.ones(len(names), bool)
        known = {name.decode() for name in np.unique(names)}
        for source in self.sources:
            if source not in known:
                known_ones = did_you_mean(source, known)
                raise DataError(f"{self.index.path}: no image is of the source {source!r}; {known_ones}")
        return np.isin(names, [source.encode() for source in self.sources])

    def _select(self) -> Array:
        """The rows of the index that are samples."""
        of, box = self.index.columns, self.boxes
        wanted = np.repeat(self.chosen_images(), np.diff(of.first_hands)) & ~self.doubted
        blank = ~(of.visible > 0).any(-1)
        flat = ~((box[:, 2:] - box[:, :2]) > 0).all(-1)
        if self.unlabelled == "keep":
            blank = np.zeros_like(blank)
        if self.unlabelled == "error":
            self._refuse(np.flatnonzero(wanted & blank), "no joint is labelled inside the frame")
            self._refuse(np.flatnonzero(wanted & flat), f"there is no box to crop (box={self.box!r})")
        rows: Array = np.flatnonzero(wanted & ~blank & ~flat)
        if not len(rows):
            raise DataError(
                f"{self.index.path}: no usable hand among {self.index.images} images with {len(self.index)} hands: "
                f"{int(of.crowd.sum())} are crowd regions, {int(blank.sum())} have no joint in the frame, "
                f"{int(flat.sum())} no box, and the others are left out by max_disagreement={self.max_disagreement} or "
                f"sources={self.sources}"
            )
        return rows

    def _refuse(self, rows: Array, problem: str) -> None:
        """Raises if there is a row, naming the first."""
        if len(rows):
            more = f" (and of {len(rows) - 1} more hands)" if len(rows) > 1 else ""
            place = self.index.place(int(rows[0]))
            raise DataError(f"{self.index.path}: {place}{more}: {problem}; mend the file or pass unlabelled='skip'")
