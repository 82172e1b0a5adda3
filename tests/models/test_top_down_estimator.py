"""TopDownEstimator: its modes, auxiliary heads and losses together."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from handkit.codecs.gaussian_heatmap import GaussianHeatmap
from handkit.errors import ConfigError
from handkit.models.backbones import HRNet
from handkit.models.estimators import FlipTest, TopDownEstimator
from handkit.models.heads import HandednessHead, Head, HeatmapHead, HRNetV2Head, PresenceHead
from handkit.models.losses import (
    HandednessLoss,
    KeypointMSELoss,
    Loss,
    PresenceLoss,
    SpatialCrossEntropyLoss,
)
from handkit.registry import MODELS, build, registered

WIDTHS = (4, 8, 16, 32)


def estimator(softmax: bool = False, aux: bool = True) -> TopDownEstimator:
    torch.manual_seed(0)
    heatmap_loss = SpatialCrossEntropyLoss() if softmax else KeypointMSELoss()
    aux_heads: list[Head] = [PresenceHead(32, 16), HandednessHead(32, 16)] if aux else []
    aux_losses: list[Loss] = [PresenceLoss(0.5), HandednessLoss(0.1)] if aux else []
    backbone = HRNet(width=4, num_modules=(1, 1, 1), num_blocks=(1, 1, 1, 1), stage1_channels=4)
    return TopDownEstimator(backbone, HRNetV2Head(WIDTHS, softmax=softmax), aux_heads, [heatmap_loss, *aux_losses])


def images(count: int = 4) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(0).normal(0, 1, (count, 3, 64, 64)).astype(np.float32))


def targets(count: int = 4) -> dict[str, torch.Tensor]:
    joints = np.random.default_rng(1).uniform(0, 64, (count, 21, 2))
    made = GaussianHeatmap((64, 64), (16, 16)).encode(joints, np.ones((count, 21)))
    hand = torch.tensor([1.0, 1.0, 0.0, 1.0])[:count]
    right = torch.tensor([1.0, float("nan"), 0.0, 0.0])[:count]
    return {**{name: torch.from_numpy(value) for name, value in made.items()}, "hand": hand, "right": right}


def test_the_modes_differ_by_the_activation() -> None:
    model = estimator(softmax=True).eval()
    with torch.inference_mode():
        raw, shown, usual = model(images(), "tensor"), model(images(), "predict"), model(images())
    assert list(raw) == list(shown) == ["heatmaps", "presence", "handedness"]
    for name, value in shown.items():
        assert torch.equal(usual[name], value)
    torch.testing.assert_close(shown["heatmaps"].sum(dim=(2, 3)), torch.ones(4, 21))
    torch.testing.assert_close(shown["heatmaps"], raw["heatmaps"].flatten(2).softmax(-1).view(4, 21, 16, 16))
    for name in ("presence", "handedness"):
        assert raw[name].shape == (4,)
        torch.testing.assert_close(shown[name], raw[name].sigmoid())


def test_without_softmax_the_maps_are_given_as_they_are() -> None:
    model = estimator(aux=False).eval()
    with torch.inference_mode():
        raw, shown = model(images(), mode="tensor"), model(images())
    assert list(raw) == list(shown) == ["heatmaps"]
    assert torch.equal(raw["heatmaps"], shown["heatmaps"])


def test_the_loss_is_the_weighted_sum_of_its_terms() -> None:
    losses = estimator()(images(), mode="loss", **targets())
    assert list(losses) == ["loss_heatmaps", "loss_presence", "loss_handedness", "loss"]
    assert all(value.shape == () and value.isfinite() for value in losses.values())
    expected = losses["loss_heatmaps"] + 0.5 * losses["loss_presence"] + 0.1 * losses["loss_handedness"]
    torch.testing.assert_close(losses["loss"], expected)


@pytest.mark.parametrize("softmax", [False, True])
@pytest.mark.parametrize("autocast", [False, True])
def test_every_weight_gets_a_finite_gradient_also_in_bfloat16(softmax: bool, autocast: bool) -> None:
    model = estimator(softmax)
    with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
        assert model(images(), "tensor")["heatmaps"].dtype == (torch.bfloat16 if autocast else torch.float32)
        losses = model(images(), "loss", **targets())
    assert {value.dtype for value in losses.values()} == {torch.float32}
    losses["loss"].backward()
    for name, value in model.named_parameters():
        assert value.grad is not None, name
        assert value.grad.isfinite().all(), name


@pytest.mark.parametrize("softmax", [False, True])
def test_a_few_steps_bring_the_loss_down(softmax: bool) -> None:
    model, labels = estimator(softmax), targets()
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    history = []
    for _ in range(15):
        optimizer.zero_grad()
        losses = model(images(), "loss", **labels)
        losses["loss"].backward()
        optimizer.step()
        history.append({name: value.item() for name, value in losses.items()})
    assert all(history[-1][name] < 0.9 * history[0][name] for name in ("loss_heatmaps", "loss_presence", "loss"))


def test_a_negative_teaches_presence_only() -> None:
    """Where the one crop shows no hand, the head of the joints gets a gradient of zeros."""
    model, labels = estimator(), targets(1)
    labels["hand"] = torch.zeros(1)
    model.eval()
    model(images(1), "loss", **labels)["loss"].backward()

    def moved(prefix: str) -> bool:
        gradients = [value.grad for name, value in model.named_parameters() if name.startswith(prefix)]
        return any(gradient is not None and bool(gradient.any()) for gradient in gradients)

    assert moved("aux_heads.presence")
    assert not moved("head.")
    assert not moved("aux_heads.handedness")


def test_auxiliary_heads_add_keys_and_losses_none() -> None:
    plain, full = estimator(aux=False).state_dict(), estimator().state_dict()
    added = [key for key in full if key not in plain]
    assert [key for key in full if key in plain] == list(plain)
    assert {key.split(".fc")[0].rsplit(".bn")[0].rsplit(".conv")[0] for key in added} == {
        "aux_heads.presence",
        "aux_heads.handedness",
    }
    assert not any("loss" in key for key in full)


def test_the_flip_test_and_the_codec_take_probabilities() -> None:
    model = FlipTest(estimator(softmax=True).eval())
    codec = GaussianHeatmap((64, 64), (16, 16), probabilities=True)
    with torch.inference_mode():
        outputs = model(images())
        joints, scores = codec.decode(outputs)
    assert set(outputs) == {"heatmaps", "presence", "handedness"}
    assert joints.isfinite().all()
    assert ((scores >= 0) & (scores <= 1)).all()
    assert ((outputs["presence"] > 0) & (outputs["presence"] < 1)).all()


def test_a_config_builds_it() -> None:
    node: dict[str, Any] = dict(
        type="TopDownEstimator",
        backbone=dict(type="HRNet", width=4),
        head=dict(type="HRNetV2Head", in_channels=WIDTHS, softmax=True),
        aux_heads=[dict(type="HandednessHead", in_channels=32), dict(type="PresenceHead", in_channels=32)],
        losses=[dict(type="SpatialCrossEntropyLoss"), dict(type="HandednessLoss", loss_weight=0.1)],
    )
    model = build(node, MODELS)
    assert set(model.aux_heads) == {"presence", "handedness"}
    assert [loss.loss_weight for loss in model.losses] == [1, 0.1]


def test_what_does_not_fit_together_is_refused() -> None:
    backbone, head = HRNet(width=4), HRNetV2Head(WIDTHS)
    with pytest.raises(ConfigError, match=r"PresenceLoss judges 'presence', but the heads give \['heatmaps'\]"):
        TopDownEstimator(backbone, head, losses=[PresenceLoss()])
    with pytest.raises(ConfigError, match="SpatialCrossEntropyLoss is for heads with the activation 'softmax'"):
        TopDownEstimator(backbone, head, losses=[SpatialCrossEntropyLoss()])
    with pytest.raises(ConfigError, match="KeypointMSELoss is for heads with the activation 'none'"):
        TopDownEstimator(backbone, HRNetV2Head(WIDTHS, softmax=True), losses=[KeypointMSELoss()])
    with pytest.raises(ConfigError, match="two heads give the same output"):
        TopDownEstimator(backbone, head, [PresenceHead(32), PresenceHead(32)])
    with pytest.raises(ConfigError, match="two losses judge the same output"):
        TopDownEstimator(backbone, head, losses=[KeypointMSELoss(), KeypointMSELoss()])
    with pytest.raises(ConfigError, match="positive in_channels and hidden_channels"):
        HandednessHead(32, 0)


def test_wrong_calls_are_refused() -> None:
    model = estimator()
    with pytest.raises(ConfigError, match="no mode 'train'"):
        model(images(), mode="train")
    with pytest.raises(ConfigError, match="KeypointMSELoss needs the target 'target_weight'"):
        model(images(), mode="loss", heatmaps=targets()["heatmaps"])
    with pytest.raises(ConfigError, match="TopDownEstimator has no losses"):
        TopDownEstimator(HRNet(width=4), HRNetV2Head(WIDTHS))(images(), mode="loss", **targets())


class Maps(nn.Module):
    """A backbone that gives maps of these channels and sides, whatever it sees."""

    def __init__(self, channels: list[int], sides: list[int]) -> None:
        super().__init__()
        self.shapes = [(2, count, side, side) for count, side in zip(channels, sides, strict=True)]

    def forward(self, img: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return tuple(torch.rand(shape) for shape in self.shapes)


class Given(Head):
    """The predictions that an auxiliary head reads."""

    def __init__(self, outputs: tuple[str, ...]) -> None:
        super().__init__()
        self.outputs = outputs

    def forward(self, features: list[torch.Tensor]) -> dict[str, torch.Tensor]:
        return {name: torch.rand(2, 21, 8, 8) if name == "heatmaps" else torch.rand(2) for name in self.outputs}


class Failing(HeatmapHead):
    """Fits behind its backbone, and fails."""

    def forward(self, features: list[torch.Tensor]) -> dict[str, torch.Tensor]:
        raise RuntimeError("no channels_last here")


HEADS = [name for name in registered(MODELS) if issubclass(MODELS.get(name), Head)]
#: The sides of the maps of heads that are for one size.
SIDES = {"PFLDHead": [14, 7], "RotationHead": [28]}


def test_every_head_that_reads_maps_says_how_many_channels_they_have() -> None:
    assert [name for name in HEADS if not build({"type": name}, MODELS).map_channels] == ["PosePriorHead"]


@pytest.mark.parametrize("name", [name for name in HEADS if name != "PosePriorHead"])
def test_a_head_for_another_backbone_says_so(name: str) -> None:
    head = build({"type": name}, MODELS).eval()
    own = list(head.map_channels)
    sides = SIDES.get(name, [8] * len(own))
    heads: tuple[Head, list[Head]] = (Given(head.reads), [head]) if head.reads else (head, [])
    with torch.inference_mode():
        TopDownEstimator(Maps(own, sides), *heads)(images(2), "tensor")
        for place in range(len(own)):
            other = [count + (place == i) for i, count in enumerate(own)]
            with pytest.raises(ConfigError) as told:
                TopDownEstimator(Maps(other, sides), *heads)(images(2), "tensor")
            said = f"{name} does not fit behind Maps, whose maps have {other} channels; its in_channels say {own}: "
            assert str(told.value).startswith(said)


def test_what_else_goes_wrong_is_left_as_it_is() -> None:
    with pytest.raises(RuntimeError, match=r"^no channels_last here$"):
        TopDownEstimator(Maps([5], [4]), Failing(5))(images(2))
