"""The mean of several trainings' weights."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor

from handkit.apps.cli.main import main
from handkit.checkpoints import mean_weights, read_state_dict
from handkit.checkpoints.weights import save_tensors
from handkit.errors import CheckpointError


def state(value: float, count: int = 3) -> dict[str, Tensor]:
    return {"conv.weight": torch.full((2, 2), value), "bn.num_batches_tracked": torch.tensor(count)}


def test_it_is_the_mean_and_counts_are_the_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = [tmp_path / f"{number}.safetensors" for number in range(3)]
    for file, (value, count) in zip(files, ((1.0, 5), (2.0, 6), (6.0, 9)), strict=True):
        save_tensors(state(value, count), file)
    out = tmp_path / "new" / "mean.safetensors"
    monkeypatch.setattr(sys, "argv", ["handkit", "checkpoint", "mean", *map(str, files), "--out", str(out)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    made = read_state_dict(out)
    assert torch.equal(made["conv.weight"], torch.full((2, 2), 3.0))
    assert made["bn.num_batches_tracked"] == 9
    with pytest.raises(CheckpointError, match="is there already"):
        mean_weights(files, out)


def test_halves_are_averaged_in_single_precision(tmp_path: Path) -> None:
    files = [tmp_path / "a.safetensors", tmp_path / "b.safetensors"]
    for file, value in zip(files, (1.0, 1.0009765625), strict=True):
        save_tensors({"weight": torch.full((2, 2), value).half()}, file)
    mean_weights(files, tmp_path / "mean.safetensors")
    assert read_state_dict(tmp_path / "mean.safetensors")["weight"][0, 0] == 1.00048828125


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"conv.weight": torch.ones(2, 2)}, "'bn.num_batches_tracked' is not in both"),
        ({**state(1.0), "conv.weight": torch.ones(3, 2)}, "'conv.weight' is not in both, or has another shape"),
        ({**state(1.0), "conv.weight": torch.full((2, 2), float("nan"))}, "NaN or infinity"),
        (None, "two files or more, not 1"),
    ],
)
def test_what_has_no_mean(other: dict[str, Tensor] | None, message: str, tmp_path: Path) -> None:
    files = [tmp_path / "a.safetensors", tmp_path / "b.safetensors"]
    save_tensors(state(1.0), files[0])
    if other is not None:
        save_tensors(other, files[1])
    with pytest.raises(CheckpointError, match=message):
        mean_weights(files if other is not None else files[:1], tmp_path / "mean.safetensors")
    assert not (tmp_path / "mean.safetensors").exists()
