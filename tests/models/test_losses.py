"""Losses: their values by hand, what counts, what they lead to, and half precision."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from handkit.codecs.gaussian_heatmap import GaussianHeatmap
from handkit.codecs.regression import Regression
from handkit.codecs.simcc import SimCC
from handkit.errors import ConfigError
from handkit.models.losses import (
    HandednessLoss,
    KeypointMSELoss,
    KeypointOHKMMSELoss,
    KLDiscretLoss,
    Loss,
    MultiBoxLoss,
    PresenceLoss,
    SmoothL1Loss,
    SpatialCrossEntropyLoss,
    Targets,
    WingLoss,
)

HEATMAP_LOSSES = [KeypointMSELoss(), SpatialCrossEntropyLoss()]
OTHERS = [KLDiscretLoss(), KLDiscretLoss(10.0, True), SmoothL1Loss(), WingLoss(), KeypointOHKMMSELoss(3)]
LOSSES: list[Loss] = [*HEATMAP_LOSSES, *OTHERS, PresenceLoss(), HandednessLoss()]
NAN = float("nan")


def batch(count: int = 4, seed: int = 0) -> tuple[dict[str, torch.Tensor], Targets]:
    """Raw outputs and targets of hands with joints in and out of the crop, some of them not labelled."""
    draw = np.random.default_rng(seed)
    visible = draw.uniform(0, 1, (count, 5)) < 0.8
    joints = draw.uniform(-10, 74, (count, 5, 2))
    made = Regression((64, 64)).encode(joints, visible)
    made |= SimCC((64, 32), 1.0, 3.0).encode(joints, visible)
    made |= GaussianHeatmap((64, 64), (16, 16)).encode(joints, visible)
    shapes = {"heatmaps": (16, 16), "simcc_x": (64,), "simcc_y": (32,), "coordinates": (2,)}
    outputs = {
        **{
            name: torch.from_numpy(draw.normal(0, 1, (count, 5, *shape)).astype(np.float32))
            for name, shape in shapes.items()
        },
        "presence": torch.from_numpy(draw.normal(0, 1, count).astype(np.float32)),
        "handedness": torch.from_numpy(draw.normal(0, 1, count).astype(np.float32)),
    }
    right = torch.tensor([1.0, 0.0, NAN, 1.0]).repeat(count)[:count]
    encoded = {name: torch.from_numpy(target) for name, target in made.items()}
    return outputs, Targets(**encoded, right=right, hand=torch.ones(count))


def some(targets: Targets, rows: Any, hand: torch.Tensor) -> Targets:
    parts = {key: value[rows] for key, value in vars(targets).items() if value is not None}
    return Targets(**{**parts, "hand": hand})


def test_the_squared_difference_by_hand() -> None:
    """Two joints of 2 x 2 cells, the second not labelled: (1 + 0 + 4 + 0) / 4 cells / 2 joints."""
    output = torch.tensor([[[[1.0, 0.0], [0.0, 0.0]], [[9.0, 9.0], [9.0, 9.0]]]])
    target = torch.tensor([[[[0.0, 0.0], [2.0, 0.0]], [[0.0, 0.0], [0.0, 0.0]]]])
    value = KeypointMSELoss()({"heatmaps": output}, Targets(target, torch.tensor([[1.0, 0.0]])))
    assert value.item() == pytest.approx(0.625)


def test_the_cross_entropy_by_hand() -> None:
    """Targets 3 and 1 are shares 3/4 and 1/4; equal logits give every cell 1/4; one joint of two is labelled."""
    target = torch.tensor([[[[3.0, 1.0], [0.0, 0.0]], [[0.0, 0.0], [0.0, 0.0]]]])
    value = SpatialCrossEntropyLoss()(
        {"heatmaps": torch.full((1, 2, 2, 2), 5.0)}, Targets(target, torch.tensor([[1.0, 0.0]]))
    )
    assert value.item() == pytest.approx(math.log(4) / 2)


@pytest.mark.parametrize("sigma", [1.5, 2.0, 3.0])
def test_the_least_cross_entropy_is_the_entropy_of_the_gaussian(sigma: float) -> None:
    maps = torch.from_numpy(GaussianHeatmap(sigma=sigma).encode(np.full((1, 1, 2), 126.0), np.ones((1, 1)))["heatmaps"])
    value = SpatialCrossEntropyLoss()({"heatmaps": maps.clamp(min=1e-30).log()}, Targets(maps, torch.ones(1, 1)))
    assert value.item() == pytest.approx(1 + math.log(2 * math.pi * sigma**2), abs=1e-3)


@pytest.mark.parametrize("loss", HEATMAP_LOSSES, ids=lambda loss: type(loss).__name__)
def test_the_least_loss_puts_joints_where_the_labels_are(loss: Loss) -> None:
    joints = np.random.default_rng(1).uniform(20, 44, (2, 5, 2))
    codec = GaussianHeatmap((64, 64), (16, 16), sigma=1, probabilities=loss.activation == "softmax")
    targets = {name: torch.from_numpy(value) for name, value in codec.encode(joints, np.ones((2, 5))).items()}
    maps = torch.zeros(2, 5, 16, 16, requires_grad=True)
    optimizer = torch.optim.Adam([maps], lr=0.1)
    for _ in range(300):
        optimizer.zero_grad()
        loss({"heatmaps": maps}, Targets(**targets)).backward()
        optimizer.step()
    shown = maps.detach().flatten(2).softmax(2).view_as(maps) if loss.activation == "softmax" else maps.detach()
    decoded, scores = codec.decode({"heatmaps": shown})
    assert np.abs(decoded.numpy() - joints).max() < 0.5
    assert scores.min() > 0.8


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: type(loss).__name__)
def test_crops_without_a_hand_change_nothing_but_presence(loss: Loss) -> None:
    outputs, targets = batch()
    alone = {name: value[:3].clone().requires_grad_() for name, value in outputs.items()}
    mixed = {name: value.clone().requires_grad_() for name, value in outputs.items()}
    expected = loss(alone, some(targets, slice(0, 3), torch.ones(3)))
    value = loss(mixed, some(targets, slice(0, 4), torch.tensor([1.0, 1, 1, 0])))
    expected.backward()
    value.backward()
    for name in loss.reads:
        gradient, unmixed = mixed[name].grad, alone[name].grad
        assert gradient is not None
        assert unmixed is not None
        if isinstance(loss, PresenceLoss):
            assert gradient[3] > 0
        else:
            assert value.item() == pytest.approx(expected.item(), rel=1e-6)
            assert not gradient[3].any()
            torch.testing.assert_close(gradient[:3], unmixed)


def test_an_unknown_side_teaches_nothing_about_sides() -> None:
    outputs, targets = batch()
    logits = outputs["handedness"].requires_grad_()
    value = HandednessLoss()({"handedness": logits}, targets)
    value.backward()
    p = torch.sigmoid(logits.detach())
    assert value.item() == pytest.approx(-(p[0].log() + (1 - p[1]).log() + p[3].log()).item() / 3)
    assert logits.grad is not None
    assert logits.grad.isfinite().all()
    assert logits.grad[2] == 0
    assert logits.grad[1] > 0 > logits.grad[0]


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: type(loss).__name__)
def test_a_batch_in_which_nothing_counts_has_no_gradient_but_is_finite(loss: Loss) -> None:
    outputs, targets = batch()
    leaves = {name: value.requires_grad_() for name, value in outputs.items()}
    value = loss(leaves, dataclasses.replace(targets, right=torch.full((4,), NAN), hand=torch.zeros(4)))
    value.backward()
    for name in loss.reads:
        gradient = leaves[name].grad
        assert gradient is not None
        assert gradient.isfinite().all()
        if not isinstance(loss, PresenceLoss):
            assert value.item() == 0
            assert not gradient.any()


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: type(loss).__name__)
@settings(deadline=None, max_examples=20)
@given(order=st.permutations(range(6)), seed=st.integers(0, 99))
def test_the_mean_is_that_of_the_samples_in_any_order(loss: Loss, order: list[int], seed: int) -> None:
    outputs, targets = batch(6, seed)
    values, counts = loss.per_sample(outputs, targets)
    assert values.shape == counts.shape == (6,)
    mean = loss(outputs, targets).item()
    assert mean == pytest.approx((values[counts > 0].sum() / counts.sum()).item(), rel=1e-5)
    shuffled = {name: value[order] for name, value in outputs.items()}
    assert loss(shuffled, some(targets, order, torch.ones(6))).item() == pytest.approx(mean, rel=1e-5)


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: type(loss).__name__)
def test_a_network_gone_nan_is_not_hidden(loss: Loss) -> None:
    outputs, targets = batch()
    outputs[loss.reads[-1]][1] = NAN
    assert loss(outputs, targets).isnan()


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: type(loss).__name__)
def test_half_precision_outputs_are_judged_in_float32(loss: Loss) -> None:
    outputs, targets = batch()
    half = {name: (value * 100).bfloat16() for name, value in outputs.items()}
    with torch.autocast("cpu", torch.bfloat16):
        value = loss(half, targets)
    assert value.dtype == torch.float32
    assert value.item() == pytest.approx(loss({n: v.float() for n, v in half.items()}, targets).item(), rel=1e-6)


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: type(loss).__name__)
def test_a_missing_or_misshaped_target_is_named(loss: Loss) -> None:
    outputs, targets = batch()
    with pytest.raises(ConfigError, match=rf"{type(loss).__name__} needs the target '\w+': .*PoseCollect"):
        loss(outputs, Targets())
    with pytest.raises(ConfigError, match=r"has the shape \(3, ?.*the network gives \(4,"):
        loss(outputs, some(targets, slice(0, 3), torch.ones(3)))


def test_maps_of_another_size_and_weights_without_sense_are_refused() -> None:
    outputs, targets = batch()
    with pytest.raises(
        ConfigError, match=r"'heatmaps' has the shape \(4, 5, 16, 16\), the network gives \(4, 5, 8, 8\)"
    ):
        KeypointMSELoss()({"heatmaps": outputs["heatmaps"][..., ::2, ::2]}, targets)
    for weight in (0, -1.0, NAN):
        with pytest.raises(ConfigError, match="loss_weight must be positive"):
            PresenceLoss(weight)
    with pytest.raises(ConfigError, match="must be positive"):
        MultiBoxLoss(neg_pos_ratio=0)
    with pytest.raises(ConfigError, match="must be positive"):
        MultiBoxLoss(smooth_l1_beta=0)


def test_multibox_by_hand() -> None:
    """One hand anchor, four of background with rising loss, one left out: the three worst count."""
    logits = torch.tensor([[[0.0, 0.0], [-1.0, 0.0], [0.0, 0.0], [1.0, 0.0], [2.0, 0.0], [9.0, 0.0]]])
    assigned = torch.tensor([[0, -1, -1, -1, -1, -2]])
    deltas, targets = torch.zeros(1, 6, 4), torch.full((1, 6, 4), NAN)
    targets[0, 0] = torch.tensor([0.5, 2.0, 0.0, 0.0])
    losses = MultiBoxLoss()(logits, deltas, assigned, targets)
    expected = math.log(2) + sum(math.log(1 + math.exp(logit)) for logit in (0, 1, 2))
    assert losses["loss_cls"].item() == pytest.approx(expected)
    assert losses["loss_bbox"].item() == pytest.approx(0.125 + 1.5)
    assert losses["loss"].item() == pytest.approx(expected + 1.625)


def test_multibox_takes_a_least_number_of_background_anchors() -> None:
    """Two images, one with a hand: of the other the two worst count, and their sum is divided by 1 + 1."""
    logits = torch.tensor([[[0.0, 0.0], [1.0, 0.0], [2.0, 0.0]]]).repeat(2, 1, 1)
    assigned = torch.tensor([[0, -2, -2], [-1, -1, -1]])
    losses = MultiBoxLoss(min_negatives=2)(logits, torch.zeros(2, 3, 4), assigned, torch.zeros(2, 3, 4))
    expected = math.log(2) + sum(math.log(1 + math.exp(logit)) for logit in (1, 2))
    assert losses["loss_cls"].item() == pytest.approx(expected / 2)
    with pytest.raises(ConfigError, match="min_negatives -1 not negative"):
        MultiBoxLoss(min_negatives=-1)


def test_multibox_without_any_hand_is_zero_and_with_hands_only_takes_no_background() -> None:
    logits, deltas = torch.randn(2, 3, 2, requires_grad=True), torch.randn(2, 3, 4, requires_grad=True)
    nothing = MultiBoxLoss()(logits, deltas, torch.full((2, 3), -1), torch.zeros(2, 3, 4))["loss"]
    nothing.backward()
    assert nothing == 0
    assert logits.grad is not None
    assert not logits.grad.any()
    full = MultiBoxLoss()(logits, deltas, torch.zeros(2, 3, dtype=torch.int64), deltas.detach())
    assert full["loss_bbox"] == 0
    assert full["loss_cls"].item() == pytest.approx(-logits.log_softmax(-1)[..., 0].mean().item())
