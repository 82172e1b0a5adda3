"""`handkit data check|browse|convert` on the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

FILES = Path(__file__).parents[1] / "datasets/files"
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def data(cli: Run) -> Run:
    """Runs `handkit data ARGUMENTS`, returns exit code, output, errors."""
    return lambda *arguments: cli("data", *arguments)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "mine.py"
    reader = f"dict(type='CocoHands', ann_file={str(FILES / 'coco.json')!r})"
    path.write_text(f"train_dataset = {reader}\ntrain_transforms = [dict(type='LoadImage')]\nbatch_size = 2\n")
    return path


def test_check_says_what_it_saw_and_exits_with_2_on_a_fault(data: Run, config: Path, tmp_path: Path) -> None:
    code, out, _ = data("check", config)
    assert (code, "2 of 2 samples" in out, "no fault found" in out) == (0, True, True)
    code, out, _ = data("check", config, "--cfg-options", "batch_size=3", "--json", tmp_path / "found.json")
    assert code == 2
    assert "too_few_samples: train_dataset: 2 samples are fewer than a batch of 3" in out
    assert "mend: lower batch_size" in out
    assert json.loads((tmp_path / "found.json").read_text())["findings"][0]["kind"] == "too_few_samples"


def test_browse_writes_one_file(data: Run, config: Path, tmp_path: Path) -> None:
    code, out, _ = data("browse", config, "--out", tmp_path / "sheet.html")
    assert (code, "open it in a browser" in out) == (0, True)
    assert "mine: train" in (tmp_path / "sheet.html").read_text()
    code, _, err = data("browse", config, "--out", tmp_path / "val.html", "--split", "val")
    assert (code, "no 'val_dataset'" in err) == (2, True)


def test_convert_tells_what_is_lost(data: Run, tmp_path: Path) -> None:
    code, out, _ = data("convert", FILES / "coco.json", tmp_path / "cvat.xml", "--to", "cvat")
    assert code == 0
    assert "note: the file names no joints" in out
    assert "not in cvat: the source of images: 2 times" in out
    assert "3 hands in 2 images" in out
    code, _, err = data("convert", FILES / "coco.json", tmp_path / "cvat.xml", "--to", "cvat")
    assert (code, "--overwrite" in err) == (2, True)


def test_sides_are_compared_with_a_pipeline(data: Run, tmp_path: Path) -> None:
    """The demo hand, turned and moved, under a wrong side."""
    import numpy as np
    from PIL import Image

    from handkit import pipeline
    from handkit.demo_image import demo_image

    picture = np.asarray(Image.open(demo_image()).convert("RGB"))
    hand = pipeline()(picture, channel_order="rgb")
    images, annotations = [], []
    for number in range(5):
        shown = np.roll(picture, -number, 1)[:, : picture.shape[1] - number]
        Image.fromarray(shown).save(tmp_path / f"{number}.png")
        size = {"width": shown.shape[1], "height": shown.shape[0]}
        images.append({"id": number, "file_name": f"{number}.png", **size})
        joints = np.concatenate([hand.keypoints[0] - [number, 0], np.full((21, 1), 2)], 1)
        side = {"hand_side": hand.handedness[0]}
        annotations.append({"id": number, "image_id": number, "keypoints": joints.ravel().tolist(), **side})
    config = tmp_path / "sides.py"
    config.write_text(f"train_dataset = dict(type='CocoHands', ann_file={str(tmp_path / 'a.json')!r})\n")
    (tmp_path / "a.json").write_text(json.dumps({"images": images, "annotations": annotations}))
    assert data("check", config, "--model", "default")[0] == 0
    other = "left" if hand.handedness[0] == "right" else "right"
    annotations = [{**row, "hand_side": other} for row in annotations]
    (tmp_path / "a.json").write_text(json.dumps({"images": images, "annotations": annotations}))
    code, out, _ = data("check", config, "--model", "default")
    assert (code, "mirrored_sides" in out, "1 to mend" in out) == (2, True, True)
