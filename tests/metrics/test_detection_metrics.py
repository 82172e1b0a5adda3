"""Recall, false hands, and sides."""

from __future__ import annotations

import math

import numpy as np
import pytest

from handkit.detections import Detections
from handkit.hands import Hands
from handkit.metrics import DetectionRecall, FalseHandsPerImage, HandednessAccuracy, HandSamples


def samples(found: list[bool], sides: list, predicted_sides: list, unmatched: list[int]) -> HandSamples:
    count = len(found)
    return HandSamples(
        labels=np.zeros((count, 21, 2)),
        visible=np.ones((count, 21)),
        boxes=np.ones((count, 4)),
        sides=tuple(sides),
        predicted=np.zeros((count, 21, 2)),
        predicted_sides=tuple(predicted_sides),
        found=np.array(found, bool),
        images=np.zeros(count, int),
        unmatched=np.array(unmatched, int),
    )


def test_recall_and_false_hands() -> None:
    three = samples([True, False, True], [None] * 3, [None] * 3, [0, 3])
    assert DetectionRecall().compute(three) == {"recall": pytest.approx(2 / 3)}
    assert FalseHandsPerImage().compute(three) == {"false_hands_per_image": 1.5}


def test_no_hands_and_no_images_are_not_measured() -> None:
    nothing = HandSamples.concatenate([])
    assert all(math.isnan(value) for value in DetectionRecall().compute(nothing).values())
    assert math.isnan(FalseHandsPerImage().compute(nothing)["false_hands_per_image"])
    assert math.isnan(HandednessAccuracy().compute(nothing)["handedness_accuracy"])


def test_on_pictures_without_hands_every_prediction_is_false() -> None:
    one = Hands(
        np.zeros((1, 21, 2)), np.ones((1, 21)), np.ones((1, 4)), np.ones(1), ("left",), np.ones(1), image_size=(9, 9)
    )
    negatives = HandSamples.of_negatives([Hands.empty((9, 9)), one, one, Detections(np.ones((2, 4)), np.ones(2))])
    assert FalseHandsPerImage().compute(negatives) == {"false_hands_per_image": 1.0}


def test_sides_are_measured_on_found_hands_of_known_side() -> None:
    hands = samples(
        [True, True, True, True, False],
        ["left", "right", "left", None, "right"],
        ["left", "left", None, "left", None],
        [0],
    )
    assert HandednessAccuracy().compute(hands) == {"handedness_accuracy": pytest.approx(1 / 3)}


@pytest.mark.parametrize(
    ("predicted", "labelled", "expected"),
    [
        ([None, None], ["left", "right"], math.nan),
        (["left"], [None], math.nan),
        (["left", None], ["left", "right"], 0.5),
        ([None, "left"], ["left", None], math.nan),
    ],
)
def test_a_model_that_tells_no_side_is_not_measured(predicted: list, labelled: list, expected: float) -> None:
    hands = samples([True] * len(labelled), labelled, predicted, [0])
    assert HandednessAccuracy().compute(hands)["handedness_accuracy"] == pytest.approx(expected, nan_ok=True)
