"""`handkit test` on the tiny recipe, with random weights: rows and joints, no accuracy."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from handkit.apps.cli.main import main
from handkit.checkpoints import save_weights
from handkit.engine import measure
from handkit.errors import CheckpointError, ConfigError
from handkit.registry import build
from handkit.registry.config import load_config

TINY = "hand_2d_keypoints/hrnetv2_w18_dark_tiny"
FEW = {"val_dataset.count": 5, "workers": 0}


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "random.safetensors"
    save_weights(build(load_config(TINY)["model"]), path)
    return path


def test_one_row_per_number(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "predictions.json"
    options = [f"--cfg-options={key}={value}" for key, value in FEW.items()]
    monkeypatch.setattr(sys, "argv", ["handkit", "test", TINY, str(weights), "--out", str(out), *options])
    with pytest.raises(SystemExit) as stop:
        main()
    assert not stop.value.code
    rows = dict(line.split() for line in capsys.readouterr().out.splitlines())
    assert {"PCK@0.2", "AUC", "AUC_closed", "EPE", "NME"} <= set(rows)
    written = json.loads(out.read_text("utf-8"))
    assert float(rows["PCK@0.2"]) == pytest.approx(written["metrics"]["PCK@0.2"], abs=1e-4)
    assert len(written["samples"]) == 5
    assert np.shape(written["samples"][0]["keypoints"]) == (21, 2)


def test_the_flip_test_is_part_of_the_measurement(weights: Path) -> None:
    plain = measure(TINY, weights, "cpu", FEW)
    assert plain == measure(TINY, weights, "cpu", FEW)
    assert measure(TINY, weights, "cpu", {**FEW, "flip_test": "aligned"})["EPE"] != plain["EPE"]


def test_what_is_missing_is_named(weights: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="names no 'val_dataset'"):
        measure(TINY, weights, "cpu", {"val_dataset": None})
    (tmp_path / "cut.safetensors").write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(CheckpointError, match=r"cut\.safetensors"):
        measure(TINY, tmp_path / "cut.safetensors", "cpu", FEW)
