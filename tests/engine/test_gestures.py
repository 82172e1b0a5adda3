"""Training of gestures: it learns, repeats itself, and refuses what cannot be learnt."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from handkit.datasets.synthetic.gesture_joints import gesture_joints
from handkit.engine.gestures import GestureTraining, train_gestures
from handkit.errors import ConfigError, DataError
from handkit.gestures import GestureClassifier

POSES = {"open": ("open",), "closed": ("fist",)}
POINTS, LABELS = gesture_joints(15, source="capsule", poses=POSES)
SHORT = GestureTraining(epochs=15, hidden=8, batch_size=16, lr=2e-2)


def test_learns_and_is_the_same_from_its_file(tmp_path: Path) -> None:
    trained = train_gestures(POINTS, LABELS, tuple(POSES), SHORT)
    assert trained.accuracy >= 0.8
    assert trained.confusion.sum(1).tolist() == [3, 3]
    trained.weights.save(tmp_path / "g.safetensors")
    classifier = GestureClassifier(str(tmp_path / "g.safetensors"))
    assert (classifier.probabilities(POINTS).argmax(1) == LABELS).mean() > 0.9
    again = train_gestures(POINTS, LABELS, tuple(POSES), SHORT)
    assert all(np.array_equal(again.weights.arrays[name], value) for name, value in trained.weights.arrays.items())


def test_what_cannot_be_learnt_is_refused() -> None:
    with pytest.raises(DataError, match="at least two"):
        train_gestures(POINTS[:15], LABELS[:15], ("open",))
    with pytest.raises(DataError, match="closed has 2"):
        train_gestures(POINTS[:17], LABELS[:17], tuple(POSES))
    with pytest.raises(ConfigError, match="held_out"):
        GestureTraining(held_out=0)
