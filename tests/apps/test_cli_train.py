"""`handkit train` and tools/train.py."""

from __future__ import annotations

import os
import runpy
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from handkit.apps.cli.main import main
from handkit.transforms import LoadImage

ROOT = Path(__file__).resolve().parents[2]
CONFIG = """
model = dict(
    type="TopDownEstimator",
    backbone=dict(type="HRNet", width=8, num_modules=(1, 1, 1), num_blocks=(1, 1, 1, 1)),
    head=dict(type="HRNetV2Head", in_channels=(8, 16, 32, 64), out_channels=21),
    losses=[dict(type="KeypointMSELoss")],
)
codec = dict(type="GaussianHeatmap", input_size=(32, 32), heatmap_size=(8, 8))
train_dataset = dict(type="CocoHands", ann_file={labels!r})
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


def run(monkeypatch: pytest.MonkeyPatch, capsys: Any, *arguments: object, program: str | None = None) -> Any:
    monkeypatch.setattr(sys, "argv", [program or "handkit", *map(str, arguments)])
    code: object = 0
    try:
        if program is None:
            main()
        else:
            runpy.run_path(program, run_name="__main__")
    except SystemExit as stop:
        code = stop.code
    out = capsys.readouterr()
    return code, out.out, out.err


@pytest.fixture
def config(tmp_path: Path) -> Path:
    import json

    import numpy as np
    from PIL import Image

    rng = np.random.default_rng(0)
    images, annotations = [], []
    for number in range(4):
        Image.fromarray(rng.integers(0, 255, (48, 48, 3)).astype(np.uint8)).save(tmp_path / f"{number}.png")
        points = np.column_stack([rng.uniform(8, 40, (21, 2)), np.full(21, 2)])
        images.append({"id": number, "file_name": f"{number}.png", "width": 48, "height": 48})
        annotations.append(
            {
                "id": number,
                "image_id": number,
                "category_id": 1,
                "keypoints": points.ravel().tolist(),
                "num_keypoints": 21,
                "bbox": [8, 8, 32, 32],
                "area": 1024,
                "iscrowd": 0,
            }
        )
    labels = tmp_path / "labels.json"
    categories = [{"id": 1, "name": "hand"}]
    labels.write_text(json.dumps({"images": images, "annotations": annotations, "categories": categories}))
    path = tmp_path / "tiny.py"
    path.write_text(CONFIG.format(labels=str(labels)))
    return path


def test_trains_stops_and_goes_on(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HANDKIT_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "work"
    code, out, err = run(monkeypatch, capsys, "train", config, "--work-dir", folder, "--max-minutes", 0)
    assert (code or 0) == 0, err
    assert "stopped (0 minutes) after iteration 1 of 4" in out
    assert f"handkit train {config} --work-dir {folder} --resume" in out
    code, _, err = run(monkeypatch, capsys, "train", config, "--work-dir", folder)
    assert code == 2
    assert "add --resume" in err
    code, out, err = run(
        monkeypatch, capsys, config, "--work-dir", folder, "--resume", program=str(ROOT / "tools/train.py")
    )
    assert (code or 0) == 0, err
    assert "done after 4 iterations" in out
    assert (folder / "best.safetensors").exists()
    code, _, err = run(monkeypatch, capsys, "train", config, "--cfg-options", "batch_size=0")
    assert (code, "batch_size: 0 is less than 1" in err) == (2, True)


@pytest.mark.parametrize(("number", "expected"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_saves_and_says_how_to_go_on(
    config: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    number: signal.Signals,
    expected: int,
) -> None:
    load = LoadImage.__call__
    signals = iter([number])

    def interrupted(self: LoadImage, sample: dict[str, Any]) -> dict[str, Any]:
        os.kill(os.getpid(), next(signals, 0))
        return load(self, sample)

    monkeypatch.setattr(LoadImage, "__call__", interrupted)
    folder = tmp_path / "work"
    code, out, err = run(monkeypatch, capsys, "train", config, "--work-dir", folder)
    assert (code, err) == (expected, "")
    assert f"stopped ({number.name}) after iteration 1 of 4; {folder / 'last.pth'} holds all of it" in out
    assert f"handkit train {config} --work-dir {folder} --resume" in out
    code, out, _ = run(monkeypatch, capsys, "train", config, "--work-dir", folder, "--resume")
    assert (code or 0, "done after 4 iterations" in out) == (0, True)
