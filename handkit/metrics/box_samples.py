"""The boxes of whole images, labelled and predicted, paired by COCO's rules."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from handkit.metrics.coco_evaluation import CocoEvaluation, records
from handkit.metrics.coco_samples import CocoSamples

Array = NDArray[Any]
#: So many predictions of an image count, those of best score.
MAX_DETECTIONS = 100


@dataclass(frozen=True, eq=False)
class BoxSamples(CocoSamples):
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

    label_columns: ClassVar = ("labels", "ignored", "label_images")
    prediction_columns: ClassVar = ("predicted", "scores", "predicted_images")

    labels: Array
    ignored: Array
    label_images: Array
    predicted: Array
    scores: Array
    predicted_images: Array
    images: int

    @classmethod
    def of_image(cls, labels: Array, ignored: Array, predicted: Array, scores: Array) -> BoxSamples:
        """The boxes of one image; arguments as in the class."""
        return cls(labels, ignored, np.zeros(len(labels), int), predicted, scores, np.zeros(len(scores), int), 1)

    @cached_property
    def evaluation(self) -> CocoEvaluation:
        """See `CocoSamples`."""
        labels = records(self.labels, self.label_images, {"iscrowd": self.ignored.astype(int).tolist()})
        predictions = records(self.predicted, self.predicted_images, {"score": self.scores.tolist()})
        return CocoEvaluation(labels, predictions, self.images, "bbox", MAX_DETECTIONS)
