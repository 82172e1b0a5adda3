"""demo/plain_train.py is the tiny recipe: the same parts with the same numbers, and the same losses."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from handkit.checkpoints import read_state_dict
from handkit.engine import build_runner
from handkit.models.backbones import HRNet
from handkit.registry import build
from handkit.registry.config import load_config, with_options
from handkit.registry.keys import NEUTRAL_KEYS, TrainingSettings
from handkit.transforms import split_stages

PROGRAM = Path(__file__).resolve().parents[2] / "demo" / "plain_train.py"
CONFIG = load_config("hand_2d_keypoints/hrnetv2_w18_dark_tiny")
#: What a config may say beyond the recipe: how it runs and what else is measured, but nothing that changes a weight.
ELSEWHERE = {*NEUTRAL_KEYS, "val_interval", "val_batch_size", "best_metric", "best_mode", "deterministic"}


@pytest.fixture(scope="module")
def plain(program_module: Callable[[str], ModuleType]) -> ModuleType:
    return program_module("demo/plain_train.py")


def content(part: Any) -> Any:
    """A part's type and everything it holds, comparable."""
    if isinstance(part, (list, tuple)):
        return [content(value) for value in part]
    if isinstance(part, (np.ndarray, torch.Tensor)):
        return part.tolist()
    if hasattr(part, "__dict__"):
        return type(part).__name__, {name: content(value) for name, value in vars(part).items()}
    return part


def test_data_and_transforms_are_the_configs(plain: ModuleType) -> None:
    train_hands, val_hands = plain.datasets(plain.Recipe())
    assert content(train_hands) == content(build(CONFIG["train_dataset"]))
    assert content(val_hands) == content(build(CONFIG["val_dataset"]))
    assert content(plain.CODEC) == content(build(CONFIG["codec"]))
    for kind, steps in (
        ("train_transforms", (plain.TRAIN_IMAGE_STEPS, plain.TRAIN_TENSOR_STEPS)),
        ("test_transforms", (plain.TEST_IMAGE_STEPS, plain.TEST_TENSOR_STEPS)),
    ):
        assert content(steps) == content(split_stages([build(node) for node in CONFIG[kind]]))


def test_network_optimizer_and_schedule_are_the_configs(plain: ModuleType) -> None:
    recipe = plain.Recipe()
    model = plain.network(recipe)
    torch.manual_seed(recipe.seed)
    other = build(CONFIG["model"])
    assert str(model) == str(other)
    assert [content((loss.loss_weight, loss.training)) for loss in model.losses] == [
        content((loss.loss_weight, loss.training)) for loss in other.losses
    ]
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), other.parameters(), strict=True))
    groups, others = (
        {
            len(group["params"]): {key: value for key, value in group.items() if key != "params"}
            for group in made.param_groups
        }
        for made in (plain.make_optimizer(model, recipe), build(CONFIG["optimizer"]).make(other))
    )
    assert groups == others
    schedule, length = build(CONFIG["schedule"]), recipe.count // recipe.batch_size
    steps = length * recipe.epochs
    for step in range(steps):
        assert plain.rate(recipe, step, steps) == schedule.factor(step, length, recipe.epochs)


def test_settings_are_the_configs(plain: ModuleType) -> None:
    recipe = plain.Recipe()
    wanted = TrainingSettings(
        batch_size=recipe.batch_size,
        max_epochs=recipe.epochs,
        seed=recipe.seed,
        precision="bf16" if recipe.bf16 else "fp32",
    )
    stated = TrainingSettings.of(CONFIG)
    assert replace(stated, **{key: getattr(wanted, key) for key in ELSEWHERE if hasattr(wanted, key)}) == wanted


@pytest.fixture(scope="module")
def both(plain: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """Four steps of batches of 4 in two epochs of a small HRNet, by the engine and by hand."""
    folder = tmp_path_factory.mktemp("work")
    small: dict[str, Any] = {"num_modules": (1, 1, 1), "num_blocks": (1, 1, 1, 1)}
    recipe = replace(plain.Recipe(), count=9, val_count=6, width=8, batch_size=4, epochs=2, workers=0)
    options = {
        **{"train_dataset.count": 9, "val_dataset.count": 6, "model.backbone.width": 8},
        **{"model.head.in_channels": (8, 16, 32, 64), "batch_size": 4, "max_epochs": 2, "workers": 0},
        **{"log_interval": 1, "val_interval": 2, **{f"model.backbone.{key}": value for key, value in small.items()}},
    }
    build_runner(with_options(CONFIG, options), folder, device="cpu").train()
    rows = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    train_hands, val_hands = plain.datasets(recipe)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plain, "HRNet", partial(HRNet, **small))
        model = plain.network(recipe)
    torch.set_flush_denormal(True)
    try:
        losses = list(plain.train(model, train_hands, recipe))
    finally:
        torch.set_flush_denormal(False)
    return SimpleNamespace(
        **{"folder": folder, "engine": [row["loss"] for row in rows if row["kind"] == "train"]},
        **{"losses": losses, "model": model, "pck": plain.measure(model, val_hands, recipe)},
    )


def test_losses_are_the_engines(both: SimpleNamespace) -> None:
    assert len(both.losses) == 4
    assert both.losses == both.engine
    assert len(set(both.losses)) == 4


def test_weights_and_score_are_the_engines(both: SimpleNamespace) -> None:
    weights = read_state_dict(both.folder / "best.safetensors")
    assert all(torch.equal(value, weights[key]) for key, value in both.model.state_dict().items())
    last = list(csv.DictReader((both.folder / "results.csv").read_text().splitlines()))[-1]
    assert both.pck == float(last["PCK@0.2"])


@pytest.mark.slow
def test_the_program_runs(tmp_path: Path) -> None:
    options = {"count": 4, "val-count": 2, "batch-size": 2, "workers": 1, "out": tmp_path / "hand.safetensors"}
    arguments = [str(word) for key, value in options.items() for word in (f"--{key}", value)]
    done = subprocess.run([sys.executable, str(PROGRAM), *arguments], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("step 1: loss ")
    assert "mean pose 0." in done.stdout
    assert read_state_dict(tmp_path / "hand.safetensors")
