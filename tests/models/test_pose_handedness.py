"""PoseHandednessHead: what it reads, and that it learns from a pose and from what is seen."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from handkit.errors import ConfigError
from handkit.models.backbones import HRNet
from handkit.models.estimators import TopDownEstimator
from handkit.models.heads import HRNetV2Head, PoseHandednessHead
from handkit.models.heads.at_joints import centres, seen_around, sharpened
from handkit.models.heads.pose_handedness import _upright
from handkit.models.losses import HandednessLoss, SpatialCrossEntropyLoss

WIDTHS = (4, 8, 16, 32)


def bumps(joints: Tensor, size: int = 32) -> Tensor:
    """(N, 21, 2) joints in cells -> gaussian maps."""
    cells = torch.arange(size, dtype=torch.float32)
    across = torch.exp(-((cells - joints[..., :1]) ** 2) / 2)
    down = torch.exp(-((cells - joints[..., 1:]) ** 2) / 2)
    return down[..., :, None] * across[..., None, :]


def branches(count: int, size: int = 32) -> list[Tensor]:
    generator = torch.Generator().manual_seed(1)
    sizes = [size >> index for index in range(len(WIDTHS))]
    return [
        torch.randn(count, width, side, side, generator=generator) for width, side in zip(WIDTHS, sizes, strict=True)
    ]


def hands(count: int, turned: float | None = None) -> tuple[Tensor, Tensor]:
    """Flat hands whose thumb lies to the left of the axis (1) or to the right (0), turned by any angle."""
    rng = np.random.default_rng(2)
    right = rng.integers(0, 2, count)
    x = np.tile(np.repeat([0.0, -3.0, -1.0, 1.0, 3.0, 4.0], [1, 4, 4, 4, 4, 4]), (count, 1))
    y = np.tile(np.concatenate([[8.0], *[8.0 - 2.0 * np.arange(1, 5)] * 5]), (count, 1))
    x = np.where(right[:, None] == 1, x, -x)
    angle = rng.uniform(0, 2 * math.pi, count) if turned is None else np.full(count, turned)
    cos, sin = np.cos(angle)[:, None], np.sin(angle)[:, None]
    joints = np.stack([cos * x - sin * y, sin * x + cos * y], axis=2) + 15.5
    return torch.from_numpy(joints.astype(np.float32)), torch.from_numpy(right.astype(np.float32))


def test_it_learns_the_side_from_the_pose_in_any_turn() -> None:
    torch.manual_seed(0)
    head = PoseHandednessHead(WIDTHS, joint_channels=2, hidden_channels=32)
    joints, right = hands(128)
    maps, features = bumps(joints / 2, 16), branches(128, 16)
    optimizer = torch.optim.AdamW(head.parameters(), 1e-2)
    for _ in range(30):
        optimizer.zero_grad()
        logits = head([x[:96] for x in features], maps[:96])["handedness"]
        torch.nn.functional.binary_cross_entropy_with_logits(logits, right[:96]).backward()
        optimizer.step()
    head.eval()
    with torch.inference_mode():
        found = head([x[96:] for x in features], maps[96:])["handedness"] > 0
    assert (found == right[96:].bool()).float().mean() >= 0.95


def test_where_the_hand_lies_and_how_large_it_is_do_not_matter_to_the_pose() -> None:
    torch.manual_seed(0)
    head = PoseHandednessHead(WIDTHS).eval()
    features = [torch.zeros_like(x) for x in branches(8, 64)]
    joints, _ = hands(8)
    with torch.inference_mode():
        here = head(features, bumps(joints, 64))["handedness"]
        there = head(features, bumps(joints + torch.tensor([20.0, 7.0]), 64))["handedness"]
    torch.testing.assert_close(here, there, atol=1e-4, rtol=0)


def test_features_count_where_the_joints_are() -> None:
    torch.manual_seed(0)
    head = PoseHandednessHead(WIDTHS).eval()
    joints, _ = hands(1, turned=0.0)
    features = branches(1)
    near, far = [x.clone() for x in features], [x.clone() for x in features]
    near[0][..., 24, 16] += 5  # the wrist of a hand that is not turned
    far[0][..., 1, 30] += 5
    with torch.inference_mode():
        before, moved, same = (head(x, bumps(joints))["handedness"] for x in (features, near, far))
    assert (moved - before).abs() > 1e-4
    torch.testing.assert_close(same, before, atol=1e-6, rtol=0)


def test_the_heat_maps_get_no_gradient_and_empty_ones_no_nan() -> None:
    head = PoseHandednessHead(WIDTHS)
    maps = torch.zeros(2, 21, 32, 32, requires_grad=True)
    logits = head(branches(2), maps)["handedness"]
    assert logits.isfinite().all()
    logits.sum().backward()
    assert maps.grad is None
    assert head.reduce.weight.grad is not None


def estimator(head: HRNetV2Head) -> TopDownEstimator:
    backbone = HRNet(width=4, num_modules=(1, 1, 1), num_blocks=(1, 1, 1, 1), stage1_channels=4)
    losses = [SpatialCrossEntropyLoss(), HandednessLoss()]
    return TopDownEstimator(backbone, head, [PoseHandednessHead(WIDTHS, 4, 8)], losses)


@pytest.mark.parametrize("autocast", [False, True])
def test_an_estimator_hands_it_the_predictions_of_the_main_head(autocast: bool) -> None:
    model = estimator(HRNetV2Head(WIDTHS, softmax=True))
    images = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    labels = dict(
        heatmaps=bumps(hands(2)[0] / 2, 16), target_weight=torch.ones(2, 21), right=torch.tensor([1.0, torch.nan])
    )
    with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
        losses = model(images, "loss", **labels)
    losses["loss"].backward()
    for name, value in model.named_parameters():
        assert value.grad is not None, name
        assert value.grad.isfinite().all(), name
    model.eval()
    with torch.inference_mode():
        features, raw = model.backbone(images), model(images, "tensor")
        expected = model.aux_heads["handedness"](features, model(images)["heatmaps"])["handedness"]
    torch.testing.assert_close(raw["handedness"], expected)


def test_joints_are_as_exact_under_autocast() -> None:
    weights = sharpened(torch.rand(2, 21, 48, 48, generator=torch.Generator().manual_seed(0)) ** 20)
    features = torch.rand(2, 5, 48, 48)
    exact = centres(weights), _upright(centres(weights)), seen_around(weights, features)
    with torch.autocast("cpu", torch.bfloat16):
        got = centres(weights), _upright(centres(weights)), seen_around(weights, features)
    for one, other in zip(exact, got, strict=True):
        assert other.dtype == torch.float32
        assert torch.equal(one, other)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ConfigError, match="needs branches and positive numbers of channels"):
        PoseHandednessHead(())
    with pytest.raises(ConfigError, match=r"heat maps of 21 joints, got \(1, 17, 32, 32\)"):
        PoseHandednessHead(WIDTHS)(branches(1), torch.zeros(1, 17, 32, 32))
    head = HRNetV2Head(WIDTHS, softmax=True)
    head.outputs = ("logits",)
    with pytest.raises(ConfigError, match=r"PoseHandednessHead reads 'heatmaps', but HRNetV2Head gives \['logits'\]"):
        TopDownEstimator(HRNet(width=4), head, [PoseHandednessHead(WIDTHS)])
