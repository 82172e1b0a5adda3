"""Recall with its interval, false hands, and sides."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from handkit.hands import Hands
from handkit.metrics import DetectionRecall, FalseHandsPerImage, HandednessAccuracy, HandSamples
from handkit.metrics.detection import wilson_interval
from handkit.metrics.handedness import handedness_accuracy


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
        unmatched=np.array(unmatched, int),
    )


def test_recall_and_false_hands() -> None:
    three = samples([True, False, True], [None] * 3, [None] * 3, [0, 3])
    got = DetectionRecall().compute(three)
    assert got["recall"] == pytest.approx(2 / 3)
    assert (got["recall_low"], got["recall_high"]) == wilson_interval(2, 3)
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
    negatives = HandSamples.of_negatives([Hands.empty((9, 9)), one, one, one[[0, 0]]])
    assert FalseHandsPerImage().compute(negatives) == {"false_hands_per_image": 1.0}


@given(total=st.integers(1, 5000), share=st.floats(0, 1), z=st.floats(0.5, 4))
def test_the_interval_holds_the_share_and_is_symmetric(total: int, share: float, z: float) -> None:
    hits = round(total * share)
    low, high = wilson_interval(hits, total, z)
    assert 0 <= low <= hits / total + 1e-12
    assert hits / total - 1e-12 <= high <= 1
    mirrored = wilson_interval(total - hits, total, z)
    assert mirrored == pytest.approx((1 - high, 1 - low), abs=1e-9)


def test_the_interval_solves_its_equation() -> None:
    # Wilson: the bounds p are where |hits / n - p| = z sqrt(p (1 - p) / n).
    for bound in wilson_interval(30, 41):
        assert abs(30 / 41 - bound) == pytest.approx(1.96 * math.sqrt(bound * (1 - bound) / 41))


def test_sides_are_measured_on_found_hands_of_known_side() -> None:
    hands = samples(
        [True, True, True, True, False],
        ["left", "right", "left", None, "right"],
        ["left", "left", None, "left", None],
        [0],
    )
    assert HandednessAccuracy().compute(hands) == {"handedness_accuracy": pytest.approx(1 / 3)}


def test_a_model_that_tells_no_side_is_not_measured() -> None:
    assert math.isnan(handedness_accuracy([None, None], ["left", "right"]))
    assert math.isnan(handedness_accuracy(["left"], [None]))
    assert handedness_accuracy(["left", None], ["left", "right"]) == 0.5
