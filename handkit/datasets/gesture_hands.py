"""Hands of a known gesture by their joints alone, and the COCO keypoint JSON that holds them."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from handkit.datasets.columns import load_document
from handkit.errors import ConfigError, DataError
from handkit.files import write_json
from handkit.registry import DATASETS
from handkit.skeleton import HAND
from handkit.transforms.base import Sample

Array = NDArray[Any]
#: All hands, those to learn from, or those that are held out.
Part = Literal["all", "train", "val"]
#: Hands of a gesture below which there is nothing to learn and to test on.
LEAST_HANDS = 5


class GestureJoints:
    """What data sets of gestures give.

    Samples have `keypoints`, `gesture`, `class_weight` and `sample_id`, and no picture.

    Args:
        points: (N, 21, 2) joints in the picture.
        labels: (N,) indices into `classes`.
        names: N, of the samples.
        classes: the gestures' names.
    """

    def __init__(self, points: Array, labels: Array, names: Sequence[str], classes: Sequence[str]) -> None:
        self.classes = tuple(classes)
        self._points = np.asarray(points, np.float32)
        self._labels = np.asarray(labels, np.int64)
        self._names = list(names)
        counts = np.bincount(self._labels, minlength=len(self.classes))
        shares = len(self._labels) / (np.count_nonzero(counts) * np.maximum(counts, 1))
        self._weights = shares.astype(np.float32)

    def __len__(self) -> int:
        return len(self._labels)

    def __getitem__(self, index: int) -> Sample:
        """A hand."""
        label = self._labels[index]
        return {
            "keypoints": self._points[index].copy(),
            "gesture": label,
            "class_weight": self._weights[label],
            "sample_id": self._names[index],
        }


@DATASETS.register_module()
class GestureHands(GestureJoints):
    """A COCO keypoint JSON whose `categories` are gestures, as `handkit gesture train DIR` writes it of photographs.

    See `GestureJoints` for its samples, and `write_gestures` for the file. No photograph is opened.

    Args:
        ann_file: the JSON.
        classes: the gestures in the network's order; every hand must be of one of them.
        part: 'all' hands, those to learn from ('train'), or those that are held out ('val').
        held_out: share of each gesture's hands that is held out, at least one.
        seed: another seed, other hands are held out.

    Raises:
        ConfigError: fewer than two classes, or another part or share.
        DataError: the file cannot be read, is another one, or holds a gesture beside `classes`; fewer hands of a
            gesture than `LEAST_HANDS`, where they are parted.
    """

    def __init__(
        self,
        ann_file: str | os.PathLike[str],
        classes: Sequence[str],
        part: Part = "all",
        held_out: float = 0.2,
        seed: int = 0,
    ) -> None:
        points, gestures, names = read_gestures(ann_file)
        strange = sorted(set(gestures) - set(classes))
        if strange:
            raise DataError(f"{ann_file}: has hands of {', '.join(strange)}, but classes are {', '.join(classes)}")
        labels = np.array([tuple(classes).index(gesture) for gesture in gestures], np.int64)
        rows = part_rows(labels, classes, part, held_out, seed)
        super().__init__(points[rows], labels[rows], [names[row] for row in rows], classes)


def part_rows(labels: Array, classes: Sequence[str], part: Part, held_out: float, seed: int) -> Array:
    """Which of N hands belong to a part: of each class the same share is held out, at least one hand.

    Args:
        labels: (N,) indices into `classes`.
        classes: the gestures' names.
        part: see `GestureHands`.
        held_out: likewise.
        seed: likewise.

    Raises:
        ConfigError: fewer than two classes or one twice, or another part or share.
        DataError: a class with fewer than `LEAST_HANDS` hands, where they are parted.
    """
    if len(classes) < 2 or len(set(classes)) < len(classes):
        raise ConfigError(f"a classifier tells two or more gestures apart, each named once, got {list(classes)}")
    if part not in ("all", "train", "val") or not 0 < held_out < 1:
        raise ConfigError(f"part must be 'all', 'train' or 'val', and held_out in (0, 1), got {part!r} and {held_out}")
    if part == "all":
        return np.arange(len(labels))
    counts = np.bincount(labels, minlength=len(classes))
    few = [f"{name} has {count}" for name, count in zip(classes, counts, strict=True) if count < LEAST_HANDS]
    if few:
        raise DataError(f"a gesture needs {LEAST_HANDS} hands or more to learn and to test: {', '.join(few)}")
    rng, tested = np.random.default_rng(seed), np.zeros(len(labels), bool)
    for label in range(len(classes)):
        rows = rng.permutation(np.flatnonzero(labels == label))
        tested[rows[: max(1, round(held_out * len(rows)))]] = True
    return np.flatnonzero(tested == (part == "val"))


def read_gestures(path: str | os.PathLike[str]) -> tuple[Array, list[str], list[str]]:
    """The (N, 21, 2) joints of a file that `write_gestures` wrote, the N gestures, and the N photographs.

    Raises:
        DataError: it cannot be read, or breaks its form; the message names the record.
    """
    where = os.fspath(path)
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise DataError(f"{where}: cannot be read: {error.strerror or error}") from None
    document = load_document(data, where)
    try:
        gestures = {row["id"]: str(row["name"]) for row in json.loads(data)["categories"]}
        files = {row["id"]: str(row["file_name"]) for row in document.images}
    except (KeyError, TypeError):
        raise DataError(f"{where}: categories need an id and a name, images an id and a file_name") from None
    points, names, kinds = [], [], []
    for row in document.annotations:
        name = f"{where}: annotation {row.get('id')!r}"
        try:
            joints = np.array(row["keypoints"], np.float64).reshape(21, 3)
            kinds.append(gestures[row["category_id"]])
            names.append(files[row["image_id"]])
        except (KeyError, TypeError, ValueError):
            raise DataError(f"{name}: needs 63 numbers as keypoints, and a category and an image of the file") from None
        if not np.isfinite(joints).all() or (joints[:, 2] == 0).any():
            raise DataError(f"{name}: a gesture is told by all 21 joints, and some are not labelled")
        points.append(joints[:, :2])
    if not points:
        raise DataError(f"{where}: holds no hands")
    return np.array(points), kinds, names


def write_gestures(
    path: str | os.PathLike[str],
    points: Array,
    gestures: Sequence[str],
    files: Sequence[str],
    sizes: Sequence[tuple[int, int]],
) -> None:
    """Writes a COCO keypoint JSON, which `CocoHands` reads too, with one category per gesture.

    Args:
        path: the file to be.
        points: (N, 21, 2) pixels, an integer being a pixel's centre.
        gestures: N names.
        files: N photographs, one for each hand, relative to the folder of `path`.
        sizes: their N (width, height).
    """
    classes = sorted(set(gestures))
    images = [
        {"id": row, "file_name": name, "width": width, "height": height}
        for row, (name, (width, height)) in enumerate(zip(files, sizes, strict=True), 1)
    ]
    joints = np.concatenate([np.round(points, 2), np.full((*points.shape[:2], 1), 2)], -1).reshape(len(points), -1)
    annotations = [
        {
            "id": row,
            "image_id": row,
            "category_id": classes.index(gesture) + 1,
            "keypoints": values,
            "num_keypoints": 21,
        }
        for row, (gesture, values) in enumerate(zip(gestures, joints.tolist(), strict=True), 1)
    ]
    categories = [{"id": row, "name": name, "keypoints": list(HAND.joints)} for row, name in enumerate(classes, 1)]
    info = {"handkit_layout": "coco"}
    write_json(path, {"info": info, "categories": categories, "images": images, "annotations": annotations})
