"""The boxes of whole images, labelled and predicted, paired by COCO's rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from handkit.errors import DataError
from handkit.metrics.coco_evaluation import CocoEvaluation, records

Array = NDArray[Any]
#: So many predictions of an image count, those of best score.
MAX_DETECTIONS = 100


@dataclass(frozen=True, eq=False)
class BoxSamples:
    """N labelled and P predicted boxes of I images; xyxy, pixels of the original image.

    Args:
        labels: (N, 4).
        ignored: (N,) bool: COCO's crowd. Predictions that lie in one are neither right nor false, missing it is none.
        label_images: (N,) the image of each, 0 .. I - 1.
        predicted: (P, 4).
        scores: (P,) of the predicted boxes.
        predicted_images: (P,) the image of each.
        images: I.

    Raises:
        DataError: columns that disagree in length.
    """

    labels: Array
    ignored: Array
    label_images: Array
    predicted: Array
    scores: Array
    predicted_images: Array
    images: int

    def __post_init__(self) -> None:
        for names in (_LABELS, _PREDICTIONS):
            rows = {name: len(getattr(self, name)) for name in names}
            if len(set(rows.values())) > 1:
                raise DataError(f"BoxSamples needs as many rows in each of these columns, got {rows}")

    @classmethod
    def of_image(cls, labels: Array, ignored: Array, predicted: Array, scores: Array) -> BoxSamples:
        """The boxes of one image; arguments as in the class."""
        return cls(labels, ignored, np.zeros(len(labels), int), predicted, scores, np.zeros(len(scores), int), 1)

    @classmethod
    def concatenate(cls, parts: Sequence[BoxSamples]) -> BoxSamples:
        """Parts with images of their own, one after the other."""
        first = np.cumsum([0, *(part.images for part in parts)])
        columns = {name: np.concatenate([getattr(part, name) for part in parts]) for name in (*_LABELS, *_PREDICTIONS)}
        for name in ("label_images", "predicted_images"):
            columns[name] = np.concatenate(
                [getattr(part, name) + start for part, start in zip(parts, first[:-1], strict=True)]
            )
        return cls(**columns, images=int(first[-1]))

    def accumulate(self, images: Sequence[int]) -> tuple[Array, Array]:
        """COCO's numbers over a list of images, in which one may stand more than once.

        Returns:
            (10, 101) precision at recalls 0, 0.01 .. 1 and (10,) recall, for an intersection over union of 0.5, 0.55
            .. 0.95; NaN without a label that counts.
        """
        return self._evaluation.accumulate(images)

    @cached_property
    def _evaluation(self) -> CocoEvaluation:
        labels = records(self.labels, self.label_images, {"iscrowd": self.ignored.astype(int).tolist()})
        predictions = records(self.predicted, self.predicted_images, {"score": self.scores.tolist()})
        return CocoEvaluation(labels, predictions, self.images, "bbox", MAX_DETECTIONS)


_LABELS = ("labels", "ignored", "label_images")
_PREDICTIONS = ("predicted", "scores", "predicted_images")
