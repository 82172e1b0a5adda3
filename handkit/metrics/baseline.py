"""What a score is worth: that of a guess which never looks at the picture."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from handkit.canonical import bone_length
from handkit.datasets.labels import HandLabels
from handkit.errors import DataError
from handkit.metrics.samples import HandSamples
from handkit.transforms.base import Sample

Array = NDArray[Any]


class LabelledHands(Protocol):
    """A data set that tells its labels without their pictures, as the readers and `HandSynth` do."""

    def __len__(self) -> int:
        """How many samples it has."""
        ...

    def hands(self, index: int) -> HandLabels:
        """The labels of one sample."""
        ...

    def __getitem__(self, index: int) -> Sample:
        """The sample itself, which holds `xyz_cam` in a data set in 3D."""
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


def mean_pose_samples(
    train: LabelledHands, test: LabelledHands, limit: int = 1000, spatial: bool = False
) -> HandSamples:
    """The hands of `test`, each predicted as the mean pose of `train` in its box; any metric can reduce them.

    In space the guess is the mean of the hands relative to their wrists as the pictures show them, which of all guesses
    has the least squared error. Where hands are turned every way it has no hand's shape, so that its error after
    Procrustes' alignment says little.

    Args:
        train: where the mean pose is taken from.
        test: the hands that are predicted.
        limit: of each part as many hands, spread evenly over it, are enough.
        spatial: guess ``xyz_root`` and ``xyz_bone`` too, where both data sets have `xyz_cam`.

    Raises:
        DataError: one of them has no hands.
    """
    pose = mean_pose(*_labels(train, limit))
    keypoints, visible, boxes = _labels(test, limit)
    count = len(boxes)
    labelled, guessed = _spatial(train, test, limit, count) if spatial else ({}, {})
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
        labelled_3d=labelled,
        predicted_3d=guessed,
    )


def _spatial(
    train: LabelledHands, test: LabelledHands, limit: int, count: int
) -> tuple[dict[str, Array], dict[str, Array]]:
    """The labelled joints in space of `count` hands, and what is guessed of them; nothing where one has none."""
    known, asked = (_roots(dataset, limit) for dataset in (train, test))
    if known is None or asked is None:
        return {}, {}
    known = known[np.isfinite(known).all((1, 2))]
    if not len(known):
        return {}, {}
    means = {"xyz_root": known.mean(0), "xyz_bone": (known / bone_length(known)[:, None, None]).mean(0)}
    return {"xyz_root": asked}, {name: np.tile(pose, (count, 1, 1)) for name, pose in means.items()}


def _roots(dataset: LabelledHands, limit: int) -> Array | None:
    """(N, K, 3) joints relative to the wrist of at most `limit` samples; None where one has no `xyz_cam`."""
    samples = (dataset[index] for index in _chosen(dataset, limit))
    hands = [np.asarray(sample["xyz_cam"], np.float64) if "xyz_cam" in sample else None for sample in samples]
    known = [hand for hand in hands if hand is not None]
    return np.stack([hand - hand[:1] for hand in known]) if len(known) == len(hands) else None


def _chosen(dataset: LabelledHands, limit: int) -> list[int]:
    """At most `limit` samples, spread evenly."""
    places = np.linspace(0, len(dataset) - 1, min(limit, len(dataset))).round()
    return [int(place) for place in np.unique(places)]


def _labels(dataset: LabelledHands, limit: int) -> tuple[Array, Array, Array]:
    """(N, K, 2) joints, (N, K) their visibility and (N, 4) boxes of at most `limit` samples."""
    if not len(dataset):
        raise DataError(f"the mean pose needs hands, but this {type(dataset).__name__} is empty")
    rows = [dataset.hands(index) for index in _chosen(dataset, limit)]
    names = ("keypoints", "visible", "boxes")
    keypoints, visible, boxes = (np.concatenate([getattr(row, name) for row in rows]) for name in names)
    return keypoints, visible, boxes
