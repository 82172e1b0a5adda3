"""PosePrior's recipe from shards to millimetres: parts from checkpoints, frozen parts, and the mean pose beside."""

from __future__ import annotations

import pickle
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from handkit.checkpoints import load_weights, save_weights
from handkit.datasets import RHD
from handkit.engine import build_runner, measure
from handkit.errors import CheckpointError, ConfigError, DataError
from handkit.registry import build
from handkit.registry.config import load_config

SHARDS = str(Path(__file__).parents[1] / "datasets" / "files" / "shards")
SMALL = dict(
    backbone=dict(type="CPMTrunk", num_blocks=(1, 1, 1, 1), tail=(16,), width=0.125),
    head=dict(type="ScoreMapHead", in_channels=8, channels=8, hidden_channels=8),
)


@pytest.fixture
def config(tmp_path: Path) -> dict[str, Any]:
    made = load_config("hand_3d_keypoints/poseprior_handsynth_256x256")
    made["model"].update(SMALL)
    made["model"]["aux_heads"][0]["in_channels"] = (64, 8)
    made["model"]["aux_heads"][1].update(width=0.125, heatmap_size=(8, 8))
    made["codec"].update(input_size=(64, 64), heatmap_size=(8, 8))
    for steps in (made["train_transforms"], made["test_transforms"]):
        for step in steps:
            if step["type"] == "TopDownAffine":
                step["input_size"] = (64, 64)
            if step["type"] == "TopDownGenerateTarget":
                step["codec"] = made["codec"]
    for part in ("train_dataset", "val_dataset"):
        made[part]["dataset"]["folder"] = SHARDS
    torch.manual_seed(5)
    posenet = build({**made["model"], "aux_heads": made["model"]["aux_heads"][:1], "losses": []})
    path = str(tmp_path / "posenet.safetensors")
    save_weights(posenet, path)
    made["init_cfg"] = dict.fromkeys(made["init_cfg"], path)
    return {**made, "batch_size": 2, "max_epochs": 2, "workers": 0, "ema_decay": None}


def test_the_prior_learns_and_what_is_frozen_stays(config: dict[str, Any], tmp_path: Path) -> None:
    runner = build_runner(config, tmp_path / "work")
    model = runner.model.module
    before = {name: value.clone() for name, value in model.state_dict().items()}
    posenet = build({**config["model"], "aux_heads": config["model"]["aux_heads"][:1], "losses": []})
    load_weights(posenet, config["init_cfg"]["head"])
    assert all(torch.equal(before[name], value) for name, value in posenet.state_dict().items())
    runner.train()
    after = model.state_dict()
    changed = {name for name in after if not torch.equal(after[name], before[name])}
    assert changed
    assert all(name.startswith("aux_heads.pose_prior.") for name in changed)
    assert any("running_mean" in name for name in changed)


def test_is_measured_in_space_beside_the_mean_pose(config: dict[str, Any], tmp_path: Path) -> None:
    model = build(config["model"])
    save_weights(model, tmp_path / "model.safetensors")
    scores = measure(config, tmp_path / "model.safetensors", "cpu", baseline=True)
    names = ("MPJPE_mm", "PA_MPJPE_mm", "AUC3D_20_50mm", "EPE3D_mm", "MPJPE_mm_true_bone", "EPE", "handedness_accuracy")
    assert all(np.isfinite(scores[name]) for name in names), scores.values
    # three hands are the training and the measured ones: their mean is nearer than random weights
    assert 0 < scores.baseline["MPJPE_mm"] < scores["MPJPE_mm"]
    assert 0 < scores.baseline["MPJPE_mm_true_bone"] < scores["MPJPE_mm_true_bone"]


def test_parts_that_are_not_there_are_named(config: dict[str, Any], tmp_path: Path) -> None:
    path = config["init_cfg"]["head"]
    with pytest.raises(ConfigError, match="init_cfg: TopDownEstimator has no part 'neck'"):
        build_runner({**config, "init_cfg": {"neck": path}}, tmp_path / "a")
    with pytest.raises(ConfigError, match=r"frozen: .* did you mean 'backbone'"):
        build_runner({**config, "frozen": ("backbones",)}, tmp_path / "b")
    with pytest.raises(CheckpointError, match="does not fit the PosePriorHead"):
        build_runner({**config, "init_cfg": {"aux_heads.pose_prior": path}}, tmp_path / "c")


def test_a_data_set_without_space_says_so(config: dict[str, Any], tmp_path: Path) -> None:
    config["train_dataset"]["dataset"] = dict(type="CocoHands", ann_file=f"{SHARDS}/hands.json", unlabelled="skip")
    with pytest.raises(DataError, match="has no xyz_cam: take a data set in 3D"):
        build_runner(config, tmp_path / "work").train()


def test_a_missing_camera_says_so(config: dict[str, Any], tmp_path: Path) -> None:
    shards = tmp_path / "shards"
    shutil.copytree(SHARDS, shards)
    (shards / "camera.npy").unlink()
    config["train_dataset"]["dataset"]["folder"] = str(shards)
    with pytest.raises(DataError, match=r"camera\.npy cannot be read .*; render again"):
        build_runner(config, tmp_path / "work")
    path = tmp_path / "anno_training.pickle"
    path.write_bytes(pickle.dumps({3: {name: np.ones((42, 3), np.float32) for name in ("uv_vis", "xyz")}}))
    with pytest.raises(DataError, match="image 3 needs the field 'K'"):
        RHD(path)


def test_both_routes_are_measured_alike() -> None:
    """So that their tables match column by column."""
    lifting, prior = (
        load_config(f"hand_3d_keypoints/{name}")
        for name in ("hrnetv2_w18_lifting_handsynth_192x192", "poseprior_handsynth_256x256")
    )
    assert lifting["metrics"] == prior["metrics"]
    for kind in ("PCK", "AUC", "EPE", "MPJPE", "PAMPJPE", "AUC3D"):
        assert dict(type=kind) in lifting["metrics"]
    assert dict(type="AUC3D", frame="xyz_bone") in lifting["metrics"]
