"""Finger states, pinches and gestures of rendered hands whose pose is known."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

from handkit.datasets.synthetic.gesture_joints import GESTURE_POSES, gesture_joints
from handkit.errors import CheckpointError, ConfigError, DataError
from handkit.gestures import FingerRules, GestureClassifier, GestureWeights, hand_features
from handkit.gestures.fingers import palm_length

EXTENDED = {"one": "F", "two": "FM", "three": "TFM", "four": "FMRP", "five": "TFMRP", "fist": "", "gun": "TF"}


@cache
def hands() -> tuple[Any, Any]:
    return gesture_joints(6, seed=7, source="capsule")


def of(gesture: str) -> Any:
    points, labels = hands()
    return points[labels == list(GESTURE_POSES).index(gesture)]


@pytest.mark.parametrize("gesture", EXTENDED)
def test_fingers_are_extended_as_the_gesture_says(gesture: str) -> None:
    states = FingerRules().states(of(gesture))
    shown = ["".join(n for n, state in zip("TFMRP", row, strict=True) if state == "extended") for row in states]
    fingers = [word.replace("T", "") == EXTENDED[gesture].replace("T", "") for word in shown]
    assert np.mean(fingers) >= 0.66, shown


def test_tips_that_meet_pinch() -> None:
    open_hands = of("five").astype(float)
    assert not FingerRules().pinches(open_hands).any()
    for apart, meets in ((0.2, True), (0.3, False)):
        points = open_hands.copy()
        points[:, 4] = points[:, 8] + apart * palm_length(points)[:, None] * np.array([0.6, 0.8])
        assert (FingerRules().pinches(points) == meets).all()


def test_states_do_not_depend_on_place_size_turn_or_mirror() -> None:
    points, _ = hands()
    turned = points @ np.array([[0.0, 3], [-3, 0]]) * (-1, 1) + 40
    np.testing.assert_array_equal(FingerRules().codes(turned), FingerRules().codes(points))


def test_features_forget_place_size_side_and_if_asked_the_turn() -> None:
    points, _ = hands()
    moved = points * (-2, 2) + 30
    np.testing.assert_allclose(hand_features(moved), hand_features(points), atol=1e-4)
    turned = points @ np.array([[0.0, 1], [-1, 0]])
    np.testing.assert_allclose(hand_features(turned), hand_features(points), atol=1e-4)
    assert np.abs(hand_features(turned, upright=False) - hand_features(points, upright=False)).max() > 0.5
    mirrored = hand_features(points * (-1, 1), upright=False)
    np.testing.assert_allclose(mirrored, hand_features(points, upright=False), atol=1e-5)


def test_the_classifier_in_the_package_knows_hands_it_has_not_seen() -> None:
    points, labels = hands()
    classifier = GestureClassifier()
    assert classifier.classes == tuple(GESTURE_POSES)
    assert (classifier.probabilities(points).argmax(1) == labels).mean() > 0.85
    names, scores = classifier(points)
    assert all((name is None) == (score < 0.5) for name, score in zip(names, scores, strict=True))
    assert classifier(points[:0])[0] == ()


def test_mistakes_are_refused(tmp_path: Any) -> None:
    with pytest.raises(DataError, match=r"\(N, 21, 2\)"):
        GestureClassifier()(np.zeros((1, 20, 2)))
    with pytest.raises(DataError, match="fingers need joints"):
        FingerRules().codes(np.zeros((21, 2)))
    for rule in (FingerRules().codes, FingerRules().states, FingerRules().pinches):
        with pytest.raises(DataError, match="some are not finite"):
            rule(np.full((1, 21, 3), np.nan))
    with pytest.raises(ConfigError, match="threshold"):
        GestureClassifier(threshold=2)
    (tmp_path / "no.safetensors").write_bytes(b"no")
    with pytest.raises(CheckpointError, match="cannot be read"):
        GestureClassifier(str(tmp_path / "no.safetensors"))
    with pytest.raises(CheckpointError, match="no weights of 1 gestures"):
        GestureWeights(("a",), True, {})
