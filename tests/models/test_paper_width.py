"""Zimmermann and Brox's three networks at the paper's width, built from their configs: parameters, and one step."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from handkit.registry import build
from handkit.registry.config import load_config

#: Parameters of the recipes' networks; poseprior's holds scoremap_posenet's.
COUNTS = {
    "hand_segmentation/handsegnet_w1_handsynth_256x256": 13_606_081,
    "hand_2d_keypoints/scoremap_posenet_w1_handsynth_256x256": 17_587_344,
    "hand_3d_keypoints/poseprior_w1_handsynth_256x256": 21_464_370,
}
LABELS: dict[str, Any] = {
    "mask": torch.ones(2, 32, 32, dtype=torch.uint8),
    "heatmaps": torch.rand(2, 21, 4, 4, generator=torch.Generator().manual_seed(0)),
    "target_weight": torch.ones(2, 21),
    "right": torch.tensor([1.0, 0.0]),
    "canonical": torch.randn(2, 21, 3, generator=torch.Generator().manual_seed(1)),
    "viewpoint": torch.eye(3).repeat(2, 1, 1),
}


def parameters(model: nn.Module) -> int:
    return sum(weight.numel() for weight in model.parameters())


@pytest.mark.parametrize("name", COUNTS)
def test_the_papers_width_is_a_config_and_takes_a_step(name: str) -> None:
    torch.manual_seed(0)
    config = load_config(name)
    model = build(config["model"])
    assert parameters(model) == pytest.approx(COUNTS[name], rel=0.01)
    quarter = load_config(name.replace("_w1_", "_"))
    assert 12 < parameters(model) / parameters(build(quarter["model"])) < 17
    same = {key: value for key, value in config.items() if key not in ("model", "init_cfg")}
    assert same == {key: value for key, value in quarter.items() if key not in ("model", "init_cfg")}
    size, labels = 32, LABELS
    if "poseprior" in name:
        size, labels = 256, {**LABELS, "heatmaps": torch.zeros(2, 21, 32, 32)}
    learnt = [weight for part, weight in model.named_parameters() if not part.startswith(config.get("frozen") or "-")]
    for weight in model.parameters():
        weight.requires_grad_(any(weight is one for one in learnt))
    before = [weight.detach().clone() for weight in learnt]
    model(torch.randn(2, 3, size, size), mode="loss", **labels)["loss"].backward()
    torch.optim.SGD(learnt, 1e-2).step()
    assert all(weight.isfinite().all() for weight in learnt)
    moved = sum(not torch.equal(old, new) for old, new in zip(before, learnt, strict=True))
    assert moved > len(learnt) / 2


def test_all_of_it_is_140_megabytes_in_float32() -> None:
    nets = [name for name in COUNTS if "scoremap" not in name]
    total = sum(4 * parameters(build(load_config(name)["model"])) for name in nets)
    assert total / 1e6 == pytest.approx(140.3, rel=0.01)
