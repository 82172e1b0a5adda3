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
    """A data set whose samples are hands with `keypoints`, `visible` and `box`, and `xyz_cam` in a data set in 3D.

    Readers and `HandSynth` also have ``hands(index)``, their labels without the picture, which is asked first.
    """

    def __len__(self) -> int:
        """How many samples it has."""
        ...

    def __getitem__(self, index: int) -> Sample:
        """One sample."""
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
        DataError: one of them has no hands, or samples that are no single hands.
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
    known = known[np.isfinite(known).all((1, 2))]
    if not len(known) or len(asked) < count:
        return {}, {}
    means = {"xyz_root": known.mean(0), "xyz_bone": (known / bone_length(known)[:, None, None]).mean(0)}
    return {"xyz_root": asked}, {name: np.tile(pose, (count, 1, 1)) for name, pose in means.items()}


def _roots(dataset: LabelledHands, limit: int) -> Array:
    """(M, K, 3) joints relative to the wrist of those of at most `limit` samples that have `xyz_cam`."""
    samples = (dataset[index] for index in _chosen(dataset, limit))
    hands = [np.asarray(sample["xyz_cam"], np.float64) for sample in samples if "xyz_cam" in sample]
    return np.stack([hand - hand[:1] for hand in hands]) if hands else np.zeros((0, 1, 3))


def _chosen(dataset: LabelledHands, limit: int) -> list[int]:
    """At most `limit` samples, spread evenly."""
    places = np.linspace(0, len(dataset) - 1, min(limit, len(dataset))).round()
    return [int(place) for place in np.unique(places)]


def _labels(dataset: LabelledHands, limit: int) -> tuple[Array, Array, Array]:
    """(N, K, 2) joints, (N, K) their visibility and (N, 4) boxes of at most `limit` samples."""
    if not len(dataset):
        raise DataError(f"the mean pose needs hands, but this {type(dataset).__name__} is empty")
    rows = [_hands(dataset, index) for index in _chosen(dataset, limit)]
    keypoints, visible, boxes = (np.concatenate(column) for column in zip(*rows, strict=True))
    return keypoints, visible, boxes


def _hands(dataset: LabelledHands, index: int) -> tuple[Array, Array, Array]:
    """The same of one sample."""
    if hasattr(dataset, "hands"):
        labels: HandLabels = dataset.hands(index)
        return labels.keypoints, labels.visible, labels.boxes
    sample = dataset[index]
    names = ("keypoints", "visible", "box")
    if missing := [name for name in names if name not in sample]:
        raise DataError(
            f"the mean pose is one of single hands: {sample.get('sample_id', index)} of this {type(dataset).__name__} "
            f"has no {' and no '.join(missing)}"
        )
    keypoints, visible, box = (np.asarray(sample[name], np.float64)[None] for name in names)
    return keypoints, visible, box
