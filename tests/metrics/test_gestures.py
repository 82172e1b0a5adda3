"""GestureAccuracy: by hand, over photographs drawn several times, and its table."""

from __future__ import annotations

import numpy as np
import pytest

from handkit.errors import ConfigError
from handkit.metrics import EPE, GestureAccuracy, HandSamples
from handkit.metrics.gesture_samples import GestureSamples
from handkit.metrics.scores import score

GESTURES = GestureSamples(np.array([0, 0, 0, 1]), np.array([0, 0, 2, 1]), ("a", "b", "c"))


def test_over_hands_and_over_classes() -> None:
    samples = HandSamples.of_gestures(GESTURES)
    made = score([GestureAccuracy()], samples)
    assert made.values == {"gesture_accuracy": 0.75, "gesture_accuracy_class": pytest.approx((2 / 3 + 1) / 2)}
    assert made.counts == {"images": 4, "hands": 4}
    assert made.rows()[-3:] == ["a: 2 of 3; taken for c 1", "b: 1 of 1", "c: 0 of 0"]
    assert np.isnan(EPE().compute(samples)["EPE"])


def test_hands_of_one_photograph_are_drawn_together() -> None:
    samples = HandSamples.of_gestures(GESTURES).grouped(np.array([0, 1, 1, 2]))
    drawn = GestureAccuracy().resampled(samples, np.array([[1.0, 2, 0], [0, 0, 3]]))
    assert drawn["gesture_accuracy"].tolist() == [3 / 5, 1]


def test_parts_are_joined_and_others_refused() -> None:
    joined = HandSamples.concatenate([HandSamples.of_gestures(GESTURES)] * 2)
    assert joined.gestures is not None
    assert joined.gestures.confusion().tolist() == [[4, 0, 2], [0, 2, 0], [0, 0, 0]]
    with pytest.raises(ConfigError, match="task='gesture_classification'"):
        GestureAccuracy().compute(HandSamples.of_negatives([()]))
