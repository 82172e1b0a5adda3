"""Two processes, joined by gloo as Slurm would start them, train one model: see `two_processes.py`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from handkit.checkpoints import read_state_dict
from handkit.engine.state import read_state

PROGRAM = Path(__file__).with_name("two_processes.py")
pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the pairs are forked")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of all scenarios."""
    folder = tmp_path_factory.mktemp("two")
    environment = {**os.environ, "GLOO_SOCKET_IFNAME": "lo", "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, str(PROGRAM), str(folder)], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    return folder


def codes(folder: Path) -> list[int]:
    found: list[int] = json.loads((folder / "codes.json").read_text())
    return found


def found(folder: Path, size: int = 2) -> list[dict[str, Any]]:
    """What the processes of a scenario that went well have found."""
    logs = "".join(path.read_text() for path in sorted(folder.glob("*.log")))
    assert codes(folder) == [0] * size, logs
    return [torch.load(folder / f"rank{rank}.pth", weights_only=True) for rank in range(size)]


def same(one: Any, other: Any, exact: bool = True) -> bool:
    """Equal values; tensors bit for bit, or as far as the order of sums in float32 lets them."""
    if isinstance(one, torch.Tensor):
        return torch.equal(one, other) if exact else torch.allclose(one, other, rtol=1e-4, atol=1e-6)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[k], other[k], exact) for k in one if "minutes" not in str(k))
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(same(a, b, exact) for a, b in zip(one, other, strict=True))
    return bool(one == other)


def lines(folder: Path, kind: str) -> list[dict[str, Any]]:
    rows = map(json.loads, (folder / "training/metrics.jsonl").read_text().splitlines())
    timed = ("minutes", "samples_per_second")
    return [{k: v for k, v in row.items() if k not in timed} for row in rows if row["kind"] == kind]


@pytest.mark.slow
@pytest.mark.parametrize("scenario", ["whole", "plain", "uneven"])
def test_weights_statistics_average_and_optimizer_are_equal_on_both(runs: Path, scenario: str) -> None:
    one, other = found(runs / scenario)
    for name in ("model", "average", "optimizer"):
        assert same(one[name], other[name]), name
    assert not torch.equal(one["random"], other["random"])  # each draws its own dropout


@pytest.mark.slow
@pytest.mark.parametrize("scenario", ["whole", "plain", "uneven"])
def test_together_they_see_what_one_process_sees(runs: Path, scenario: str) -> None:
    pair, (alone,) = found(runs / scenario), found(runs / f"{scenario}-alone", 1)
    together = list(zip(*(part["seen"] for part in pair), strict=True))
    assert [sorted(a + b) for a, b in together] == [sorted(batch) for batch in alone["seen"]]
    assert all(a and b and not set(a) & set(b) for a, b in together)


@pytest.mark.slow
@pytest.mark.parametrize("scenario", ["plain", "uneven"])
def test_a_loss_that_is_a_mean_over_samples_trains_as_in_one_process(runs: Path, scenario: str) -> None:
    one, (alone,) = found(runs / scenario)[0], found(runs / f"{scenario}-alone", 1)
    assert same(one["model"], alone["model"], exact=False)
    assert same(one["average"], alone["average"], exact=False)
    for kind in ("train", "epoch"):
        pair, single = lines(runs / scenario, kind), lines(runs / f"{scenario}-alone", kind)
        assert [row.keys() for row in pair] == [row.keys() for row in single]
        for row, other in zip(pair, single, strict=True):
            assert {k: pytest.approx(v, rel=1e-4) for k, v in other.items() if k != "kind"}.items() <= row.items()


@pytest.mark.slow
def test_process_0_alone_writes(runs: Path) -> None:
    pair, alone = (sorted(p.name for p in (runs / name / "training").rglob("*.*")) for name in ("whole", "whole-alone"))
    stamped = [[name for name in names if not name[:8].isdecimal()] for names in (pair, alone)]
    assert stamped[0] == stamped[1]
    assert len(pair) == len(alone)
    assert (runs / "whole/rank1.log").read_text() == ""


@pytest.mark.slow
def test_stopped_after_every_iteration_by_the_clock_of_one(runs: Path) -> None:
    for one, other in zip(found(runs / "whole"), found(runs / "pieces"), strict=True):
        for name in ("model", "average", "optimizer", "random", "iteration"):
            assert same(one[name], other[name]), name
    assert lines(runs / "whole", "train") == lines(runs / "pieces", "train")
    assert lines(runs / "whole", "epoch") == lines(runs / "pieces", "epoch")
    states = [read_state(runs / name / "training/last.pth") for name in ("whole", "pieces")]
    assert same(*states)
    assert len(states[0]["random_of_others"]) == 1
    best = [read_state_dict(runs / name / "training/best.safetensors") for name in ("whole", "pieces")]
    assert same(*best)


@pytest.mark.slow
def test_a_signal_to_one_stops_both_and_saves(runs: Path) -> None:
    for part in found(runs / "signalled"):
        assert (part["stopped"], part["iteration"]) == ("SIGTERM", 3)
    assert read_state(runs / "signalled/training/last.pth")["progress"]["iteration"] == 3


@pytest.mark.slow
@pytest.mark.parametrize(
    ("scenario", "expected", "told"),
    [
        ("broken", [1, 2], "missing-5.png: no such file"),
        ("poisoned", [1, 2], "loss_keypoints is nan in iteration"),
        ("crashed", [1, 1], "ProcessError: process 1: KeyError('absent')"),
        ("killed", [1, -1], "ProcessError: another process of this run is gone"),
        ("taken", [1, 2], "holds weights but no config.py"),
        ("full", [1, 2], "TrainingError: cannot write"),
    ],
)
def test_an_error_on_one_ends_both(runs: Path, scenario: str, expected: list[int], told: str) -> None:
    assert codes(runs / scenario) == expected
    assert told in (runs / scenario / "rank0.log").read_text()
    if expected != [1, 1]:  # an error of handkit's own is told once
        assert (runs / scenario / "rank1.log").read_text() == ""


@pytest.mark.slow
def test_the_bad_batch_is_that_of_both(runs: Path) -> None:
    bad = torch.load(runs / "poisoned/training/bad_batch.pth", weights_only=True)
    assert len(set(bad["sample_ids"])) == len(bad["batch"]["img"]) == 8
    assert "tiny 5" in bad["sample_ids"]
    assert (bad["batch"]["img"][bad["sample_ids"].index("tiny 5"), :, 0, 0] == 1).all()
