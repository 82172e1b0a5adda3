"""What a training computes, writes, and refuses."""

from __future__ import annotations

import copy
import csv
import errno
import io
import json
import os
import pickle
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from mmengine.hooks import Hook
from rich.console import Console

from handkit.checkpoints import load_weights, read_state_dict
from handkit.engine import build_runner
from handkit.engine.hooks import StateHook
from handkit.engine.precision import Precision
from handkit.engine.state import read_state
from handkit.errors import CheckpointError, ConfigError, DataError, ImageError, TrainingError
from handkit.registry import build
from handkit.registry.config import load_config
from handkit.runtime.torch import TorchRuntime


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_what_a_training_leaves(tiny: ModuleType, tmp_path: Path) -> None:
    config = tiny.config(keep_last=2)
    runner = build_runner(config, tmp_path)
    runner.train()
    assert {path.name for path in tmp_path.iterdir() if path.is_file()} == {
        *("config.py", "last.pth", "best.safetensors", "metrics.jsonl", "results.csv"),
        *("first_batch.png", "predictions.png", "epoch_3.pth", "epoch_4.pth"),
    }
    assert load_config(tmp_path / "config.py") == config
    rows = list(csv.DictReader(io.StringIO((tmp_path / "results.csv").read_text())))
    assert [row["epoch"] for row in rows] == ["1", "2", "3", "4"]
    assert [row["EPE"] != "" for row in rows] == [False, True, False, True]
    best = max(rows, key=lambda row: float(row["PCK@0.2"] or -1))
    assert runner.state.progress.best == float(best["PCK@0.2"])
    losses = tiny.losses_of(tmp_path)
    assert np.mean([losses[n] for n in range(1, 7)]) == pytest.approx(float(rows[0]["train_loss"]), rel=1e-12)
    assert losses[24] < losses[1]


def test_the_weights_of_every_file_can_be_used(tiny: ModuleType, tmp_path: Path) -> None:
    runner = build_runner(tiny.config(val_dataset=None), tmp_path)
    runner.train()
    average = runner.state.average.state_dict()
    for name in ("best.safetensors", "last.pth"):
        weights = read_state_dict(tmp_path / name)
        assert weights.keys() == average.keys()
        assert all(torch.equal(weights[key], average[key]) for key in average)
    model = build(tiny.config()["model"])
    TorchRuntime("cpu").prepare(model, tmp_path / "last.pth", [], None)
    own = read_state(tmp_path / "last.pth")["model"]
    assert any(not torch.equal(own[key], average[key]) for key in own)


def test_the_measured_weights_are_the_best_ones(tiny: ModuleType, tmp_path: Path) -> None:
    """Measuring best.safetensors by a runner that learns nothing gives the best value again."""
    runner = build_runner(tiny.config(best_metric="EPE", best_mode="min"), tmp_path / "one")
    runner.train()
    best = str(tmp_path / "one" / "best.safetensors")
    still = {"optimizer": dict(type="SGD", lr=0.0), "schedule": None, "ema_decay": None}
    again = tiny.config(load_from=best, max_epochs=1, model=dict(type="TinyNet"), **still)
    again["train_dataset"] = dict(type="TinyHands", length=8)
    again["batch_size"] = 8
    other = build_runner(again, tmp_path / "two")
    other.model.module.body[1].momentum = 0.0  # the batch norm's statistics stay as they are
    other.train()
    rows = list(csv.DictReader(io.StringIO((tmp_path / "two" / "results.csv").read_text())))
    assert float(rows[0]["EPE"]) == pytest.approx(runner.state.progress.best, rel=1e-9)


def test_accumulated_gradients_are_those_of_the_large_batch(tiny: ModuleType, tmp_path: Path) -> None:
    weights = []
    for parts in (1, 3):
        config = tiny.config(model=dict(type="PlainNet"), max_epochs=1, accumulate=parts, optimizer=dict(type="SGD"))
        runner = build_runner(config, tmp_path / str(parts))
        runner.train()
        weights.append(torch.cat([p.detach().flatten() for p in runner.model.parameters()]))
    assert (weights[0] - weights[1]).abs().max() < 1e-6
    assert tiny.losses_of(tmp_path / "1")[6] == pytest.approx(tiny.losses_of(tmp_path / "3")[6], rel=1e-5)


def test_one_step_is_that_of_plain_torch(tiny: ModuleType, tmp_path: Path) -> None:
    """The same batch through the same model by hand: loss, clipped gradient, scaled and warmed-up learning rate."""
    schedule = dict(type="ConstantSchedule", warmup_iters=3, warmup_ratio=0.5)
    config = tiny.config(
        **{"model": dict(type="PlainNet"), "optimizer": dict(type="SGD", lr=0.4, momentum=0.0), "schedule": schedule},
        **{"lr_base_batch": 32, "clip_grad_norm": 0.1, "max_epochs": 1, "ema_decay": None},
    )
    runner = build_runner(config, tmp_path)
    batch = runner.model.prepare(next(iter(runner.train_dataloader)))
    model = build(config["model"])
    model.load_state_dict(runner.model.module.state_dict())
    loss = model(**batch, mode="loss")["loss"]
    loss.backward()
    norm = torch.cat([p.grad.flatten() for p in model.parameters()]).norm()
    assert norm > 0.1
    rate = 0.4 * 8 / 32 * 0.5
    expected = {name: p.detach() - rate * p.grad * 0.1 / norm for name, p in model.named_parameters()}
    runner.stopper._max_minutes = 0
    runner.train()
    for name, p in runner.model.module.named_parameters():
        torch.testing.assert_close(p.detach(), expected[name], rtol=1e-4, atol=1e-7)
    assert tiny.losses_of(tmp_path) == {1: pytest.approx(loss.item(), rel=1e-6)}


def test_bfloat16(tiny: ModuleType, tmp_path: Path) -> None:
    for precision in ("fp32", "bf16"):
        runner = build_runner(tiny.config(max_epochs=1, precision=precision), tmp_path / precision)
        runner.train()
        assert {p.dtype for p in runner.model.parameters()} == {torch.float32}
    full, half = (tiny.losses_of(tmp_path / name) for name in ("fp32", "bf16"))
    assert full[1] != half[1] == pytest.approx(full[1], rel=0.02)
    with pytest.raises(ConfigError, match="precision='fp16' needs CUDA"):
        build_runner(tiny.config(precision="fp16"), tmp_path / "fp16", device="cpu")


def test_stops_at_a_loss_that_is_no_number(tiny: ModuleType, tmp_path: Path) -> None:
    config = tiny.config(
        model=dict(type="TinyNet", poison=1.0),
        train_dataset=dict(type="TinyHands", white=17),
        seed=1,
        save_interval=1,
    )
    config["train_transforms"] = [step for step in config["train_transforms"] if "Random" not in step["type"]]
    runner = build_runner(config, tmp_path)
    with pytest.raises(TrainingError, match=r"loss_keypoints is nan in iteration \d+ \(epoch 1\).*bad_batch\.pth"):
        runner.train()
    bad = torch.load(tmp_path / "bad_batch.pth", weights_only=True)
    assert "tiny 17" in bad["sample_ids"]
    assert bad["batch"]["img"].shape == (8, 3, tiny.SIZE, tiny.SIZE)
    state = read_state(tmp_path / "last.pth")
    assert state["progress"]["iteration"] == bad["iteration"] > 0
    assert all(value.isfinite().all() for value in state["model"].values())


@pytest.mark.parametrize("workers", [0, 2])
def test_a_sample_that_cannot_be_read_is_one_clear_error(tiny: ModuleType, tmp_path: Path, workers: int) -> None:
    config = tiny.config(train_dataset=dict(type="TinyHands", broken=5), workers=workers)
    with pytest.raises(ImageError, match=r"missing-5\.png") as caught:
        build_runner(config, tmp_path).train()
    assert "\n" not in str(caught.value)
    with pytest.raises(DataError, match="7 samples, which is less than one batch of 8"):
        build_runner(tiny.config(train_dataset=dict(type="TinyHands", length=7)), tmp_path / "small")


class FullDisk(Hook):
    """From an iteration on every write to a file fails."""

    priority = "HIGHEST"

    def __init__(self, monkeypatch: pytest.MonkeyPatch, iteration: int) -> None:
        self._monkeypatch = monkeypatch
        self._iteration = iteration

    def after_train_iter(self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        def fail(number: int) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        if runner.iter + 1 == self._iteration:
            self._monkeypatch.setattr("handkit.files.os.fsync", fail)


@pytest.mark.parametrize("iteration", [4, 6])
def test_a_full_disk_overwrites_nothing(
    tiny: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, iteration: int
) -> None:
    runner = build_runner(tiny.config(), tmp_path, hooks=[FullDisk(monkeypatch, iteration)])
    with pytest.raises(TrainingError, match=r"No space left on device.*--resume"):
        runner.train()
    monkeypatch.undo()
    assert read_state(tmp_path / "last.pth")["progress"]["iteration"] in (iteration - 2, iteration - 1)
    assert not list(tmp_path.glob("**/.*.part"))
    build_runner(tiny.config(), tmp_path, resume=True).train()
    build_runner(tiny.config(), tmp_path / "whole").train()
    assert tiny.losses_of(tmp_path) == tiny.losses_of(tmp_path / "whole")


def test_a_work_dir_belongs_to_one_config(tiny: ModuleType, tmp_path: Path) -> None:
    build_runner(tiny.config(max_epochs=1), tmp_path).train()
    before = bytes_of(tmp_path)
    with pytest.raises(ConfigError, match=r"another config \(optimizer\.lr was 0\.001, is 0\.1\): choose another"):
        build_runner(tiny.config(max_epochs=1, optimizer=dict(type="AdamW", lr=0.1)), tmp_path, resume=True)
    with pytest.raises(TrainingError, match="holds a training already: add --resume"):
        build_runner(tiny.config(max_epochs=1), tmp_path)
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "last.pth").write_bytes(b"?")
    with pytest.raises(ConfigError, match=r"no config\.py to tell whose"):
        build_runner(tiny.config(), tmp_path / "foreign", resume=True)
    assert bytes_of(tmp_path) == before
    build_runner(tiny.config(max_epochs=1, workers=1, log_interval=3), tmp_path, resume=True).train()


class Hostile:
    def __reduce__(self) -> Any:
        return os.system, ("touch pwned",)


def _foreign(content: Any) -> bytes:
    buffer = io.BytesIO()
    torch.save(content, buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda own: own[: len(own) // 2], "damaged"),
        (lambda own: b"", "damaged"),
        (lambda own: _foreign({"format": "handkit-training", "optimizer": Hostile()}), "could run code"),
        (lambda own: _foreign({"state_dict": {}, "meta": {"epoch": 3}}), "no training state of handkit's.*load_from="),
        (lambda own: _foreign({"format": "handkit-training", "version": 9}), "training format 9"),
    ],
)
def test_what_cannot_be_resumed(
    tiny: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Any, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    config = tiny.config(max_epochs=1)
    build_runner(config, "work", max_minutes=0).train()
    last = Path("work/last.pth")
    last.write_bytes(make(last.read_bytes()))
    before = bytes_of(Path("work"))
    with pytest.raises(CheckpointError, match=message):
        build_runner(config, "work", resume=True).train()
    assert bytes_of(Path("work")) == before
    assert not Path("pwned").exists()


def test_the_state_of_another_training_is_refused(tiny: ModuleType, tmp_path: Path) -> None:
    config = tiny.config(max_epochs=1)
    others = {
        "missing: body.1.weight": {"model": dict(type="PlainNet")},
        "misshaped: body.0.weight": {"model": dict(type="TinyNet", width=4)},
        "without ema_decay": {"ema_decay": None},
        "a training set of 56 samples in 7 batches": {"train_dataset": dict(type="TinyHands", length=56)},
        "another model or optimizer": {"optimizer": dict(type="Adam")},
    }
    build_runner(config, tmp_path / "mine", max_minutes=0).train()
    for number, (message, changes) in enumerate(others.items()):
        folder = tmp_path / str(number)
        build_runner({**config, **changes}, folder, max_minutes=0).train()
        runner = build_runner(config, tmp_path / "mine", resume=True)
        before = {key: value.clone() for key, value in runner.model.module.state_dict().items()}
        with pytest.raises(CheckpointError, match=message):
            runner.state.resume(folder / "last.pth")
        assert all(torch.equal(before[key], value) for key, value in runner.model.module.state_dict().items())


def test_a_metric_that_is_not_measured_cannot_be_the_best(tiny: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"best_metric: 'PCK' is not measured; the metrics give PCK@0\.2, EPE"):
        build_runner(tiny.config(best_metric="PCK"), tmp_path)
    assert not list(tmp_path.iterdir())


def test_two_metrics_of_one_name_are_refused_before_training(tiny: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"two of them give the number 'PCK@0\.2'"):
        build_runner(tiny.config(metrics=[dict(type="PCK"), dict(type="PCK")]), tmp_path)


@pytest.mark.parametrize(
    ("changes", "best"),
    [
        ({"best_metric": "EPE"}, 2.0),
        ({"metrics": [dict(type="EPE"), dict(type="PCK")]}, 2.0),
        ({"best_metric": "PCK@0.2"}, 0.7),
        ({"best_metric": "EPE", "best_mode": "max"}, 3.0),
    ],
)
def test_the_best_weights_have_the_smallest_error(
    changes: dict[str, Any], best: float, tiny: ModuleType, tmp_path: Path
) -> None:
    runner = build_runner(tiny.config(**changes), tmp_path)
    hook = next(hook for hook in runner.hooks if isinstance(hook, StateHook))
    order = ["EPE", "PCK@0.2"] if "metrics" in changes else ["PCK@0.2", "EPE"]
    for values in ({"EPE": 3.0, "PCK@0.2": 0.5}, {"EPE": 2.0, "PCK@0.2": 0.7}, {"EPE": 2.5, "PCK@0.2": 0.6}):
        hook.after_epoch(runner, {name: values[name] for name in order})
    assert runner.state.progress.best == best


def test_begins_with_given_weights(tiny: ModuleType, tmp_path: Path) -> None:
    build_runner(tiny.config(max_epochs=1), tmp_path / "one").train()
    best = tmp_path / "one" / "best.safetensors"
    runner = build_runner(tiny.config(load_from=str(best)), tmp_path / "two")
    model = build(tiny.config()["model"])
    load_weights(model, best)
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), runner.model.parameters(), strict=True))
    with pytest.raises(CheckpointError, match="does not fit the TinyNet"):
        build_runner(tiny.config(model=dict(type="TinyNet", width=3), load_from=str(best)), tmp_path / "three")


def test_the_console_and_mmengines_log(tiny: ModuleType, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    out = io.StringIO()
    build_runner(tiny.config(), tmp_path, console=Console(file=out, force_terminal=True, width=120)).train()
    assert "epoch 4/4 done: PCK@0.2 0." in out.getvalue()
    assert "24/24" in out.getvalue()
    assert capfd.readouterr().out == ""
    assert len(list(tmp_path.glob("*/*.log"))) == 1


def test_the_bar_tells_the_time_left_and_a_file_gets_lines(
    tiny: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, shown, piped = tiny.config(max_epochs=1, val_dataset=None), io.StringIO(), io.StringIO()
    terminal = Console(file=shown, force_terminal=True, color_system=None, width=120)
    build_runner(config, tmp_path / "one", console=terminal).train()
    assert re.search(r"epoch 1/1 .* 6/6 loss [\d.]+ \d:\d\d:\d\d left \d:\d\d:\d\d", shown.getvalue())
    monkeypatch.setattr("handkit.engine.display._QUIET_SECONDS", 0.0)
    build_runner(config, tmp_path / "two", console=Console(file=piped, width=120)).train()
    lines = piped.getvalue().splitlines()
    assert [line.partition(",")[0] for line in lines[:-1]] == [f"epoch 1/1: iteration {n} of 6" for n in range(1, 7)]
    assert lines[-1] == "epoch 1/1 done"


def test_metrics_are_json_lines(tiny: ModuleType, tmp_path: Path) -> None:
    build_runner(tiny.config(max_epochs=2, log_interval=4), tmp_path).train()
    rows = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert [(row["kind"], row["epoch"], row["iteration"]) for row in rows] == [
        *(("train", 1, 4), ("epoch", 1, 6), ("train", 2, 8), ("train", 2, 12), ("epoch", 2, 12))
    ]
    assert {"loss", "loss_keypoints", "grad_norm", "lr", "samples_per_second"} < rows[0].keys()


def test_depthwise_convolutions_stay_in_float32_under_bfloat16_on_a_cpu() -> None:
    torch.manual_seed(0)
    plain = torch.nn.Sequential(torch.nn.Conv2d(8, 8, 5, padding=2, groups=8), torch.nn.Conv2d(8, 4, 1))
    prepared = copy.deepcopy(plain)
    images = torch.rand(2, 8, 16, 16)
    bf16 = Precision("bf16", torch.device("cpu"))
    bf16.prepare(prepared)
    seen: list[torch.Tensor] = []
    watch = prepared[0].register_forward_hook(lambda _conv, _inputs, out: seen.append(out))
    with bf16.autocast():
        out = prepared(images)
    watch.remove()
    assert out.dtype == seen[0].dtype == torch.bfloat16
    torch.testing.assert_close(seen[0], plain[0](images).to(torch.bfloat16), atol=0, rtol=0)
    out.float().square().sum().backward()
    assert all(value.grad is not None and value.grad.isfinite().all() for value in prepared.parameters())
    assert torch.equal(prepared(images), plain(images))
    assert prepared.state_dict().keys() == plain.state_dict().keys()
    again = pickle.loads(pickle.dumps(prepared))
    assert torch.equal(again(images), plain(images))
