"""ModelScope's `build_trainer` with handkit behind it, in an environment with the real package."""

from __future__ import annotations

import json
import runpy
import shutil
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

import handkit
from handkit.datasets import CocoHands
from handkit.formats import easycv
from handkit.registry import MODELS, build
from handkit.registry.config import load_config

ROOT = Path(__file__).resolve().parents[2]
FILES = ROOT / "tests" / "datasets" / "files"
PROGRAM = Path(__file__).parent / "programs" / "card_training.py"
#: What the line in the .pth file does when Python starts, and then the user's program.
START = "import _handkit_modelscope as h, runpy, sys; h.install(); sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0])"
SIZE, MAPS = [64, 64], [16, 16]
GOLDEN = ROOT / "tests" / "golden" / "easycv_configs.json"
RULE = SimpleNamespace(**runpy.run_path(str(ROOT / "tests" / "golden" / "easycv_folder_rule.py")))
RECIPE = "pipelines/hand_2d_keypoints_hrnetv2_w18_dark"


def written(folder: Path, configuration: Mapping[str, Any], network: Mapping[str, Any]) -> Path:
    """The folder of a model with random weights."""
    folder.mkdir()
    (folder / "configuration.json").write_text(json.dumps(configuration), "utf-8")
    torch.manual_seed(0)
    model: Any = build(network, MODELS)
    torch.save({"state_dict": model.state_dict()}, folder / "pytorch_model.pt")
    return folder


@pytest.fixture(scope="module")
def easycv_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as EasyCV wrote them, with its full network and small pictures."""
    backbone: Any = build(load_config(RECIPE)["model"]["backbone"], MODELS)
    shapes = {key: tuple(value.shape) for key, value in backbone.state_dict().items()}
    folder: Path = RULE.write(tmp_path_factory.mktemp("models") / "easycv", shapes)
    file = folder / "configuration.json"
    configuration = json.loads(file.read_text("utf-8"))
    sizes = {"image_size": SIZE, "heatmap_size": MAPS, "num_joints": 21}
    for split in ("train", "val"):
        configuration["dataset"][split]["data_source"]["data_cfg"] = sizes
    file.write_text(json.dumps(configuration), "utf-8")
    return folder


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory, easycv_folder: Path) -> Path:
    """The same network in a folder of handkit's, without a word on training."""
    told = json.loads((easycv_folder / "configuration.json").read_text("utf-8"))
    golden = json.loads(GOLDEN.read_text("utf-8"))["easycv_hrnet"]
    made = easycv.translate(golden)
    network = {
        "type": "TopDownEstimator",
        "backbone": {"type": "HRNet", "width": 8, "num_modules": [1] * 3, "num_blocks": [1] * 4, "stage1_channels": 16},
        "head": {"type": "HRNetV2Head", "in_channels": [8, 16, 32, 64]},
    }
    codec = {**made["codec"], "input_size": SIZE, "heatmap_size": MAPS}
    steps = [{**step, "input_size": SIZE} if "input_size" in step else step for step in made["test_transforms"]]
    config = {
        "task": "hand_2d_keypoints",
        "detector": {"type": "FullImage"},
        "model": network,
        "codec": codec,
        "test_transforms": steps,
        "checkpoint": "pytorch_model.pt",
        "runtime": {"type": "TorchRuntime"},
    }
    configuration = {key: told[key] for key in ("framework", "task", "pipeline")} | {"handkit": config}
    return written(tmp_path_factory.mktemp("models") / "bundle", configuration, network)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same hands as rows of JSON, as an image folder with metadata, and as the folder of a split."""
    folder = tmp_path_factory.mktemp("data")
    (folder / "imagefolder").mkdir()
    reader = CocoHands(FILES / "coco.json", unlabelled="skip", box="annotated")
    rows = []
    for sample in 3 * [reader[index] for index in range(len(reader))]:
        x0, y0, x1, y1 = sample["box"].tolist()
        joints = np.concatenate([sample["keypoints"], sample["visible"][:, None]], -1)
        rows.append({"image": sample["source"], "keypoints": joints.tolist(), "bbox": [x0, y0, x1 - x0, y1 - y0]})
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    metadata = []
    for number, row in enumerate(rows):
        shutil.copy(row["image"], folder / "imagefolder" / f"{number}.png")
        metadata.append({**{k: v for k, v in row.items() if k != "image"}, "file_name": f"{number}.png"})
    text = "".join(json.dumps(row) + "\n" for row in metadata)
    (folder / "imagefolder" / "metadata.jsonl").write_text(text, "utf-8")
    shutil.copytree(FILES / "images", folder / "split" / "train2017" / "images")
    (folder / "split" / "annotations").mkdir()
    shutil.copy(FILES / "coco_wholebody.json", folder / "split" / "annotations" / "coco_wholebody_train_v1.0.json")
    return folder


@pytest.mark.parametrize(
    ("kind", "folder"),
    [("json", "easycv_folder"), ("split", "easycv_folder"), ("imagefolder", "bundle"), ("directory", "bundle")],
)
def test_the_cards_code(
    kind: str, folder: str, data: Path, modelscope_python: Any, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    model: Path = request.getfixturevalue(folder)
    cache = {"MODELSCOPE_CACHE": str(tmp_path / "cache"), "HF_HOME": str(tmp_path / "hf"), "COLUMNS": "300"}
    owner = model.parent  # so that the folder looks like owner/name
    model = model if kind == "json" else model.relative_to(owner.parent)
    told = modelscope_python.run(
        "-c", START, PROGRAM, model, data, tmp_path / "work", kind, cwd=owner.parent, **cache, HANDKIT_OFFLINE="1"
    )
    answer = json.loads(told.splitlines()[-1])
    assert answer["called"] == []
    assert answer["class"] == "handkit.interop.modelscope.trainer.HandkitTrainer"
    assert {"PCK", "AUC", "EPE", "NME", "NME_easycv"} <= set(answer["best"])
    assert answer["best"]["NME_easycv"] == answer["best"]["EPE"] != answer["best"]["NME"]
    assert answer["best"] == answer["output"] == pytest.approx(answer["reopened"])
    assert "NME_easycv: what EasyCV and ModelScope's card call NME" in told
    output = tmp_path / "work" / "output"
    hands = handkit.pipeline("hand_2d_keypoints", output)(FILES / "images" / "one.png", boxes=[[2, 2, 30, 30]])
    assert hands.keypoints.shape == (1, 21, 2)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"train": {"max_epochs": 1, "new": 2}}, "configuration.json: train: new=2 is not known"),
        ({"model": {"type": "Other"}}, "is neither a bundle of handkit's"),
        ({"evaluation": {"metrics": {"type": "EasyCVMetric", "evaluators": [{"type": "Own"}]}}}, "type='Own' has no"),
    ],
)
def test_bad_configurations_are_one_error(
    change: dict[str, Any], message: str, easycv_folder: Path, modelscope_python: Any, tmp_path: Path
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(easycv_folder, folder)
    file = folder / "configuration.json"
    file.write_text(json.dumps({**json.loads(file.read_text("utf-8")), **change}), "utf-8")
    program = (
        "from modelscope.trainers import build_trainer; import sys; build_trainer('easycv', {'model': sys.argv[1]})"
    )
    start = f"import _handkit_modelscope as h; h.install(); {program}"
    done = modelscope_python.attempt("-c", start, folder, cwd=tmp_path, MODELSCOPE_CACHE=str(tmp_path / "cache"))
    assert done.returncode == 1
    assert message in done.stderr.splitlines()[-1]
