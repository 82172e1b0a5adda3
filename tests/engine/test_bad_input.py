"""Bad input on its way through `handkit train`: one line that says what and where, and nothing is overwritten."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from handkit.apps.cli.main import main
from handkit.engine import build_runner
from handkit.engine.state import read_state
from handkit.errors import ImageError, TrainingError

CONFIG = """
model = dict(type="TinyNet")
codec = dict(type="GaussianHeatmap", input_size=(32, 32), heatmap_size=(8, 8))
train_dataset = dict(type="CocoHands", ann_file="hands.json")
train_transforms = [
    dict(type="LoadImage"),
    dict(type="TopDownAffine", input_size=(32, 32)),
    dict(type="MMToTensor"),
    dict(type="TopDownGenerateTarget", codec=codec),
    dict(type="PoseCollect", keys=("img", "heatmaps", "target_weight")),
]
optimizer = dict(type="Adam")
batch_size = 2
max_epochs = 2
workers = 0
"""
Run = Callable[..., tuple[object, str]]


@pytest.fixture
def train(tiny: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> Run:
    """`handkit train config.py` in a folder with four labelled JPEG files; gives the exit code and the last line."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HANDKIT_HOME", str(tmp_path / "home"))
    rng = np.random.default_rng(0)
    images, annotations = [], []
    for number in range(4):
        Image.fromarray(rng.integers(0, 255, (48, 48, 3)).astype(np.uint8)).save(f"{number}.jpg")
        joints = np.column_stack([rng.uniform(8, 40, (21, 2)), np.full(21, 2)]).ravel().tolist()
        images.append({"id": number, "file_name": f"{number}.jpg", "width": 48, "height": 48})
        annotations.append({"id": number, "image_id": number, "keypoints": joints, "bbox": [8, 8, 32, 32]})
    Path("hands.json").write_text(json.dumps({"images": images, "annotations": annotations}))
    Path("config.py").write_text(CONFIG)

    def run(*arguments: str) -> tuple[object, str]:
        monkeypatch.setattr(sys, "argv", ["handkit", "train", "config.py", "--work-dir", "work", *arguments])
        code: object = 0
        try:
            main()
        except SystemExit as stop:
            code = stop.code
        err = capsys.readouterr().err.splitlines()
        assert len(err) <= 1, err
        return code or 0, "".join(err)

    return run


def annotate(**fields: Any) -> None:
    document = json.loads(Path("hands.json").read_text())
    document["annotations"][0].update(fields)
    Path("hands.json").write_text(json.dumps(document))


def cut(*names: str) -> None:
    for name in names:
        Path(name).write_bytes(Path(name).read_bytes()[: Path(name).stat().st_size * 9 // 10])


def each(change: Callable[[Path], object]) -> None:
    for number in range(4):
        change(Path(f"{number}.jpg"))


class Hostile:
    def __reduce__(self) -> Any:
        return os.mkdir, ("harm",)


def hostile() -> None:
    torch.save({"format": "handkit-training", "optimizer": Hostile()}, "work/last.pth")


def write(text: str) -> None:
    Path("config.py").write_text(text)


BAD: dict[str, tuple[Callable[[], object], str]] = {
    "missing image": (lambda: each(Path.unlink), r"\d\.jpg \(hands\.json: image \d, annotation \d\): no such file"),
    "corrupt image": (lambda: each(lambda path: cut(str(path))), r"\d\.jpg \(hands\.json: image \d.*truncated"),
    "no image": (lambda: each(lambda path: path.write_text("hi")), r"\d\.jpg \(hands\.json: image \d.*"),
    "empty annotation file": (lambda: Path("hands.json").write_text(""), "hands.json: not a JSON file: it is empty"),
    "no annotations": (
        lambda: Path("hands.json").write_text('{"images": [], "annotations": []}'),
        "hands.json: no usable hand among 0 images",
    ),
    "NaN box": (lambda: annotate(bbox=[8, float("nan"), 32, 32]), "image 0, annotation 0: a box must be .* finite"),
    "negative box": (lambda: annotate(bbox=[8, 8, -32, 32]), "image 0, annotation 0: a box must be .* not negative"),
    "zero visible joints": (lambda: annotate(keypoints=[0.0] * 63), "annotation 0: no joint is labelled inside"),
    "wrong number of joints": (lambda: annotate(keypoints=[1.0] * 51), "annotation 0: keypoints must be 21 joints"),
    "wrong key": (lambda: write(CONFIG + "batchsize = 2"), "unknown key 'batchsize'; did you mean 'batch_size'"),
    "wrong type": (lambda: write(CONFIG + "seed = 'x'"), "seed='x' is not int"),
    "wrong component": (lambda: write(CONFIG.replace('"Adam"', '"Adan"')), "'Adan'; did you mean 'Adam'"),
    "another config": (lambda: write(CONFIG + "seed = 3"), r"work belongs to another config \(seed was None, is 3\)"),
    "truncated checkpoint": (lambda: cut("work/last.pth"), "work/last.pth is damaged"),
    "hostile pickle": (hostile, r"work/last.pth is refused: .* \(posix.mkdir is no tensor or plain value\)"),
    "checkpoint of something else": (
        lambda: torch.save({"state_dict": {}}, "work/last.pth"),
        "work/last.pth is no training state of handkit's",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_one_line_and_nothing_is_overwritten(train: Run, name: str) -> None:
    assert train("--max-minutes", "0") == (0, "")
    spoil, message = BAD[name]
    spoil()
    before = {path.name: path.read_bytes() for path in Path("work").iterdir() if path.is_file()}
    code, line = train("--resume")
    assert code == 2
    assert line.startswith("error: ")
    assert re.search(message, line), line
    after = {path.name: path.read_bytes() for path in Path("work").iterdir() if path.is_file()}
    assert after == before
    assert not Path("harm").exists()


def test_a_bad_picture_among_the_measured_ones(tiny: ModuleType, tmp_path: Path) -> None:
    runner = build_runner(tiny.config(val_dataset=dict(type="TinyHands", length=12, broken=3)), tmp_path)
    with pytest.raises(ImageError, match=r"missing-3\.png"):
        runner.train()
    assert read_state(tmp_path / "last.pth")["progress"]["iteration"] == 12  # all of the two epochs before it


@pytest.mark.parametrize("name", ["last.pth", "best.safetensors", "metrics.jsonl"])
def test_a_disk_that_fills_up_half_way(
    tiny: ModuleType, tmp_path: Path, name: str, disk_of: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    """Each file breaks off in the middle of a write; the one before it stays, and the training goes on from there."""
    hands = dict(type="TinyHands", length=160)
    config = tiny.config(train_dataset=hands, val_dataset=None, save_interval=1000, max_epochs=1)
    build_runner(config, tmp_path / "whole").train()
    sizes = {path.name: path.stat().st_size for path in (tmp_path / "whole").iterdir()}
    assert sizes["config.py"] < sizes["metrics.jsonl"] < sizes["best.safetensors"] < sizes["last.pth"]
    work = tmp_path / "work"
    build_runner(config, work, max_minutes=0).train()
    state = (work / "last.pth").read_bytes()
    message = rf"cannot write .*{name}: File too large; .*--resume"
    with disk_of(sizes[name] - 40), pytest.raises(TrainingError, match=message) as caught:
        build_runner(config, work, resume=True).train()
    assert "\n" not in str(caught.value)
    assert (work / "last.pth").read_bytes() == state
    assert not list(work.glob("**/.*.part"))
    assert capfd.readouterr().err == ""
    build_runner(config, work, resume=True).train()
    assert tiny.losses_of(work) == tiny.losses_of(tmp_path / "whole")
