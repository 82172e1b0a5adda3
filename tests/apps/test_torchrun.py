"""tools/train.py and tools/test.py, started twice by torchrun."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from handkit.engine import measure
from handkit.engine.state import read_state
from handkit.metrics import score_log

ROOT = Path(__file__).resolve().parents[2]
TINY = "hand_2d_keypoints/hrnetv2_w18_dark_tiny"
#: 3 samples of a batch are 2 and 1; 5 measured ones in batches of 2 are 3 and 2.
FEW = {"train_dataset.count": 6, "batch_size": 3, "max_epochs": 1, "val_dataset.count": 5, "val_batch_size": 2}
OPTIONS = [f"--cfg-options={key}={value}" for key, value in {**FEW, "workers": 0}.items()]


def torchrun(*arguments: object, processes: int = 2) -> subprocess.CompletedProcess[str]:
    """Behind ``--``, without which torchrun takes ``--log`` for one of its own options."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes), "--"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo", "PYTHONPATH": str(ROOT)}
    words = [*command, *map(str, arguments), "--launcher", "pytorch", "--device", "cpu", *OPTIONS]
    return subprocess.run(words, capture_output=True, text=True, env=environment, timeout=300, check=False)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder of a training by two processes, and what they printed."""
    folder = tmp_path_factory.mktemp("torchrun") / "training"
    done = torchrun(ROOT / "tools/train.py", TINY, "--work-dir", folder)
    assert done.returncode == 0, done.stderr
    return folder, done.stdout


@pytest.mark.slow
def test_training(trained: tuple[Path, str]) -> None:
    folder, out = trained
    assert out.count("done after 2 iterations: weights in") == 1
    assert out.count("epoch 1/1 done") == 1
    state = read_state(folder / "last.pth")
    assert state["progress"]["iteration"] == 2
    assert len(state["random_of_others"]) == 1


@pytest.mark.slow
def test_testing_equals_that_of_one_process(trained: tuple[Path, str], tmp_path: Path) -> None:
    weights = trained[0] / "best.safetensors"
    both, alone, log = tmp_path / "both.json", tmp_path / "alone.json", tmp_path / "log.jsonl"
    words = (weights, "--bootstrap", 20, "--out", both, "--log", log)
    done = torchrun(ROOT / "tools/test.py", TINY, *words)
    assert done.returncode == 0, done.stderr
    scores = measure(TINY, weights, "cpu", {**FEW, "workers": 0}, alone, bootstrap=20)
    assert done.stdout.splitlines()[: len(scores.rows())] == scores.rows()
    assert done.stdout.count("PCK@0.2 ") == 2  # of process 0: the row, and the head of the log's table
    assert len(score_log.rows(log)) == 3
    found, expected = (json.loads(path.read_text("utf-8")) for path in (both, alone))
    assert found == expected
    assert len({sample["sample_id"] for sample in found["samples"]}) == len(found["samples"]) == 5


@pytest.mark.slow
def test_an_error_is_told_once(tmp_path: Path) -> None:
    done = torchrun(ROOT / "tools/test.py", TINY, tmp_path / "absent.safetensors")
    assert done.returncode != 0
    assert done.stderr.count("error: ") == 1, done.stderr
    assert "absent.safetensors" in done.stderr
