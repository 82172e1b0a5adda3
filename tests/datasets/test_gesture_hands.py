"""Hands of known gestures by their joints: parts, weights of classes, the file, and what is refused."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from handkit.datasets import CocoHands, GestureHands, RenderedGestures
from handkit.datasets.gesture_hands import read_gestures, write_gestures
from handkit.errors import ConfigError, DataError

FILE = Path(__file__).parent / "files" / "gestures.json"
CAPSULE: dict[str, Any] = dict(classes=("fist", "one", "four"), source="capsule", count=6, seed=3)


def test_parts_are_apart_and_make_up_all() -> None:
    whole, train, val = (RenderedGestures(**CAPSULE, part=part) for part in ("all", "train", "val"))
    names = [[hands[row]["sample_id"] for row in range(len(hands))] for hands in (whole, train, val)]
    assert sorted(names[1] + names[2]) == sorted(names[0])
    assert [name.split("_")[0] for name in names[2]] == ["fist", "one", "four"]
    by_name = {sample["sample_id"]: sample for sample in (whole[row] for row in range(len(whole)))}
    for sample in (val[0], val[2], train[0]):
        assert np.array_equal(sample["keypoints"], by_name[sample["sample_id"]]["keypoints"])
    other = RenderedGestures(**{**CAPSULE, "seed": 4}, part="val")
    assert not np.array_equal(other[0]["keypoints"], val[0]["keypoints"])
    again = pickle.loads(pickle.dumps(val))
    assert np.array_equal(again[1]["keypoints"], val[1]["keypoints"])


def photographed(path: Path, counts: dict[str, int]) -> Path:
    gestures = [name for name, count in counts.items() for _ in range(count)]
    points = np.random.default_rng(0).uniform(10, 90, (len(gestures), 21, 2))
    write_gestures(path, points, gestures, [f"{row}.png" for row in range(len(gestures))], [(100, 90)] * len(gestures))
    return path


def test_a_file_comes_back_and_every_class_counts_alike(tmp_path: Path) -> None:
    path = photographed(tmp_path / "joints.json", {"b": 15, "a": 5})
    points, gestures, names = read_gestures(path)
    assert (points.shape, gestures[14:16], names[3]) == ((20, 21, 2), ["b", "a"], "3.png")
    hands = GestureHands(path, ("b", "a"))
    weights = np.array([hands[row]["class_weight"] for row in range(20)])
    assert weights.mean() == pytest.approx(1)
    assert weights[:15].sum() == pytest.approx(weights[15:].sum())
    assert [hands[row]["gesture"] for row in (0, 19)] == [0, 1]
    train, val = (GestureHands(path, ("b", "a"), part=part) for part in ("train", "val"))
    assert (len(train), len(val)) == (16, 4)


def test_a_reader_of_photographs_takes_the_file_too() -> None:
    hands = CocoHands(FILE)
    assert np.allclose(hands[1]["keypoints"], GestureHands(FILE, ("one", "two"))[1]["keypoints"], atol=0.01)


def test_bad_files_and_parts_are_refused(tmp_path: Path) -> None:
    path = photographed(tmp_path / "joints.json", {"a": 5, "b": 4})
    with pytest.raises(DataError, match="has hands of b, but classes are a, c"):
        GestureHands(path, ("a", "c"))
    with pytest.raises(DataError, match="5 hands or more to learn and to test: b has 4"):
        GestureHands(path, ("a", "b"), part="train")
    with pytest.raises(ConfigError, match="two or more gestures"):
        GestureHands(photographed(tmp_path / "one.json", {"a": 5}), ("a",))
    with pytest.raises(ConfigError, match="held_out"):
        GestureHands(path, ("a", "b"), held_out=1)
    with pytest.raises(DataError, match="cannot be read"):
        GestureHands(tmp_path / "none.json", ("a", "b"))
    document = json.loads(path.read_text())
    document["annotations"][2]["keypoints"][5] = 0
    path.write_text(json.dumps(document))
    with pytest.raises(DataError, match=r"annotation 3: .* all 21 joints"):
        GestureHands(path, ("a", "b"))
    path.write_text(json.dumps({**document, "annotations": [], "categories": []}))
    with pytest.raises(DataError, match="holds no hands"):
        GestureHands(path, ("a", "b"))
    path.write_text(json.dumps({**document, "categories": [{"id": 1}]}))
    with pytest.raises(DataError, match="categories need an id and a name"):
        GestureHands(path, ("a", "b"))


def test_unknown_gestures_and_bones_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"no gesture 'fits' is rendered.*fist"):
        RenderedGestures(("fits", "one"))
    with pytest.raises(ConfigError, match="makehuman or capsule, not clay"):
        RenderedGestures(("fist", "one"), source="clay")  # type: ignore[arg-type]
    with pytest.raises(DataError, match="one has 4"):
        RenderedGestures(("fist", "one"), count=4, source="capsule", part="val")
