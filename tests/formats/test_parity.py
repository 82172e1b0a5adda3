"""mmpose's configs, translated: with mmpose's weights the networks answer what they answer there.

``golden/mmpose_configs.npz`` holds mmpose's answers, see its maker.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch

from handkit.formats import mmpose
from handkit.registry import MODELS, build

FOLDER = Path(__file__).resolve().parents[1] / "golden"
PUBLISHED: dict[str, Any] = json.loads((FOLDER / "published_configs.json").read_text("utf-8"))
NAMES = ("coco_hrnet", "hrnet", "rhd_udp", "coco_resnet", "coco_rtmpose", "coco_scnet", "coco_hourglass", "hand5")
#: The one head whose only convolution has another name here.
RENAMED = {"coco_hourglass": ("head.final_layer.", "head.multi_final_layers.0.")}


@pytest.fixture(scope="module")
def golden() -> dict[str, np.ndarray[Any, Any]]:
    with np.load(FOLDER / "mmpose_configs.npz") as arrays:
        return dict(arrays)


def filled(name: str, rule: ModuleType) -> torch.nn.Module:
    """The translated network with weights drawn by the names of mmpose's keys."""
    model: torch.nn.Module = build(mmpose.translate(PUBLISHED[name])["model"], MODELS)
    ours, theirs = RENAMED.get(name, ("", ""))
    shapes = {key.replace(ours, theirs): tuple(value.shape) for key, value in model.state_dict().items()}
    state = rule.state(shapes)
    model.load_state_dict(
        {key: torch.from_numpy(np.asarray(state[key.replace(ours, theirs)])) for key in model.state_dict()}
    )
    return model.eval()


def assert_same(found: Any, expected: Any) -> None:
    np.testing.assert_allclose(found, expected, rtol=0, atol=2e-5 * float(np.abs(expected).max()))


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
@torch.inference_mode()
def test_a_translated_network_answers_as_mmposes(
    name: str, golden: dict[str, Any], program_module: Callable[[str], ModuleType]
) -> None:
    rule = program_module("tests/golden/mmpose_configs_rule.py")
    model = filled(name, program_module("tests/golden/mmpose_rule.py"))
    assert len(model.state_dict()) == golden[f"{name}_keys"]
    image = torch.from_numpy(rule.picture())
    raw = model(image, "tensor")
    if "heatmaps" not in raw:
        for axis in ("x", "y"):
            assert_same(rule.sampled(raw[f"simcc_{axis}"].numpy()), golden[f"{name}_{axis}"])
        return
    assert_same(rule.sampled(raw["heatmaps"].numpy()), golden[name])
    made = mmpose.translate(PUBLISHED[name])
    shift = "none" if made["codec"]["type"] == "UDPHeatmap" else made["flip_test"]
    flipped = build({"type": "FlipTest", "model": made["model"], "shift": shift}, MODELS)
    flipped.module.load_state_dict(model.state_dict())
    assert_same(rule.sampled(flipped.eval()(image)["heatmaps"].numpy()), golden[f"{name}_flipped"])
