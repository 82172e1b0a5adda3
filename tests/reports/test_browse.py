"""The contact sheet: one file, what the network sees, and the reason where a sample cannot be drawn."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from handkit.errors import ConfigError
from handkit.registry.config import load_config
from handkit.reports.browse import browse

TINY = "hand_2d_keypoints/hrnetv2_w18_dark_tiny"


@pytest.fixture
def tiny() -> dict[str, Any]:
    """The tiny recipe with few hands."""
    return load_config(TINY, {"train_dataset.count": 4, "val_dataset.count": 2})


def pictures(page: str, kind: str) -> list[Image.Image]:
    return [
        Image.open(io.BytesIO(base64.b64decode(text))) for text in re.findall(f'data:image/{kind};base64,([^"]+)', page)
    ]


def test_train_samples_with_labels_masks_and_seeds(tiny: dict[str, Any], tmp_path: Path) -> None:
    out = tmp_path / "sheet.html"
    assert browse({**tiny, "seed": 3}, out, count=3, epoch=2, title="<tiny>") == 0
    page = out.read_text("utf-8")
    assert "&lt;tiny&gt;: train" in page
    assert "3 of 4 samples of train_dataset after LoadImage, TopDownGetRandomScaleRotation" in page
    assert re.findall(r"seed 3, epoch 2, index (\d)", page) == ["0", "1", "3"]
    assert len(re.findall(r">(left|right)<", page)) == 3
    assert len(re.findall(r"target weight \d+ of 21", page)) == 3
    assert [picture.size for picture in pictures(page, "jpeg")] == [(192, 192)] * 3
    assert "http" not in page.replace("http-equiv", "")
    masks = pictures(page, "png")
    assert len(masks) == 3
    covered = (np.asarray(masks[0])[..., 3] > 0).mean()
    assert 0.05 < covered < 0.95


def test_another_epoch_is_another_augmentation_and_val_has_none(tiny: dict[str, Any], tmp_path: Path) -> None:
    tiny["train_dataset"]["endless"] = False
    pages = []
    for name, options in (("a", {}), ("b", {}), ("c", {"epoch": 1})):
        browse(tiny, tmp_path / name, count=1, **options)
        pages.append((tmp_path / name).read_text().replace("epoch 1", "epoch 0"))
    assert pages[0] == pages[1] != pages[2]
    browse(tiny, tmp_path / "val", split="val")
    page = (tmp_path / "val").read_text()
    assert len(pictures(page, "jpeg")) == 2
    assert "turned 0 deg, cut" in page
    assert "mirrored" not in page


def test_whole_images_show_boxes_and_a_broken_picture_says_so(tmp_path: Path) -> None:
    folder = Path(__file__).parents[1] / "datasets/files"
    reader = {"type": "CocoHands", "ann_file": str(folder / "coco.json"), "unlabelled": "skip"}
    config: dict[str, Any] = {
        "task": "hand_detection",
        "train_dataset": {"type": "ImageBoxes", "dataset": reader},
        "train_transforms": [{"type": "LoadImage"}, {"type": "Resize", "input_size": (64, 64)}],
    }
    assert browse(config, tmp_path / "boxes.html") == 0
    page = (tmp_path / "boxes.html").read_text()
    assert "1 hand<" in page
    assert "1 hand, 1 ignored" in page
    assert 'type="checkbox"' not in page
    drawn = np.asarray(pictures(page, "jpeg")[0].convert("L"))
    assert (drawn > 200).sum() > 100  # the white box

    reader["image_root"] = str(tmp_path)
    assert browse(config, tmp_path / "broken.html") == 2
    assert "one.png" in (tmp_path / "broken.html").read_text()


def test_a_split_that_is_not_there(tiny: dict[str, Any], tmp_path: Path) -> None:
    del tiny["val_dataset"]
    with pytest.raises(ConfigError, match="no 'val_dataset'"):
        browse(tiny, tmp_path / "x.html", split="val")
    with pytest.raises(ConfigError, match="train or val"):
        browse(tiny, tmp_path / "x.html", split="test")  # type: ignore[arg-type]
    assert not (tmp_path / "x.html").exists()
