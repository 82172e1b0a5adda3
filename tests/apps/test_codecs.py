"""Each codec from end to end at a tiny size: two iterations of training, measured with the flip test, a pipeline."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import handkit
from handkit.engine import build_runner, measure
from handkit.runtime.build import build_net
from handkit.runtime.torch import TorchRuntime

SIZE, COARSEST = (64, 64), (2, 2)
BACKBONE = dict(type="HRNet", width=4, num_modules=(1, 1, 1), num_blocks=(1, 1, 1, 1), stage1_channels=4)
CHANNELS = dict(in_channels=32)
DECONV = dict(deconv_out_channels=(8, 8, 8), deconv_kernel_sizes=(4, 4, 4))
BINS = dict(input_size=SIZE, in_featuremap_size=COARSEST, **CHANNELS)
MAPS = ("heatmaps", "target_weight")
XY = ("simcc_x", "simcc_y", "target_weight")
#: Codec, head, loss, and the targets the loss takes.
CASES: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any], tuple[str, ...]]] = {
    "udp": (
        dict(type="UDPHeatmap", input_size=SIZE, heatmap_size=(16, 16)),
        dict(type="HRNetV2Head", in_channels=(4, 8, 16, 32)),
        dict(type="KeypointMSELoss"),
        MAPS,
    ),
    "deconv_ohkm": (
        dict(type="GaussianHeatmap", input_size=SIZE, heatmap_size=(16, 16)),
        dict(type="HeatmapHead", **CHANNELS, **DECONV),
        dict(type="KeypointOHKMMSELoss"),
        MAPS,
    ),
    "simcc": (
        dict(type="SimCC", input_size=SIZE, use_dark=True),
        dict(type="SimCCHead", **BINS, **DECONV),
        dict(type="KLDiscretLoss"),
        XY,
    ),
    "rtmcc": (
        dict(type="SimCC", input_size=SIZE, sigma=(4.0, 4.0), normalize=False, unbiased=False, label_beta=10.0),
        dict(type="RTMCCHead", **BINS, final_layer_kernel_size=3, hidden_dims=16, s=8),
        dict(type="KLDiscretLoss", beta=10.0, label_softmax=True),
        XY,
    ),
    "smooth_l1": (
        dict(type="Regression", input_size=SIZE),
        dict(type="RegressionHead", **CHANNELS),
        dict(type="SmoothL1Loss"),
        ("coordinates", "target_weight"),
    ),
    "wing": (
        dict(type="Regression", input_size=SIZE),
        dict(type="RegressionHead", **CHANNELS),
        dict(type="WingLoss", omega=0.04, epsilon=0.008),
        ("coordinates", "target_weight"),
    ),
}


def config(name: str) -> dict[str, Any]:
    codec, head, loss, targets = CASES[name]
    hands = dict(type="HandSynth", source="capsule", views="front", image_size=(96, 96))
    image = [dict(type="LoadImage"), dict(type="TopDownAffine", input_size=SIZE, use_udp=name == "udp")]
    tensors = [dict(type="MMToTensor"), dict(type="NormalizeTensor")]
    return {
        "task": "hand_2d_keypoints",
        "detector": dict(type="FullImage"),
        "model": dict(type="TopDownEstimator", backbone=BACKBONE, head=head, losses=[loss]),
        "codec": codec,
        "flip_test": "aligned",
        "runtime": dict(type="TorchRuntime", device="cpu"),
        "train_dataset": {**hands, "seed": 0, "count": 4},
        "train_transforms": [
            *image,
            *tensors,
            dict(type="TopDownGenerateTarget", codec=codec),
            dict(type="PoseCollect", keys=("img", *targets)),
        ],
        "val_dataset": {**hands, "seed": 1, "count": 3},
        "test_transforms": [*image, *tensors, dict(type="PoseCollect")],
        "metrics": [dict(type="PCK"), dict(type="EPE")],
        "optimizer": dict(type="AdamW", lr=1e-3),
        "batch_size": 2,
        "max_epochs": 1,
        "workers": 0,
        "precision": "bf16",
    }


@pytest.mark.parametrize("name", CASES)
def test_trains_is_measured_and_predicts(name: str, tmp_path: Path) -> None:
    resolved = config(name)
    build_runner(resolved, tmp_path / "work", device="cpu").train()
    rows = list(csv.DictReader(io.StringIO((tmp_path / "work" / "results.csv").read_text("utf-8"))))
    assert np.isfinite([float(rows[0]["train_loss"]), float(rows[0]["EPE"])]).all()
    lines = [json.loads(row) for row in (tmp_path / "work" / "metrics.jsonl").read_text("utf-8").splitlines()]
    assert any(row.get("iteration") == 2 for row in lines)
    weights = tmp_path / "work" / "best.safetensors"
    scores = measure(resolved, weights, device="cpu")
    assert 0 <= scores.values["PCK@0.2"] <= 1
    assert np.isfinite(scores.values["EPE"])
    predict = handkit.pipeline("hand_2d_keypoints", tmp_path / "work" / "config.py", "cpu", checkpoint=weights)
    hands = predict(np.random.default_rng(0).integers(0, 255, (80, 100, 3), np.uint8), boxes="full")
    assert hands.keypoints.shape == (1, 21, 2)
    assert ((hands.scores >= 0) & (hands.scores <= 1)).all()


@pytest.mark.parametrize(("name", "use_udp", "shift"), [("udp", True, "none"), ("deconv_ohkm", True, "aligned")])
def test_the_codec_says_whether_mirrored_maps_are_shifted(
    name: str, use_udp: bool, shift: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TorchRuntime, "prepare", lambda self, model, *_: model)
    resolved = config(name)
    resolved["test_transforms"][1]["use_udp"] = use_udp
    net: Any = build_net(resolved)
    assert net.shift == shift
