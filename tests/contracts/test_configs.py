"""Every config of handkit is valid, and every training takes two steps on data of the same form, made here."""

from __future__ import annotations

import itertools
import json
import math
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from handkit.engine import build_runner
from handkit.registry.config import load_config
from handkit.registry.validate import validate

ROOT = Path(__file__).parents[2] / "configs"
FILES = Path(__file__).parents[1] / "datasets" / "files"
CONFIGS = sorted(str(path.relative_to(ROOT).with_suffix("")) for path in ROOT.glob("[!_]*/*.py"))
TRAININGS = [name for name in CONFIGS if load_config(name).get("train_dataset")]


def noise(path: Path, width: int, height: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(len(path.name)).integers(0, 256, (height, width, 3), np.uint8)
    Image.fromarray(pixels).save(path)


def photographs(folder: Path) -> None:
    """Four photographs of each source that the recipes know, two hands in each, as `HandPhotos` reads them."""
    known = json.loads((FILES / "handphotos.json").read_text())["annotations"][0]
    sources = ("asl_letters", "lebanese_gestures", "sign_digits", "two_hand_signs")
    images: list[dict[str, Any]] = []
    hands: list[dict[str, Any]] = []
    for number, source in enumerate(sources):
        noise(folder / "images" / f"{number}.png", 240, 120)
        drawn = {"human_boxes": [[2, 4, 40, 45], [52, 4, 40, 45]]} if number < 2 else {}
        image = dict(id=number, file_name=f"{number}.png", width=240, height=120, source=source)
        images.append({**image, **drawn})
        for hand in range(2):
            points = np.array(known["keypoints"], float).reshape(21, 3) + np.array([50 * hand, 0, 0])
            hands.append({**known, "id": len(hands), "image_id": number, "keypoints": points.ravel().tolist()})
    for part in ("train", "val"):
        (folder / f"{part}.json").write_text(json.dumps({"images": images, "annotations": hands}))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose ``data`` holds tiny files under every name that the configs have."""
    home = tmp_path_factory.mktemp("home")
    root = home / "data"
    photographs(root / "handphotos")
    for number in range(102):
        noise(root / "rooms" / f"{number:03d}.png", 64, 56)
    for part in ("train", "val", "company", "pairs", "scenes", "val_scenes"):
        shutil.copytree(FILES / "shards", root / "handsynth" / part)
    found = [*root.glob("rooms/*.png"), *root.glob("handphotos/images/*.png")]
    boxes = {"boxes": [[1.0, 50, 20, 56], [100.0, 60, 230, 110]], "box_scores": [0.3, 0.2]}
    detections = {"images": [{"input": str(path.relative_to(root)), **boxes} for path in found]}
    (root / "detections.json").write_text(json.dumps(detections))
    shutil.copytree(FILES / "freihand", root / "freihand")
    shutil.copytree(FILES / "wflw" / "WFLW_images", root / "wflw" / "WFLW_images")
    lists = root / "wflw" / "WFLW_annotations" / "list_98pt_rect_attr_train_test"
    lists.mkdir(parents=True)
    for part in ("train", "test"):
        shutil.copy(FILES / "wflw" / "list.txt", lists / f"list_98pt_rect_attr_{part}.txt")
    for part in ("training", "evaluation"):
        shutil.copytree(FILES / "rhd", root / "RHD_published_v2" / part)
    (root / "RHD_published_v2" / "evaluation" / "anno_training.pickle").rename(
        root / "RHD_published_v2" / "evaluation" / "anno_evaluation.pickle"
    )
    for name, parts in (("onehand10k", ("train", "test")), ("rhd", ("train", "test"))):
        shutil.copytree(FILES / "images", root / name / "images")
        (root / name / "annotations").mkdir()
        for part in parts:
            shutil.copy(FILES / f"{name}.json", root / name / "annotations" / f"{name}_{part}.json")
    for part in ("train", "val"):
        shutil.copytree(FILES / "images", root / "coco" / f"{part}2017" / "images")
        (root / "coco" / "annotations").mkdir(exist_ok=True)
        shutil.copy(FILES / "coco_wholebody.json", root / f"coco/annotations/coco_wholebody_{part}_v1.0.json")
    return home


def test_there_are_configs() -> None:
    assert len(CONFIGS) >= 25
    assert len(TRAININGS) >= 22


@pytest.mark.parametrize("name", CONFIGS)
def test_is_valid_and_says_how_it_is_used(name: str) -> None:
    config = load_config(name)
    validate(config, name)
    doc = (ROOT / f"{name}.py").read_text("utf-8").split('"""')[1]
    assert name in doc or "handkit predict" in doc, "its docstring has no command"


@pytest.mark.parametrize("name", TRAININGS)
def test_takes_two_steps(name: str, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(data)
    options = {
        "batch_size": 2,
        "workers": 0,
        "load_from": None,
        "backbone_from": None,
        "init_cfg": None,
        "drop_last": False,
    }
    config = load_config(name, options)
    if config["train_dataset"]["type"] == "HandSynth":
        config["train_dataset"]["count"] = 4
        config["val_dataset"]["count"] = 2
    if config["train_dataset"]["type"] == "RenderedGestures":
        for part in ("train_dataset", "val_dataset"):
            config[part] |= {"source": "capsule", "count": 5}
    runner = build_runner(config, tmp_path / "work")
    model = runner.model
    learnt = [value for value in model.module.parameters() if value.requires_grad]
    before = [value.detach().clone() for value in learnt]
    for batch in itertools.islice(itertools.cycle(runner.train_dataloader), 2):
        losses = model.train_step(batch, runner.optim_wrapper)
        assert all(math.isfinite(value) for value in losses.values()), losses
    moved = [not torch.equal(old, new) for old, new in zip(before, learnt, strict=True)]
    assert sum(moved) >= 0.5 * len(moved)  # a warm-up and blocks that begin as their shortcut leave some where they are
