"""The joints of whole images, labelled and predicted, paired by COCO's rules for keypoints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from handkit.metrics.coco_evaluation import CocoEvaluation, records
from handkit.metrics.coco_samples import CocoSamples
from handkit.skeleton import HAND

Array = NDArray[Any]
#: So many predictions of an image count, those of best score, as in COCO's protocol for keypoints.
MAX_POSES = 20


@dataclass(frozen=True, eq=False)
class PoseSamples(CocoSamples):
    """N labelled and P predicted hands of I images; pixels of the original image.

    Args:
        labels: (N, K, 2) joints.
        visible: (N, K), 0 where a joint is not labelled.
        boxes: (N, 4) xyxy; their areas are the squared scales of the object keypoint similarity.
        ignored: (N,) bool: COCO's crowd. Who finds one makes no error, who misses one neither.
        label_images: (N,) the image of each, 0 .. I - 1.
        predicted: (P, K, 2) joints.
        scores: (P,) by which predictions are sorted.
        predicted_images: (P,) the image of each.
        images: I.

    Raises:
        DataError: columns that disagree in length.
    """

    label_columns: ClassVar = ("labels", "visible", "boxes", "ignored", "label_images")
    prediction_columns: ClassVar = ("predicted", "scores", "predicted_images")

    labels: Array
    visible: Array
    boxes: Array
    ignored: Array
    label_images: Array
    predicted: Array
    scores: Array
    predicted_images: Array
    images: int

    def grouped(self, images: Array) -> PoseSamples:
        """The same hands, where several of the I images are one; `images` (I,) are their new numbers."""
        return replace(
            self,
            label_images=images[self.label_images],
            predicted_images=images[self.predicted_images],
            images=int(images.max(initial=-1)) + 1,
        )

    @cached_property
    def evaluation(self) -> CocoEvaluation:
        """See `CocoSamples`; similarities are those of COCO-WholeBody's sigmas for K = 21 hand joints."""
        flags = np.where(self.visible > 0, 2, 0)
        columns: dict[str, Sequence[Any]] = {
            "iscrowd": self.ignored.astype(int).tolist(),
            "keypoints": _triplets(self.labels, flags),
            "num_keypoints": (flags > 0).sum(-1).tolist(),
        }
        labels = records(self.boxes, self.label_images, columns)
        # A joint that is no number lies nowhere near its label.
        joints = np.nan_to_num(self.predicted, nan=_FAR, posinf=_FAR, neginf=-_FAR)
        boxes = np.concatenate([joints.min(1), joints.max(1)], 1) if len(joints) else np.zeros((0, 4))
        columns = {"score": self.scores.tolist(), "keypoints": _triplets(joints, np.ones(joints.shape[:2]))}
        predictions = records(boxes, self.predicted_images, columns)
        return CocoEvaluation(labels, predictions, self.images, "keypoints", MAX_POSES, HAND.sigmas)


_FAR = 1e7


def _triplets(points: Array, flags: Array) -> list[list[float]]:
    """(N, K, 2) and (N, K) -> COCO's flat x, y, v."""
    triplets = np.concatenate([points, flags[..., None]], -1).astype(np.float64)
    return [row.ravel().tolist() for row in triplets]
