"""WFLW's recipe, made small, from the lists of faces to the best weights: NME, steps of the rate, and going on."""

from __future__ import annotations

import csv
import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from handkit.checkpoints import read_state_dict
from handkit.engine import build_runner, measure
from handkit.engine.state import read_state
from handkit.registry.config import load_config

FILES = Path(__file__).parents[1] / "datasets" / "files" / "wflw"
RECIPE = "face_2d_keypoints/hrnetv2_w18_wflw_256x256"
EPOCHS = 2


@pytest.fixture(scope="module")
def config() -> dict[str, Any]:
    """The recipe with a narrow network and small crops, two faces for training and the same for measuring."""
    made = load_config(RECIPE)
    made["model"]["backbone"].update(width=4, num_modules=(1, 1, 1), num_blocks=(1, 1, 1, 1), stage1_channels=8)
    made["model"]["head"]["in_channels"] = (4, 8, 16, 32)
    made["codec"].update(input_size=(64, 64), heatmap_size=(16, 16))
    for steps in (made["train_transforms"], made["test_transforms"]):
        for step in steps:
            if step["type"] == "TopDownAffine":
                step["input_size"] = (64, 64)
            if step["type"] == "TopDownGenerateTarget":
                step["codec"] = made["codec"]
    for part in ("train_dataset", "val_dataset"):
        made[part].update(ann_file=str(FILES / "list.txt"), image_root=str(FILES / "WFLW_images"))
    made["schedule"].update(milestones=(1,), warmup_iters=0)
    small = dict(batch_size=1, lr_base_batch=1, val_interval=1, max_epochs=EPOCHS, workers=0, drop_last=False)
    return {**made, **small, "precision": "fp32"}


@pytest.fixture(scope="module")
def whole(config: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a training in one run."""
    folder = tmp_path_factory.mktemp("faces") / "whole"
    build_runner(config, folder).train()
    return folder


def test_epochs_leave_what_the_config_asks_for(config: dict[str, Any], whole: Path) -> None:
    with (whole / "results.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    errors, rates = ([float(row[name]) for row in rows] for name in ("NME", "lr"))
    assert [row["epoch"] for row in rows] == ["1", "2"]
    assert np.isfinite(errors).all()
    np.testing.assert_allclose(rates, [5e-4, 5e-5])
    progress = read_state(whole / "last.pth")["progress"]
    assert (progress["epoch"], progress["iteration"]) == (EPOCHS, EPOCHS * 2)
    assert (progress["best"], progress["best_epoch"]) == (min(errors), 1 + int(np.argmin(errors)))
    plain = {**config, "flip_test": None}  # as a training measures
    best, last = (measure(plain, whole / name, "cpu")["NME"] for name in ("best.safetensors", "last.pth"))
    np.testing.assert_allclose([best, last], [min(errors), errors[-1]], rtol=1e-5)


def test_going_on_ends_where_one_run_ends(config: dict[str, Any], whole: Path, tmp_path: Path) -> None:
    pieces = tmp_path / "pieces"
    build_runner(config, pieces, max_minutes=0).train()
    assert read_state(pieces / "last.pth")["progress"]["iteration"] == 1
    build_runner(config, pieces, resume=True).train()
    states = [read_state(folder / "last.pth") for folder in (whole, pieces)]
    assert len({(state["progress"]["epoch"], state["progress"]["best"]) for state in states}) == 1
    for name in ("last.pth", "best.safetensors"):
        one, other = (read_state_dict(folder / name) for folder in (whole, pieces))
        assert one.keys() == other.keys()
        assert all(torch.equal(one[key], other[key]) for key in one), name


@pytest.mark.skipif(importlib.util.find_spec("tensorboard") is None, reason="the extra train is not installed")
def test_the_numbers_go_to_tensorboard(config: dict[str, Any], tmp_path: Path) -> None:
    build_runner({**config, "tensorboard": True, "max_epochs": 1}, tmp_path).train()
    assert list((tmp_path / "tensorboard").glob("events.*"))
