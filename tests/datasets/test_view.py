"""Augmentation as a function of (seed, epoch, index)."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from handkit.datasets import CocoHands, HandPhotos, TrainingView, WeightedConcat
from handkit.transforms import LoadImage, TopDownAffine, TopDownGetRandomScaleRotation, TopDownRandomFlip


def draw(sample: dict[str, Any]) -> dict[str, Any]:
    return {**sample, "scale": sample["rng"].random()}


def scales(view: TrainingView) -> list[float]:
    return [view[index]["scale"] for index in range(len(view))]


@pytest.fixture
def view(files: Path) -> TrainingView:
    return TrainingView(CocoHands(files / "coco.json"), [draw], seed=5)


def test_a_sample_is_a_function_of_seed_epoch_and_index(view: TrainingView, files: Path) -> None:
    view.set_epoch(3)
    expected = [np.random.default_rng([5, 3, index]).random() for index in range(2)]
    assert scales(view) == expected
    assert [view[index]["scale"] for index in (-1, -2)] == expected[::-1]
    assert scales(pickle.loads(pickle.dumps(view))) == expected
    view.set_epoch(4)
    assert set(scales(view)).isdisjoint(expected)
    assert view[3, 1]["scale"] == expected[1]


def test_the_data_set_hears_of_the_epoch(files: Path) -> None:
    photos = HandPhotos(files / "handphotos.json", max_disagreement=None)
    view = TrainingView(WeightedConcat([photos], length=1), [])
    assert {view[epoch, 0]["sample_id"] for epoch in range(3)} == {photos[index]["sample_id"] for index in range(3)}


def test_transforms_leave_the_data_set_as_it_was(files: Path) -> None:
    reader = CocoHands(files / "coco.json")
    steps = [LoadImage(), TopDownRandomFlip(), TopDownGetRandomScaleRotation(), TopDownAffine((64, 64))]
    before = reader[0]
    view = TrainingView(reader, steps)
    first, again = view[0], view[0]
    np.testing.assert_array_equal(first["img"], again["img"])
    np.testing.assert_array_equal(first["keypoints"], again["keypoints"])
    assert first["img"].shape == (64, 64, 3)
    np.testing.assert_array_equal(before["keypoints"], reader[0]["keypoints"])


def test_places_outside_are_refused(view: TrainingView) -> None:
    with pytest.raises(IndexError, match="sample 2 of 2"):
        view[2]
