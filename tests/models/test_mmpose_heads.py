"""Heads and losses against mmpose's: key names, raw outputs on the same weights, values, gradients; training them."""

from __future__ import annotations

import runpy
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from handkit.codecs.gaussian_heatmap import GaussianHeatmap
from handkit.codecs.regression import Regression
from handkit.codecs.simcc import SimCC
from handkit.errors import ConfigError
from handkit.models import heads, losses
from handkit.models.estimators import TopDownEstimator
from handkit.models.heads.gated_attention import GatedAttention, ScaleNorm

FOLDER = Path(__file__).parents[1] / "golden"
WEIGHTS, RULE = (SimpleNamespace(**runpy.run_path(str(FOLDER / f"mmpose{name}_rule.py"))) for name in ("", "_heads"))
GOLDEN = np.load(FOLDER / "mmpose_heads.npz")


def head_of(name: str) -> Any:
    kind, arguments = RULE.HEADS[name]
    more = RULE.GAU if kind == "RTMCCHead" else {}
    return getattr(heads, kind)(RULE.CHANNELS, RULE.JOINTS, **arguments, **more)


def close(ours: torch.Tensor, theirs: Any, tolerance: float = 1e-5) -> None:
    np.testing.assert_allclose(ours.detach().numpy(), theirs, rtol=0, atol=tolerance * np.abs(theirs).max())


@pytest.mark.parametrize("name", RULE.HEADS)
def test_heads_have_mmposes_keys_and_outputs(name: str) -> None:
    head = head_of(name).eval()
    shapes = {key: tuple(value.shape) for key, value in head.state_dict().items()}
    assert set(shapes) == set(GOLDEN[f"{name}_keys"])
    head.load_state_dict({key: torch.from_numpy(np.asarray(value)) for key, value in WEIGHTS.state(shapes).items()})
    with torch.inference_mode():
        made = head([torch.zeros(2, 3, 16, 12), torch.from_numpy(RULE.features())])
    assert tuple(made) == head.outputs
    for output, value in made.items():
        close(value, GOLDEN[name + output.removeprefix("simcc") if output.startswith("simcc") else name])


@pytest.mark.parametrize("name", RULE.LOSSES)
def test_losses_have_mmposes_values_and_gradients(name: str) -> None:
    kind, arguments = RULE.LOSSES[name]
    loss = getattr(losses, kind)(**arguments)
    made, asked, weight = (
        [torch.from_numpy(one) for one in part] for part in (*RULE.outputs(name)[:2], RULE.outputs(name)[2:])
    )
    outputs = {key: value.requires_grad_() for key, value in zip(loss.reads, made, strict=True)}
    value = loss(outputs, losses.Targets(**dict(zip(loss.reads, asked, strict=True)), target_weight=weight[0]))
    value.backward()
    factor = len(made[0]) if kind == "KLDiscretLoss" else 1  # mmpose sums over hands
    assert value.item() * factor == pytest.approx(GOLDEN[f"{name}_loss"].item(), rel=1e-9)
    for index, output in enumerate(outputs.values()):
        close(output.grad * factor, GOLDEN[f"{name}_gradient_{index}"], 1e-6)


def test_probabilities_are_the_softmax_over_the_bins_at_the_heads_temperature() -> None:
    head = heads.SimCCHead(4, 2, (8, 8), (2, 2), 1.0, (), (), beta=3.0)
    raw = {"simcc_x": torch.tensor([[[0.0, 1.0], [2.0, 2.0]]]).bfloat16()}
    made = head.activate(raw)["simcc_x"]
    assert made.dtype == torch.float32
    share = 1 / (1 + np.exp(3))
    np.testing.assert_allclose(made, [[[share, 1 - share], [0.5, 0.5]]], rtol=1e-6)


SIZE = dict(input_size=(64, 64), in_featuremap_size=(2, 2))
TRAINED: dict[str, tuple[Any, Any, Any]] = {
    "heatmap": (
        lambda: heads.HeatmapHead(8, 21, (8, 8, 8), softmax=True),
        GaussianHeatmap((64, 64), (16, 16)),
        losses.SpatialCrossEntropyLoss(),
    ),
    "ohkm": (
        lambda: heads.HeatmapHead(8, 21, (8, 8, 8)),
        GaussianHeatmap((64, 64), (16, 16)),
        losses.KeypointOHKMMSELoss(),
    ),
    "simcc": (
        lambda: heads.SimCCHead(8, 21, **SIZE, deconv_out_channels=(8,), deconv_kernel_sizes=(4,)),
        SimCC((64, 64)),
        losses.KLDiscretLoss(),
    ),
    "rtmcc": (
        lambda: heads.RTMCCHead(8, 21, **SIZE, hidden_dims=16, s=8, dropout_rate=0.1, drop_path=0.1),
        SimCC((64, 64), normalize=False, label_beta=10.0),
        losses.KLDiscretLoss(10.0, True),
    ),
    "smooth_l1": (lambda: heads.RegressionHead(8), Regression((64, 64)), losses.SmoothL1Loss()),
    "wing": (lambda: heads.RegressionHead(8), Regression((64, 64)), losses.WingLoss()),
}


class Backbone(nn.Module):
    """One convolution to a map at stride 32."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 32, 32)

    def forward(self, img: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return (self.conv(img).relu(),)


@pytest.mark.parametrize("name", TRAINED)
@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
def test_a_step_lowers_the_loss_and_gradients_are_finite(name: str, precision: torch.dtype) -> None:
    torch.manual_seed(0)
    make, codec, loss = TRAINED[name]
    model = TopDownEstimator(Backbone(), make(), losses=[loss])
    draw = np.random.default_rng(0)
    encoded = codec.encode(draw.uniform(-5, 69, (4, 21, 2)), draw.uniform(0, 1, (4, 21)) < 0.8)
    targets = {key: torch.from_numpy(value) for key, value in encoded.items()}
    images = torch.randn(4, 3, 64, 64)
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3)
    values = []
    for _ in range(20):
        optimizer.zero_grad()
        with torch.autocast("cpu", precision, enabled=precision != torch.float32):
            made = model(images, mode="loss", **targets)
        made["loss"].backward()
        assert all(weight.grad is not None and weight.grad.isfinite().all() for weight in model.parameters())
        optimizer.step()
        values.append(made["loss"].item())
    assert values[-1] < values[0]
    with torch.inference_mode():
        keypoints, scores = codec.decode(model.eval()(images))
    assert keypoints.shape == (4, 21, 2)
    assert keypoints.isfinite().all()
    assert ((scores >= 0) & (scores <= 1)).all()


def test_scale_norm_of_nothing_is_nothing_with_a_finite_gradient() -> None:
    x = torch.zeros(1, 4, requires_grad=True)
    made = ScaleNorm(4)(x)
    made.sum().backward()
    assert not made.any()
    assert x.grad is not None
    assert x.grad.isfinite().all()


def test_a_dropped_path_leaves_the_shortcut_of_whole_samples() -> None:
    torch.manual_seed(0)
    unit = GatedAttention(6, s=4, drop_path=0.5)
    x = torch.randn(64, 3, 6)
    made, full = unit(x), unit.eval()(x)
    alone = (made == unit.res_scale(x)).flatten(1).all(1)
    assert 10 < alone.sum() < 54
    torch.testing.assert_close((made - unit.res_scale(x))[~alone], 2 * (full - unit.res_scale(x))[~alone])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: heads.HeatmapHead(0), "HeatmapHead needs positive numbers of channels"),
        (
            lambda: heads.HeatmapHead(deconv_kernel_sizes=(4, 4)),
            r"2, 3 or 4 for each of \(256, 256, 256\), got \(4, 4\)",
        ),
        (lambda: heads.HeatmapHead(deconv_kernel_sizes=(4, 4, 5)), r"got \(4, 4, 5\)"),
        (lambda: heads.SimCCHead(beta=0.0), "SimCCHead needs positive numbers.*beta=0"),
        (lambda: heads.SimCCHead(in_featuremap_size=(0, 8)), "in_featuremap_size"),
        (lambda: heads.RTMCCHead(final_layer_kernel_size=4), "must be odd, not 4"),
        (lambda: heads.RTMCCHead(drop_path=1.0), r"lie in \[0, 1\)"),
        (lambda: heads.RTMCCHead(act_fn="GELU"), "'SiLU' or 'ReLU'"),  # type: ignore[arg-type]
        (lambda: heads.RegressionHead(num_joints=0), "positive numbers, got 2048 and 0"),
        (lambda: heads.SimCCHead()([torch.zeros(1, 2048, 8, 6)]), r"in_featuremap_size is \(width, height\) \(8, 8\)"),
        (lambda: losses.KLDiscretLoss(beta=-1.0), "beta -1.0 and label_beta 10.0 must be positive"),
        (lambda: losses.SmoothL1Loss(beta=0.0), "beta must be positive, not 0"),
        (lambda: losses.WingLoss(omega=0.0), "omega 0.0 and epsilon 2.0 must be positive"),
        (lambda: losses.KeypointOHKMMSELoss(0), "topk must be 1 at least"),
        (lambda: losses.KeypointOHKMMSELoss(9).over_joints(torch.zeros(2, 5)), "topk=9 of 5 joints"),
        (
            lambda: TopDownEstimator(nn.Identity(), heads.RTMCCHead(), losses=[losses.KLDiscretLoss()]),
            "KLDiscretLoss has beta=1.0, but RTMCCHead has beta=10.0",
        ),
        (
            lambda: TopDownEstimator(nn.Identity(), heads.RegressionHead(), losses=[losses.KLDiscretLoss()]),
            r"KLDiscretLoss judges 'simcc_x', but the heads give \['coordinates'\]",
        ),
        (
            lambda: TopDownEstimator(nn.Identity(), heads.SimCCHead(), [heads.PoseHandednessHead()]),
            r"PoseHandednessHead reads 'heatmaps', but SimCCHead gives \['simcc_x', 'simcc_y'\]",
        ),
    ],
)
def test_what_does_not_fit_is_named(make: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make()
