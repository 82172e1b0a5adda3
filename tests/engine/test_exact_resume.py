"""A training that was killed, stopped or interrupted goes on bit for bit."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from mmengine.runner import ValLoop

from handkit.checkpoints import read_state_dict
from handkit.engine import build_runner
from handkit.engine.state import read_state


def assert_same(one: Any, other: Any, where: str = "state") -> None:
    """Bit for bit, times apart."""
    assert type(one) is type(other), where
    if isinstance(one, torch.Tensor):
        assert torch.equal(one, other), where
    elif isinstance(one, dict):
        assert one.keys() == other.keys(), where
        for key in one:
            if "minutes" not in str(key):
                assert_same(one[key], other[key], f"{where}.{key}")
    elif isinstance(one, (list, tuple)):
        assert len(one) == len(other), where
        for index, pair in enumerate(zip(one, other, strict=True)):
            assert_same(*pair, f"{where}.{index}")
    else:
        assert one == other, where


def run(program: Path, folder: Path, *arguments: str, kill_at: int | None = None) -> subprocess.CompletedProcess[str]:
    kill = [] if kill_at is None else ["--kill-at", str(kill_at)]
    command = [sys.executable, str(program), str(folder), "workers=2", *arguments, *kill]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.slow
def test_three_kills_inside_epochs_change_nothing(tiny: ModuleType, program: Path, tmp_path: Path) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert run(program, whole).returncode == 0
    epoch = tiny.SAMPLES // 8
    kills = sorted(np.random.default_rng(3).choice([n for n in range(3, 4 * epoch) if n % epoch], 3, replace=False))
    for iteration in kills:
        done = run(program, killed, "--resume", kill_at=int(iteration))
        assert done.returncode == -signal.SIGKILL, done.stderr
        assert read_state(killed / "last.pth")["progress"]["iteration"] < iteration
    assert run(program, killed, "--resume").returncode == 0
    assert_same(read_state(whole / "last.pth"), read_state(killed / "last.pth"))
    assert tiny.losses_of(whole) == tiny.losses_of(killed)
    assert len(tiny.losses_of(whole)) == 4 * epoch
    assert_same(read_state_dict(whole / "best.safetensors"), read_state_dict(killed / "best.safetensors"))


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_the_whole_group_saves_and_stops(
    tiny: ModuleType, program: Path, tmp_path: Path, number: signal.Signals
) -> None:
    command = [sys.executable, str(program), str(tmp_path), "workers=2", "max_epochs=5000", "val_interval=5000"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    deadline = time.monotonic() + 60
    while not (tmp_path / "last.pth").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    os.killpg(process.pid, number)
    out, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    _, reason, iteration = out.splitlines()[-1].split()
    assert reason == number.name
    assert read_state(tmp_path / "last.pth")["progress"]["iteration"] == int(iteration) > 0
    assert "Traceback" not in errors


@pytest.mark.parametrize("save_interval", [2, 1000])
def test_stopped_by_the_clock_after_every_iteration(tiny: ModuleType, tmp_path: Path, save_interval: int) -> None:
    config = tiny.config(max_epochs=2, save_interval=save_interval)
    whole, pieces = tmp_path / "whole", tmp_path / "pieces"
    build_runner(config, whole).train()
    stops = 0
    while True:
        runner = build_runner(config, pieces, resume=True, max_minutes=0)
        runner.train()
        if runner.train_loop.stopped is None:
            break
        stops += 1
        assert runner.train_loop.stopped == "0 minutes"
    assert stops == 2 * tiny.SAMPLES // 8 + 1  # after every iteration, and after the first epoch's measurement
    assert_same(read_state(whole / "last.pth"), read_state(pieces / "last.pth"))
    assert tiny.losses_of(whole) == tiny.losses_of(pieces)
    rows = [json.loads(line) for line in (pieces / "metrics.jsonl").read_text().splitlines()]
    assert [row["iteration"] for row in rows if row["kind"] == "epoch"] == [6, 12]


def test_a_mixture_goes_on_with_the_samples_of_its_trainings_seed(tiny: ModuleType, tmp_path: Path) -> None:
    mixture = dict(type="WeightedConcat", datasets=[dict(type="TinyHands"), dict(type="TinyHands")], length=16)
    short, runs = tiny.config(train_dataset=mixture, max_epochs=2, val_dataset=None), []
    for folder, seed, minutes in (("whole", 5, None), ("pieces", 5, 0), ("other", 6, None)):
        config = {**short, "seed": seed}
        runner = build_runner(config, tmp_path / folder, max_minutes=minutes)
        plan = runner.train_dataloader.dataset._view.dataset.plan
        runs.append([plan.locate(index) for index in range(16)])
        runner.train()
    build_runner({**short, "seed": 5}, tmp_path / "pieces", resume=True).train()
    assert runs[0] == runs[1] != runs[2]
    assert tiny.losses_of(tmp_path / "whole") == tiny.losses_of(tmp_path / "pieces")


@pytest.mark.parametrize("number", [signal.SIGTERM, None])
def test_what_ends_a_measurement_costs_nothing(
    tiny: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals | None
) -> None:
    config = tiny.config(max_epochs=2, val_interval=1, save_interval=1000)
    whole, ended = tmp_path / "whole", tmp_path / "ended"
    build_runner(config, whole).train()
    epoch = tiny.SAMPLES // 8
    runner, batches = build_runner(config, ended), []

    def end(loop: ValLoop, *batch: Any) -> None:
        batches.append(batch)
        if number is None:
            raise OSError("the disk of the pictures is gone")
        os.kill(os.getpid(), number)

    with monkeypatch.context() as patch, contextlib.nullcontext() if number else pytest.raises(OSError, match="disk"):
        patch.setattr(ValLoop, "run_iter", end)
        runner.train()
    assert len(batches) == 1, "the batch that was begun, and no other"
    assert runner.train_loop.stopped == (number and number.name)
    progress = read_state(ended / "last.pth")["progress"]
    assert (progress["epoch"], progress["iteration"]) == (0, epoch)
    build_runner(config, ended, resume=True).train()
    assert_same(read_state(whole / "last.pth"), read_state(ended / "last.pth"))
    assert_same(read_state_dict(whole / "best.safetensors"), read_state_dict(ended / "best.safetensors"))
    assert tiny.losses_of(whole) == tiny.losses_of(ended)


def test_stopped_where_log_lines_span_the_stop(tiny: ModuleType, tmp_path: Path) -> None:
    config = tiny.config(max_epochs=1, log_interval=6, val_dataset=None)
    build_runner(config, tmp_path / "whole").train()
    build_runner(config, tmp_path / "pieces", max_minutes=0).train()
    build_runner(config, tmp_path / "pieces", resume=True).train()
    assert tiny.losses_of(tmp_path / "whole") == tiny.losses_of(tmp_path / "pieces") != {}


def test_runs_in_one_process_do_not_touch_each_other(tiny: ModuleType, tmp_path: Path) -> None:
    configs = {"a": tiny.config(max_epochs=1), "b": tiny.config(max_epochs=1, seed=5)}
    for name, config in configs.items():
        build_runner(config, tmp_path / name).train()
    built = [build_runner(config, tmp_path / f"{name}-again") for name, config in configs.items()]
    assert built[0].visualizer is not built[1].visualizer
    for runner in built:
        runner.train()
    for name in configs:
        assert_same(read_state(tmp_path / name / "last.pth"), read_state(tmp_path / f"{name}-again" / "last.pth"))
    assert tiny.losses_of(tmp_path / "a") != tiny.losses_of(tmp_path / "b")


def test_workers_change_nothing(tiny: ModuleType, tmp_path: Path) -> None:
    for workers in (0, 2):
        build_runner(tiny.config(max_epochs=1, workers=workers), tmp_path / str(workers)).train()
    assert tiny.losses_of(tmp_path / "0") == tiny.losses_of(tmp_path / "2")
