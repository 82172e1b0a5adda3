"""Gestures in the result, and photographs sorted by gesture."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from handkit.datasets.gesture_hands import read_gestures
from handkit.datasets.synthetic.gesture_joints import gesture_joints
from handkit.errors import ConfigError, DataError
from handkit.gestures import GestureClassifier
from handkit.hands import Hands
from handkit.pipelines import BadInput, pipeline
from handkit.pipelines.build import resolve_config
from handkit.pipelines.gestures import HandGestures, read_sorted, sorted_pictures
from handkit.pipelines.nets import used_nets

FIVE = gesture_joints(1, seed=2, source="capsule", poses={"five": ("spread",)})[0]
HANDS = Hands(FIVE, np.ones((1, 21)), np.array([[0, 0, 9, 9]]), np.ones(1), (None,), np.zeros(1), (256, 256))


def gestures(answer: Any) -> HandGestures:
    keypoints: Any = lambda inputs, boxes, **options: answer  # noqa: E731
    return HandGestures(keypoints, GestureClassifier())


def test_hands_are_named() -> None:
    named = gestures(HANDS)("a.jpg")
    assert named.gestures == ("five",)
    assert named[0].gestures == ("five",)
    assert named.to_dict()["gestures"] == ["five"]
    assert "gestures" not in HANDS.to_dict()
    assert named.mirrored().gestures == ("five",)


def test_lists_bad_inputs_and_no_hands_stay_what_they_are() -> None:
    bad = BadInput("b.jpg", "is no image")
    named = gestures([HANDS, bad, Hands.empty((5, 5))])(["a.jpg", "b.jpg", "c.jpg"])
    assert named[1] is bad
    assert named[2].gestures == ()
    assert [one.gestures for one in gestures(iter([HANDS]))(iter(["a.jpg"]))] == [("five",)]


def test_hands_refuse_names_that_do_not_fit() -> None:
    with pytest.raises(DataError, match=r"Hands\.gestures needs 1"):
        replace(HANDS, gestures=("one", "two"))


def folder(root: Path, **counts: int) -> Path:
    for name, count in counts.items():
        (root / name).mkdir()
        for number in range(count):
            Image.new("RGB", (8, 8)).save(root / name / f"{number}.png")
    return root


def test_photographs_are_sorted_by_their_folders(tmp_path: Path) -> None:
    answers = {"0.png": HANDS, "1.png": Hands.empty((8, 8))}
    found = read_sorted(folder(tmp_path, a=2, b=1), lambda files, on_error: [answers[Path(f).name] for f in files])
    assert found.classes == ("a", "b")
    assert (found.gestures, found.files) == (("a", "b"), ("a/0.png", "b/0.png"))
    assert found.points.shape == (2, 21, 2)
    found.save(tmp_path / "joints.json")
    points, gestures, names = read_gestures(tmp_path / "joints.json")
    assert np.allclose(points, found.points, atol=0.01)
    assert (tuple(gestures), tuple(names)) == (found.gestures, found.files)
    assert [path.name for path in found.without_hand] == ["1.png"]


def test_unreadable_photographs_are_told_from_those_without_a_hand(tmp_path: Path) -> None:
    answers = {"0.png": HANDS, "1.png": Hands.empty((8, 8)), "2.png": BadInput("2.png", "is torn")}
    told: list[tuple[str, int, int, int]] = []
    pipe: Any = lambda files, on_error: [answers[Path(f).name] for f in files]  # noqa: E731
    found = read_sorted(folder(tmp_path, a=3, b=1), pipe, lambda *row: told.append(row))
    assert told == [("a", 3, 1, 1), ("b", 1, 1, 0)]
    assert [path.name for path in found.without_hand] == ["1.png"]
    assert found.unreadable == (answers["2.png"],)
    answers["0.png"] = answers["2.png"]
    with pytest.raises(DataError, match=r"none of its 3 pictures .*; 2 cannot be read, e\.g\. 2\.png: is torn"):
        read_sorted(tmp_path, pipe)


def test_too_few_photographs_are_counted(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"at least 5 pictures .*, but a has 4"):
        sorted_pictures(folder(tmp_path, a=4, b=5), 5)


def test_the_file_names_photographs_that_are_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "photos").mkdir()
    folder(tmp_path / "photos", a=1, b=1)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "out").mkdir()
    read_sorted("photos", lambda files, on_error: [HANDS for _ in files]).save("out/joints.json")
    names = read_gestures("out/joints.json")[2]
    assert names == ["../photos/a/0.png", "../photos/b/0.png"]
    assert all((tmp_path / "out" / name).is_file() for name in names)


def test_folders_that_teach_nothing_are_refused(tmp_path: Path) -> None:
    def none(files: list[str], on_error: str) -> list[Hands]:
        return [Hands.empty((8, 8)) for _ in files]

    with pytest.raises(DataError, match="no such folder"):
        read_sorted(tmp_path / "x", none)
    with pytest.raises(DataError, match="has 1 folders"):
        read_sorted(folder(tmp_path, a=1), none)
    with pytest.raises(DataError, match=r"at least 1 pictures .*, but b has 0"):
        read_sorted(folder(tmp_path, b=0), none)
    Image.new("RGB", (8, 8)).save(tmp_path / "b" / "0.png")
    with pytest.raises(DataError, match="a: in none of its 1 pictures"):
        read_sorted(tmp_path, none)


def test_the_default_pipeline_names_the_gesture_of_the_demo(mediapipe_files: dict[str, Path]) -> None:
    hands = pipeline("hand-gesture")(str(Path(__file__).parents[2] / "demo" / "hand.png"))
    assert len(hands) == 1
    assert hands.gestures is not None
    assert hands.gesture_scores.shape == (1,)


def test_other_classifiers_go_by_an_option_or_a_config() -> None:
    config = resolve_config(
        "hand_gesture", cfg_options={"gesture.threshold": 0.9, "gesture.checkpoint": "my.safetensors"}
    )
    assert config["gesture"] == {"type": "GestureClassifier", "threshold": 0.9, "checkpoint": "my.safetensors"}
    assert [net.part for net in used_nets(resolve_config("hand_gesture"))] == ["detector", "model", "gesture"]
    assert resolve_config("hand_gesture", "pipelines/hand_gesture_mediapipe")["gesture"]["threshold"] == 0.5
    with pytest.raises(ConfigError, match="treshold"):
        resolve_config("hand_gesture", cfg_options={"gesture.treshold": 0.9})
    with pytest.raises(ConfigError, match="answers 'hand_detection'"):
        resolve_config("hand_gesture", "pipelines/hand_detection_mediapipe")
