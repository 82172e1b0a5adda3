"""A small data set of rendered hands as a user would have it: pictures, and COCO keypoint JSON with boxes and sides."""

from __future__ import annotations

import copy
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from handkit.datasets import HandSynth
from handkit.skeleton import HAND

COUNTS = {"train": 14, "val": 6}
SIZE = (96, 96)


@pytest.fixture(scope="session")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``train.json`` and ``val.json`` beside ``images``; never changed."""
    folder = tmp_path_factory.mktemp("rendered")
    (folder / "images").mkdir()
    for seed, (part, count) in enumerate(COUNTS.items()):
        images, annotations = [], []
        for number, item in enumerate(HandSynth("capsule", seed, count, SIZE)[i] for i in range(count)):
            name = f"images/{part}{number}.png"
            Image.fromarray(item["img"]).save(folder / name)
            images.append({"id": number, "file_name": name, "width": SIZE[0], "height": SIZE[1]})
            x1, y1, x2, y2 = item["box"].tolist()
            joints = np.concatenate([item["keypoints"], item["visible"][:, None]], 1)
            annotations.append(
                {
                    "id": 100 + number,
                    "image_id": number,
                    "keypoints": joints.astype(float).ravel().tolist(),
                    "bbox": [x1, y1, x2 - x1, y2 - y1],
                    "hand_side": "right" if item["right"] else "left",
                }
            )
        categories = [{"id": 1, "name": "hand", "keypoints": list(HAND.joints)}]
        document = {"images": images, "annotations": annotations, "categories": categories}
        (folder / f"{part}.json").write_text(json.dumps(document))
    return folder


class Planted:
    """A copy of the data set, to be spoilt, with the config that trains on it."""

    def __init__(self, rendered: Path, folder: Path) -> None:
        shutil.copytree(rendered, folder)
        self.folder = folder
        self.parts = {part: json.loads((folder / f"{part}.json").read_text()) for part in COUNTS}
        codec = {"type": "GaussianHeatmap", "input_size": (64, 64), "heatmap_size": (16, 16), "sigma": 1.5}
        steps: list[dict[str, Any]] = [{"type": "LoadImage"}, {"type": "TopDownAffine", "input_size": (64, 64)}]
        last = {"type": "PoseCollect", "keys": ("img", "heatmaps", "target_weight", "right")}
        rotate = {"type": "TopDownGetRandomScaleRotation", "distribution": "uniform"}
        self.config: dict[str, Any] = {
            "codec": codec,
            "batch_size": 4,
            "train_dataset": self.reader("train"),
            "val_dataset": self.reader("val"),
            "train_transforms": [
                steps[0],
                {"type": "TopDownRandomFlip"},
                rotate,
                steps[1],
                {"type": "MMToTensor"},
                {"type": "NormalizeTensor"},
                {"type": "TopDownGenerateTarget", "codec": copy.deepcopy(codec)},
                last,
            ],
            "test_transforms": [*steps, {"type": "PoseCollect"}],
        }

    def reader(self, part: str) -> dict[str, Any]:
        """The node of a part."""
        return {"type": "CocoHands", "ann_file": str(self.folder / f"{part}.json")}

    @property
    def hands(self) -> list[dict[str, Any]]:
        """The annotations of the training part."""
        annotations: list[dict[str, Any]] = self.parts["train"]["annotations"]
        return annotations

    def joints(self, change: Callable[[np.ndarray], np.ndarray], *rows: int) -> None:
        """Changes the (21, 3) joints of some hands of the training part, or of all."""
        for row in rows or range(len(self.hands)):
            joints = np.array(self.hands[row]["keypoints"]).reshape(21, 3)
            self.hands[row]["keypoints"] = change(joints).ravel().tolist()

    def save(self) -> dict[str, Any]:
        """Writes the labels; gives the config."""
        for part, document in self.parts.items():
            (self.folder / f"{part}.json").write_text(json.dumps(document))
        return self.config


@pytest.fixture
def planted(rendered: Path, tmp_path: Path) -> Planted:
    """A data set without a fault, to plant one in."""
    return Planted(rendered, tmp_path / "planted")
