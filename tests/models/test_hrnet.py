"""HRNetV2 with its head against mmpose's: names, shapes and values."""

from __future__ import annotations

import runpy
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from handkit.checkpoints import load_weights
from handkit.errors import ConfigError
from handkit.models.backbones.hrnet import HRNet
from handkit.models.estimators import TopDownEstimator
from handkit.models.heads import HRNetV2Head
from handkit.registry import MODELS, build

FOLDER = Path(__file__).parents[1] / "golden"
GOLDEN = np.load(FOLDER / "mmpose.npz")
RULE = SimpleNamespace(**runpy.run_path(str(FOLDER / "mmpose_rule.py")))


def fill(model: nn.Module) -> nn.Module:
    shapes = {key: tuple(value.shape) for key, value in model.state_dict().items()}
    model.load_state_dict({key: torch.from_numpy(np.asarray(value)) for key, value in RULE.state(shapes).items()})
    return model.eval()


@pytest.fixture(scope="module")
def model() -> nn.Module:
    return fill(TopDownEstimator(HRNet(), HRNetV2Head()))


@torch.inference_mode()
def heatmaps(model: nn.Module, images: Any) -> Any:
    return model(torch.as_tensor(images))["heatmaps"].numpy()


def relative_difference(ours: Any, theirs: Any) -> float:
    assert ours.shape == theirs.shape
    return float(np.abs(ours - theirs).max() / np.abs(theirs).max())


def test_keys_and_shapes_are_those_of_mmpose_in_the_same_order(model: nn.Module) -> None:
    state = model.state_dict()
    assert list(state) == GOLDEN["keys"].tolist()
    assert [str(tuple(value.shape)) for value in state.values()] == GOLDEN["shapes"].tolist()
    assert sum(parameter.numel() for parameter in model.parameters()) == 9_641_661


def test_heat_maps_are_those_of_mmpose(model: nn.Module) -> None:
    assert relative_difference(heatmaps(model, RULE.images()), GOLDEN["heatmaps"]) < 1e-4


def test_the_small_body_network_is_that_of_mmpose() -> None:
    net = fill(HRNet(**RULE.SMALL, upsample="nearest", multiscale_output=False))
    with torch.inference_mode():
        (features,) = net(torch.from_numpy(RULE.images()))
    assert net.out_channels == (8,)
    assert relative_difference(features.numpy(), GOLDEN["small"]) < 1e-4


def test_heat_maps_of_the_reference_inputs(peer_data: Path) -> None:
    model = TopDownEstimator(HRNet(), HRNetV2Head())
    load_weights(model, peer_data / "peers" / "mmpose_reference_state.pth")
    with np.load(peer_data / "peers" / "mmpose_reference.npz") as reference:
        assert relative_difference(heatmaps(model.eval(), reference["inputs"]), reference["heat"]) < 1e-3


def test_channels_last_changes_nothing_but_rounding(model: nn.Module) -> None:
    images = torch.from_numpy(RULE.images())
    usual = heatmaps(model, images)
    other = fill(TopDownEstimator(HRNet(), HRNetV2Head())).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    assert relative_difference(heatmaps(other, images.contiguous(memory_format=torch.channels_last)), usual) < 1e-3


@pytest.mark.parametrize("wrong", [{"upsample": "nearest"}, {"align_corners": True}])
def test_the_way_of_upsampling_is_not_in_the_weights_and_matters(wrong: dict[str, Any]) -> None:
    other = fill(TopDownEstimator(HRNet(**wrong), HRNetV2Head()))
    assert relative_difference(heatmaps(other, RULE.images()), GOLDEN["heatmaps"]) > 0.01


@pytest.mark.parametrize(("height", "width"), [(96, 64), (100, 60), (33, 47)])
def test_branches_halve_and_any_size_goes_through(model: nn.Module, height: int, width: int) -> None:
    images = torch.zeros(1, 3, height, width)
    with torch.inference_mode():
        features = model.backbone(images)
    for level, (feature, channels) in enumerate(zip(features, (18, 36, 72, 144), strict=True)):
        stride = 4 * 2**level
        assert feature.shape == (1, channels, -(-height // stride), -(-width // stride))
    assert heatmaps(model, images).shape == (1, 21, *features[0].shape[2:])


def test_an_empty_batch_gives_empty_maps(model: nn.Module) -> None:
    assert heatmaps(model, torch.zeros(0, 3, 64, 64)).shape == (0, 21, 16, 16)


def test_rows_of_a_batch_do_not_see_each_other(model: nn.Module) -> None:
    images = RULE.images()
    singly = np.concatenate([heatmaps(model, images[index : index + 1]) for index in range(2)])
    assert relative_difference(singly, heatmaps(model, images)) < 1e-4


def test_fresh_weights_keep_activations_in_range_and_every_weight_gets_a_gradient() -> None:
    torch.manual_seed(0)
    model = TopDownEstimator(HRNet(**RULE.SMALL), HRNetV2Head((8, 16, 32, 64)))
    features = model.backbone(torch.from_numpy(RULE.images()))
    assert all(0.1 < feature.std() < 10 for feature in features)
    model(torch.from_numpy(RULE.images()))["heatmaps"].square().sum().backward()
    assert all(parameter.grad is not None and parameter.grad.isfinite().all() for parameter in model.parameters())
    assert all(parameter.grad.abs().sum() > 0 for name, parameter in model.named_parameters() if "conv1" in name)


def test_it_begins_with_a_classifiers_weights(tmp_path: Path) -> None:
    backbone = HRNet(**RULE.SMALL)
    own = {key: value + 1 for key, value in backbone.state_dict().items()}
    rest = ("incre_modules.0.0.conv1", "downsamp_modules.1.0", "final_layer.0", "classifier")
    torch.save({"state_dict": own | {f"{name}.weight": torch.ones(2, 2) for name in rest}}, tmp_path / "hrnet.pth")
    load_weights(backbone, tmp_path / "hrnet.pth", extra=backbone.classifier, part="backbone")
    assert torch.equal(backbone.conv1.weight, own["conv1.weight"])


def test_a_config_builds_it() -> None:
    made = build(
        dict(type="TopDownEstimator", backbone=dict(type="HRNet", **RULE.SMALL), head=dict(type="HRNetV2Head")), MODELS
    )
    assert isinstance(made.backbone, HRNet)
    assert made.backbone.out_channels == (8, 16, 32, 64)


@pytest.mark.parametrize(
    "arguments",
    [
        {"num_modules": (1, 4)},
        {"num_blocks": (4, 4, 4)},
        {"upsample": "bicubic"},
        {"upsample": "nearest", "align_corners": True},
    ],
)
def test_wrong_arguments_are_refused(arguments: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        HRNet(**arguments)


def test_a_head_without_branches_is_refused() -> None:
    with pytest.raises(ConfigError, match="in_channels"):
        HRNetV2Head(())
