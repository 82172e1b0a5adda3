"""The list of docs/samples.md, from a file to what the model's loss takes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from handkit.registry import TRANSFORMS, build
from handkit.transforms import split_stages
from handkit.transforms.base import SAMPLE_KEYS

pytest.importorskip("torch")
ROOT = Path(__file__).resolve().parents[2]


def documented() -> list[Any]:
    """The example, built, with the demo's folder for its backgrounds."""
    text = (ROOT / "docs" / "samples.md").read_text("utf-8")
    names: dict[str, Any] = {}
    exec(text.partition("```python\n")[2].partition("```")[0], names)
    for node in names["train_transforms"]:
        if node["type"] == "BackgroundPaste":
            node["folder"] = str(ROOT / "demo")
    return [build(node, TRANSFORMS) for node in names["train_transforms"]]


def sample(index: int) -> dict[str, Any]:
    draw = np.random.default_rng(index)
    return {
        "source": str(ROOT / "demo" / "hand.png"),
        "box": np.array([20.0, 20, 120, 140]),
        "keypoints": draw.uniform(20, 120, (21, 2)).astype(np.float32),
        "visible": np.full(21, 2, np.uint8),
        "right": np.float32(1),
        "hand": np.float32(1),
        "rng": np.random.default_rng([0, 0, index]),
    }


def test_the_documented_list_runs_from_file_to_targets() -> None:
    image_part, tensor_part = split_stages(documented())
    crops = []
    for index in range(3):
        one = sample(index)
        for step in image_part:
            one = step(one)
        assert set(one) <= set(SAMPLE_KEYS)
        crops.append(one)
    batch = {key: np.stack([one[key] for one in crops]) for key in ("img", "keypoints", "visible", "right", "hand")}
    for step in tensor_part:
        batch = step(batch)
    shapes = {key: value.shape for key, value in batch.items()}
    assert shapes == {
        "img": (3, 3, 256, 256),
        "heatmaps": (3, 21, 64, 64),
        "target_weight": (3, 21),
        "right": (3,),
        "hand": (3,),
    }
    assert all(value.dtype == np.float32 for value in batch.values())
    assert batch["right"].tolist() == [float(not one["crop"].flip) for one in crops]
