"""The recipe of gestures from joints to a classifier: it learns, is measured, repeats itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

from handkit.checkpoints import save_weights
from handkit.datasets import RenderedGestures
from handkit.engine import build_runner, measure
from handkit.errors import ConfigError, DataError
from handkit.gestures import GestureClassifier
from handkit.registry.config import load_config
from handkit.registry.validate import validate

CLASSES = ("five", "fist")


@pytest.fixture
def config() -> dict[str, Any]:
    made = load_config("hand_gesture/gesture_mlp_handsynth")
    made["model"].update(classes=CLASSES, hidden=8)
    for part in ("train_dataset", "val_dataset"):
        made[part].update(classes=CLASSES, count=15, source="capsule")
    made["optimizer"]["lr"] = 2e-2
    return {**made, "batch_size": 16, "max_epochs": 10, "val_interval": 10}


def test_learns_is_measured_and_is_the_classifiers_file(config: dict[str, Any], tmp_path: Path) -> None:
    build_runner(config, tmp_path / "work", device="cpu").train()
    best, out = tmp_path / "work" / "best.safetensors", tmp_path / "scores.json"
    scores = measure(config, str(best), "cpu", out=out, bootstrap=10)
    assert scores["gesture_accuracy"] >= 0.8
    assert scores.counts == {"images": 6, "hands": 6}
    assert [line.split(";")[0][-4:] for line in scores.details] == ["of 3", "of 3"]
    lines = [json.loads(line) for line in (tmp_path / "work" / "metrics.jsonl").read_text().splitlines()]
    measured = [line["gesture_accuracy"] for line in lines if "gesture_accuracy" in line]
    assert measured == [pytest.approx(scores["gesture_accuracy"])]
    classifier = GestureClassifier(str(best))
    rows = json.loads(out.read_text())["samples"]
    val = RenderedGestures(CLASSES, 15, source="capsule", part="val")
    shares = classifier.probabilities(np.array([val[row]["keypoints"] for row in range(len(val))]))
    assert [row["gesture"] for row in rows] == [CLASSES[val[row]["gesture"]] for row in range(len(val))]
    np.testing.assert_allclose([list(row["probabilities"].values()) for row in rows], shares, atol=1e-5)
    build_runner(config, tmp_path / "again", device="cpu").train()
    once, again = (load_file(tmp_path / run / "best.safetensors") for run in ("work", "again"))
    assert all(np.array_equal(again[key], value) for key, value in once.items())


def test_what_does_not_fit_together_is_refused(config: dict[str, Any]) -> None:
    validate(config)
    with pytest.raises(ConfigError, match=r"val_dataset has classes=.*they must agree"):
        validate({**config, "val_dataset": {**config["val_dataset"], "classes": CLASSES[::-1]}})
    with pytest.raises(ConfigError, match=r"test_transforms\.0 has upright=True, but model has upright=False"):
        validate({**config, "model": {**config["model"], "upright": False}})


def test_other_data_and_other_questions_are_refused(config: dict[str, Any], tmp_path: Path) -> None:
    hands = dict(type="HandSynth", source="capsule", count=2, image_size=(48, 48))
    runner = build_runner({**config, "val_dataset": hands, "max_epochs": 1}, tmp_path / "work", device="cpu")
    with pytest.raises(DataError, match="samples without gesture"):
        runner.train()
    save_weights(runner.model, tmp_path / "weights.safetensors")
    with pytest.raises(ConfigError, match="looks at joints not at all"):
        measure(config, tmp_path / "weights.safetensors", "cpu", rotate=90)
    with pytest.raises(ConfigError, match="finds no joints"):
        measure(config, tmp_path / "weights.safetensors", "cpu", report=lambda measured: None)
    steps = [config["train_transforms"][0], dict(type="PoseCollect", keys=("gesture",))]
    runner = build_runner({**config, "train_transforms": steps}, tmp_path / "other", device="cpu")
    with pytest.raises(ConfigError, match="must name 'features'"):
        runner.train()
