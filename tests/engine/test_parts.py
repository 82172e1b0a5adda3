"""Optimizers, the average of weights, the records, the stopper, and what is measured."""

from __future__ import annotations

import errno
import json
import os
import signal
import sys
from collections import OrderedDict
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from handkit.engine.average import WeightAverage
from handkit.engine.hooks import RecordHook
from handkit.engine.loading import stack
from handkit.engine.measuring import CropEvaluator, crop_samples
from handkit.engine.optimizers import SGD, Adam, AdamW, scale_lr
from handkit.engine.records import Records
from handkit.engine.state import Progress
from handkit.engine.stopping import Stopper
from handkit.engine.work_dir import WorkDir
from handkit.errors import ConfigError, DataError, MissingExtraError, TrainingError
from handkit.geometry import Crop, turn_xyz
from handkit.metrics import AUC3D, EPE, MPJPE, OKSAP, PAMPJPE, HandednessAccuracy
from handkit.registry.keys import TrainingSettings


def two_parts() -> nn.Module:
    block = nn.Sequential(nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2))
    return nn.Sequential(OrderedDict(backbone=block, head=nn.Linear(2, 1)))


def test_optimizers_group_parameters() -> None:
    made = AdamW(lr=1.0, weight_decay=0.1, backbone_lr_factor=0.5).make(two_parts())
    assert isinstance(made, torch.optim.AdamW)
    groups = {(group["lr"], group["weight_decay"]): len(group["params"]) for group in made.param_groups}
    assert groups == {(0.5, 0.1): 1, (0.5, 0.0): 3, (1.0, 0.1): 1, (1.0, 0.0): 1}
    assert len(AdamW(decay_vectors=True).make(two_parts()).param_groups) == 1
    scale_lr(made, 3.0)
    assert sorted(group["initial_lr"] for group in made.param_groups) == [1.5, 1.5, 3.0, 3.0]
    assert isinstance(Adam().make(two_parts()), torch.optim.Adam)
    assert SGD(momentum=0.3).make(two_parts()).param_groups[0]["momentum"] == 0.3
    with pytest.raises(ConfigError, match="no parameter to train"):
        SGD().make(nn.ReLU())


def test_the_average_is_the_formula() -> None:
    model = nn.Linear(1, 1)
    model.register_buffer("seen", torch.zeros((), dtype=torch.long))
    average = WeightAverage(model, 0.3)
    expected = model.weight.item()
    for update in range(8):
        with torch.no_grad():
            model.weight += 1
            model.seen += 1  # type: ignore[operator]
        average.update()
        decay = min(0.3, (1 + update) / (10 + update))
        expected = decay * expected + (1 - decay) * model.weight.item()
    assert average.state_dict()["weight"].item() == pytest.approx(expected, rel=1e-6)
    assert average.state_dict()["seen"] == 8
    own = model.weight.item()
    average.swap()
    assert model.weight.item() == pytest.approx(expected, rel=1e-6)
    average.swap()
    assert model.weight.item() == own


def test_records_forget_what_a_killed_run_wrote_too_much(tmp_path: Path) -> None:
    work_dir = WorkDir(tmp_path)
    records = Records(work_dir)
    records.begin(0, 0)
    for iteration in range(1, 5):
        records.add("train", 1, iteration, {"loss": float(iteration)})
    records.add("epoch", 1, 4, {"EPE": float("nan"), "PCK": 0.5})
    assert work_dir.results.read_text() == "epoch,iteration,EPE,PCK\n1,4,,0.5\n"
    with work_dir.metrics.open("a") as file:
        file.write('{"kind": "tra')
    records.begin(4, 0)  # stopped before the epoch's state was written, which is measured again
    assert work_dir.results.read_text().strip() == ""
    assert len(work_dir.metrics.read_text().splitlines()) == 4
    records.begin(2, 0)
    assert [json.loads(line)["iteration"] for line in work_dir.metrics.read_text().splitlines()] == [1, 2]
    assert work_dir.results.read_text().strip() == ""


def test_the_latest_states_stay(tmp_path: Path) -> None:
    work_dir = WorkDir(tmp_path)
    for epoch in range(1, 6):
        work_dir.last.touch()
        work_dir.keep_epoch(epoch, 3)
        kept = {path.name for path in tmp_path.glob("epoch_*.pth")}
        assert kept == {f"epoch_{number}.pth" for number in range(max(epoch - 2, 1), epoch + 1)}


def test_the_speed_of_training_leaves_measurements_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 0.0, 2.0, 100.0, 102.0])  # made, begun, an iteration, a measurement, an iteration
    monkeypatch.setattr("handkit.engine.hooks.time", SimpleNamespace(monotonic=lambda: next(clock)))
    records = Records(WorkDir(tmp_path))
    hook = RecordHook(SimpleNamespace(progress=Progress()), records, TrainingSettings(8, 2, log_interval=2))
    optimizer = SimpleNamespace(param_groups=[{"lr": 0.1}])
    runner = SimpleNamespace(iter=0, epoch=0, optim_wrapper=SimpleNamespace(optimizer=optimizer))
    hook.before_train(runner)
    hook.after_train_iter(runner, 0, outputs={"loss": 1.0})
    hook.after_epoch(runner, {})
    runner.iter = 1
    hook.after_train_iter(runner, 0, outputs={"loss": 1.0})
    row = json.loads(WorkDir(tmp_path).metrics.read_text().splitlines()[-1])
    assert row["samples_per_second"] == 4.0  # 16 samples in twice 2 seconds


def test_tensorboard_is_an_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(MissingExtraError, match=r"handkit\[train\]"):
        Records(WorkDir(tmp_path), tensorboard=True)
    written: list[Any] = []
    writer = SimpleNamespace(
        add_scalar=lambda *row: written.append(row), flush=lambda: None, close=lambda: written.append("closed")
    )
    stub = SimpleNamespace(SummaryWriter=lambda folder, purge_step: written.append((folder, purge_step)) or writer)
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", stub)
    records = Records(WorkDir(tmp_path), tensorboard=True)
    records.begin(5, 0)
    records.add("train", 1, 6, {"loss": 2.0})
    records.close()
    assert written == [(str(tmp_path / "tensorboard"), 6), ("train/loss", 2.0, 6), "closed"]

    def full() -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    writer.flush = full
    with pytest.raises(TrainingError, match=r"cannot write .*tensorboard: No space left on device"):
        records.add("train", 1, 7, {"loss": 2.0})


def test_the_stopper_answers_clock_and_signals() -> None:
    before = signal.getsignal(signal.SIGTERM)
    stopper = Stopper(60)
    with stopper.watching():
        assert stopper.reason is None
        os.kill(os.getpid(), signal.SIGTERM)
        assert stopper.reason == "SIGTERM"
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGTERM) is before
    assert Stopper(0).reason == "0 minutes"


def test_stacks_numbers_and_leaves_the_rest() -> None:
    samples = [
        {"img": np.zeros((2, 2, 3), np.uint8), "box": np.ones(4), "right": 1.0, "image_size": (4, 5), "name": "a"},
        {"img": np.zeros((2, 2, 3), np.uint8), "box": np.ones(4), "right": 0.0, "image_size": (6, 5), "name": "b"},
    ]
    batch = stack([{**samples[0], "mask": np.zeros((1, 2))}, {**samples[1], "mask": np.zeros((2, 2))}])
    assert isinstance(batch, dict)
    shapes = {key: (tuple(value.shape), value.dtype) for key, value in batch.items() if isinstance(value, torch.Tensor)}
    assert shapes == {
        "img": ((2, 2, 2, 3), torch.uint8),
        "box": ((2, 4), torch.float32),
        "right": ((2,), torch.float32),
        "image_size": ((2, 2), torch.int64),
    }


def test_joints_are_measured_in_the_image() -> None:
    rng = np.random.default_rng(0)
    crops = [Crop((50, 60), (40, 40), (80, 80), rotation=angle) for angle in (0.0, 1.0, 2.0)]
    labels = [
        {
            "keypoints": rng.uniform(40, 70, (21, 2)),
            "visible": np.ones(21),
            "box": np.array([30, 40, 70, 80]),
            "right": right,
            "hand": hand,
        }
        for right, hand in ((1.0, 1.0), (np.nan, 1.0), (0.0, 0.0))
    ]
    points = np.stack([crop.apply_points(row["keypoints"]) for crop, row in zip(crops, labels, strict=True)])
    outputs = {"keypoints": points + np.array([2.0, 0.0]), "handedness": np.array([0.2, 0.9, 0.9])}
    samples = crop_samples(outputs, crops, labels)
    assert len(samples) == 2
    assert samples.sides == ("right", None)
    assert samples.predicted_sides == ("left", "right")
    assert EPE().compute(samples)["EPE"] == pytest.approx(1.0)  # two pixels of a crop that enlarges by two
    assert HandednessAccuracy().compute(samples)["handedness_accuracy"] == 0.0
    with pytest.raises(DataError, match="nothing to measure by"):
        crop_samples(outputs, crops, [{}, {}, {}])


def test_joints_in_space_are_measured_in_the_frame_of_the_image() -> None:
    rng = np.random.default_rng(0)
    crops = [Crop((50, 60), (40, 40), (80, 80), rotation=angle) for angle in (0.0, 1.0, 2.5)]
    points, space = rng.uniform(40, 70, (3, 21, 2)), rng.normal(0, 0.05, (3, 21, 3)) + np.array([0.1, 0.2, 0.6])
    labels = [
        {"keypoints": points[row], "visible": np.ones(21), "box": np.array([30, 40, 70, 80]), "xyz_cam": space[row]}
        for row in range(3)
    ]
    del labels[2]["xyz_cam"]
    root = space - space[:, :1]
    turned = np.stack(
        [turn_xyz(one[None], np.array([-crop.rotation]))[0] for one, crop in zip(root, crops, strict=True)]
    )
    seen = np.stack([crop.apply_points(row) for crop, row in zip(crops, points, strict=True)])
    outputs = {"keypoints": seen, "scores": np.ones((3, 21)), "xyz_root": turned + np.array([0.003, 0, 0])}
    evaluator = CropEvaluator([MPJPE(), PAMPJPE(), AUC3D(), OKSAP()])
    evaluator.process([outputs], {"crop": crops, "labels": labels, "image": ["a", "a", "b"]})
    values = evaluator.evaluate(3)
    assert values["MPJPE_mm"] == values["EPE3D_mm"] == pytest.approx(3)
    assert values["PA_MPJPE_mm"] == pytest.approx(0, abs=1e-6)
    assert values["AUC3D_20_50mm"] == values["OKS_AP"] == 1
    evaluator.process([{"keypoints": seen}], {"crop": crops, "labels": labels, "image": ["a", "a", "b"]})
    assert np.isnan(evaluator.evaluate(3)["MPJPE_mm"])


def test_pictures_show_labels_where_they_are(tiny: ModuleType) -> None:
    from handkit.drawing import contact_sheet, crop_picture

    crop = np.zeros((10, 12, 3), np.uint8)
    points = np.tile([[2.0, 3.0]], (21, 1))
    shown = np.zeros(21, bool)
    picture = crop_picture(crop, points, shown, least=100)
    assert picture.shape == (100, 120, 3)
    assert not picture.any()
    shown[0] = True
    y, x = np.nonzero(crop_picture(crop, points, shown, least=100).any(-1))
    assert (x.mean(), y.mean()) == (pytest.approx(24.5, abs=0.6), pytest.approx(34.5, abs=0.6))
    sheet = contact_sheet([picture] * 3, columns=2)
    assert sheet.shape == (2 * 104 + 4, 2 * 124 + 4, 3)
