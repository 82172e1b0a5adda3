"""`handkit checkpoint` and `handkit cp` as commands."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import torch

from handkit.registry import MODELS, build
from handkit.registry.config import load_config

CONFIG = """
task = 'hand_2d_keypoints'
model = dict(type='TopDownEstimator', backbone=dict(type='ResNet', depth=18), head=dict(type='HeatmapHead',
    in_channels=512, deconv_out_channels=(8, 8, 8)), losses=[dict(type='KeypointMSELoss')])
test_transforms = [dict(type='LoadImage'), dict(type='TopDownAffine', input_size=(64, 32))]
"""


def test_convert_inspect_and_strip(cli: Any, tmp_path: Path) -> None:
    config = tmp_path / "mine.py"
    config.write_text(CONFIG)
    state = build(load_config(config)["model"], MODELS).state_dict()
    torch.save({"state_dict": {f"module.{key}": value for key, value in state.items()}}, tmp_path / "a.pth")
    new = tmp_path / "b.safetensors"
    code, out, err = cli("checkpoint", "convert", config, tmp_path / "a.pth", new, "--json", tmp_path / "r.json")
    assert (code, err) == (0, "")
    assert "on an input of (2, 3, 32, 64) differ by 0" in out
    assert len(json.loads((tmp_path / "r.json").read_text())["renamed"]) == len(state)
    code, out, _ = cli("checkpoint", "inspect", new, "--keys", "--json", tmp_path / "i.json")
    assert (code, "head.final_layer.bias float32 (21,)" in out) == (0, True)
    assert json.loads((tmp_path / "i.json").read_text())["safe"] is True
    for report, message in (("i.json", "is there already"), ("b.safetensors", "are the weights themselves")):
        code, _, err = cli("checkpoint", "inspect", new, "--json", tmp_path / report)
        assert (code, message in err) == (2, True)
    assert cli("checkpoint", "inspect", new, "--json", tmp_path / "i.json", "--overwrite")[0] == 0
    code, out, _ = cli("checkpoint", "strip", new, tmp_path / "c.safetensors", "--half")
    assert (code, "read back" in out) == (0, True)
    assert (tmp_path / "c.safetensors").stat().st_size < 0.6 * new.stat().st_size
    code, _, err = cli("checkpoint", "strip", new, tmp_path / "c.safetensors")
    assert (code, "is there already" in err) == (2, True)


def test_what_does_not_fit_ends_with_the_report(cli: Any, tmp_path: Path) -> None:
    config = tmp_path / "mine.py"
    config.write_text(CONFIG)
    state = build(load_config(config)["model"]["backbone"], MODELS).state_dict()
    torch.save({**state, "fc.bias": torch.ones(1000)}, tmp_path / "resnet18.pth")
    code, out, err = cli("checkpoint", "convert", config, tmp_path / "resnet18.pth", tmp_path / "b")
    assert code == 2
    assert "missing:" in out
    assert "unexpected:" in out
    assert "nothing is written" in err
    assert not (tmp_path / "b").exists()
    code, out, _ = cli("checkpoint", "convert", config, tmp_path / "resnet18.pth", tmp_path / "b", "--backbone")
    assert (code, "1 dropped:\n  fc.bias" in out) == (0, True)
    other = "pipelines/hand_2d_keypoints_mediapipe"
    code, _, err = cli("checkpoint", "convert", other, tmp_path / "b", tmp_path / "c")
    assert (code, "is no torch module" in err) == (2, True)


class Payload:
    def __reduce__(self) -> Any:
        return os.mkdir, ("harm",)


def test_an_unsafe_file_is_code_2(cli: Any, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"state_dict": {"a": torch.ones(1)}, "meta": Payload()}, "a.pth")
    code, out, _ = cli("checkpoint", "inspect", "a.pth")
    assert (code, "NOT SAFE" in out) == (2, True)
    assert os.listdir(tmp_path) == ["a.pth"]


def test_cp(cli: Any, tmp_path: Path) -> None:
    name = "pipelines/hand_2d_keypoints_hrnetv2_w18_dark"
    code, out, _ = cli("cp", name, tmp_path)
    assert (code, out.splitlines()[0]) == (0, str(tmp_path / f"{name}.py"))
    code, _, err = cli("cp", name, tmp_path)
    assert (code, "are there already" in err) == (2, True)
    assert cli("cp", name, tmp_path, "--flat")[0] == 0
    code, _, err = cli("cp", name, tmp_path / f"{name}.py")
    assert (code, "is a file and no folder" in err) == (2, True)
    assert cli("validate", tmp_path / f"{Path(name).name}.py")[0] == 0
    assert cli("cp", "pipelines/nothing", tmp_path)[0] == 2
