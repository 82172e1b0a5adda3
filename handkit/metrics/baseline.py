"""What a score is worth: that of a guess which never looks at the picture."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from handkit.datasets.labels import HandLabels
from handkit.errors import DataError
from handkit.metrics.samples import HandSamples

Array = NDArray[Any]


class LabelledHands(Protocol):
    """A data set that tells its labels without their pictures, as the readers and `HandSynth` do."""

    def __len__(self) -> int:
        """How many samples it has."""
        ...

    def hands(self, index: int) -> HandLabels:
        """The labels of one sample."""
        ...


def mean_pose(keypoints: Array, visible: Array, boxes: Array) -> Array:
    """The mean place of every joint in its hand's box.

    Args:
        keypoints: (N, K, 2) pixels.
        visible: (N, K), 0 where a joint is not labelled.
        boxes: (N, 4) xyxy.

    Returns:
        (K, 2) in shares of the box from its upper left corner; the middle for a joint that is never labelled.
    """
    counted = (visible > 0) & (boxes[:, None, 2:] > boxes[:, None, :2]).all(-1)
    sides = np.where(counted[..., None], boxes[:, None, 2:] - boxes[:, None, :2], 1)
    places = np.where(counted[..., None], (keypoints - boxes[:, None, :2]) / sides, 0).sum(0)
    times = counted.sum(0)[:, None]
    return np.where(times > 0, places / np.maximum(times, 1), 0.5)


def mean_pose_samples(train: LabelledHands, test: LabelledHands, limit: int = 1000) -> HandSamples:
    """The hands of `test`, each predicted as the mean pose of `train` in its box; any metric can reduce them.

    Args:
        train: where the mean pose is taken from.
        test: the hands that are predicted.
        limit: of each part as many hands, spread evenly over it, are enough.

    Raises:
        DataError: one of them has no hands.
    """
    pose = mean_pose(*_labels(train, limit))
    keypoints, visible, boxes = _labels(test, limit)
    count = len(boxes)
    return HandSamples(
        labels=keypoints,
        visible=visible,
        boxes=boxes,
        sides=(None,) * count,
        predicted=boxes[:, None, :2] + pose * (boxes[:, None, 2:] - boxes[:, None, :2]),
        predicted_sides=(None,) * count,
        found=np.ones(count, bool),
        images=np.arange(count),
        unmatched=np.zeros(count, int),
    )


def _labels(dataset: LabelledHands, limit: int) -> tuple[Array, Array, Array]:
    """(N, K, 2) joints, (N, K) their visibility and (N, 4) boxes of at most `limit` samples."""
    if not len(dataset):
        raise DataError(f"the mean pose needs hands, but this {type(dataset).__name__} is empty")
    chosen = np.unique(np.linspace(0, len(dataset) - 1, min(limit, len(dataset))).round().astype(int))
    rows = [dataset.hands(int(index)) for index in chosen]
    names = ("keypoints", "visible", "boxes")
    keypoints, visible, boxes = (np.concatenate([getattr(row, name) for row in rows]) for name in names)
    return keypoints, visible, boxes
