"""HandSegNet's recipe from shards to IoU, and masks that are none."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from handkit.datasets import RHD, HandShards
from handkit.engine import build_runner, measure
from handkit.errors import ConfigError, DataError
from handkit.pipelines.measuring import measure_pipeline
from handkit.registry.config import load_config

FILES = Path(__file__).parents[1] / "datasets" / "files"
SMALL = dict(type="CPMTrunk", num_blocks=(1, 1, 1, 1), tail=(16,), width=0.125)


@pytest.fixture
def config() -> dict[str, Any]:
    made = load_config("hand_segmentation/handsegnet_handsynth_256x256")
    made["model"]["backbone"] = SMALL
    made["model"]["head"] = dict(type="MaskHead", in_channels=8, channels=8)
    for part in ("train_dataset", "val_dataset"):
        made[part]["dataset"]["folder"] = str(FILES / "shards")
    for steps in (made["train_transforms"], made["test_transforms"]):
        steps[1]["input_size"] = (48, 40)
    made["train_transforms"][2]["crop_size"] = (32, 32)
    return {**made, "batch_size": 2, "max_epochs": 1, "workers": 0, "log_interval": 1, "ema_decay": None}


def test_trains_is_measured_and_draws(config: dict[str, Any], tmp_path: Path) -> None:
    folder = tmp_path / "work"
    build_runner(config, folder).train()
    rows = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    measured = next(row for row in rows if "IoU" in row)
    assert 0 <= measured["IoU"] <= 1
    for name in ("first_batch.png", "predictions.png"):
        assert Image.open(folder / name).size[1] >= 32
    out = tmp_path / "scores.json"
    scores = measure(config, str(folder / "best.safetensors"), "cpu", out=out)
    assert scores["IoU"] == pytest.approx(measured["IoU"], abs=1e-6)
    samples = json.loads(out.read_text())["samples"]
    total = np.array([[row["intersection"], row["union"]] for row in samples]).sum(0)
    assert scores["IoU"] == pytest.approx(total[0] / total[1])
    with pytest.raises(ConfigError, match="rotate turns single hands"):
        measure(config, str(folder / "best.safetensors"), "cpu", rotate=90)
    (tmp_path / "config.json").write_text(json.dumps(config))
    boxes = measure_pipeline(tmp_path / "config.json", folder / "best.safetensors", "cpu")
    assert boxes.counts["images"] == len(samples)
    assert {"recall", "false_hands_per_image", "box_AP"} < set(boxes.values)
    assert "IoU" not in boxes.values
    flipped = measure({**config, "flip_test": "aligned"}, str(folder / "best.safetensors"), "cpu")
    assert 0 <= flipped["IoU"] <= 1
    with pytest.raises(ConfigError, match=r"answers no joints of single hands.*leave out --baseline"):
        measure(config, str(folder / "best.safetensors"), "cpu", baseline=True)


def test_masks_of_another_size_or_with_other_labels_are_refused(tmp_path: Path) -> None:
    shutil.copytree(FILES / "shards", tmp_path / "shards")
    shards = HandShards(tmp_path / "shards")
    picture = Path(shards[0]["source"])
    path = picture.parents[1] / "masks" / f"{picture.stem}.png"
    mask = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    cv2.imwrite(str(path), np.full_like(mask, 9))
    with pytest.raises(DataError, match="shows hand 9, but"):
        shards[0]
    cv2.imwrite(str(path), mask[:-1])
    with pytest.raises(DataError, match="is no mask of"):
        shards[0]


def test_rhds_masks_end_at_33(tmp_path: Path) -> None:
    shutil.copytree(FILES / "rhd", tmp_path / "rhd")
    hands = RHD(tmp_path / "rhd" / "anno_training.pickle", masks=True)
    for path in (tmp_path / "rhd" / "mask").iterdir():
        mask = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        mask[0, 0] = 34
        cv2.imwrite(str(path), mask)
    with pytest.raises(DataError, match="holds the label 34, but RHD's end at 33"):
        hands[0]


def test_a_network_without_masks_and_data_without_masks_are_refused(config: dict[str, Any], tmp_path: Path) -> None:
    config["val_dataset"]["dataset"] = dict(type="CocoHands", ann_file=str(FILES / "shards" / "hands.json"))
    runner = build_runner(config, tmp_path / "work")
    with pytest.raises(DataError, match="samples without mask: wrap RHD"):
        runner.train()
