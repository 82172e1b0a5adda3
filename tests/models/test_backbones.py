"""ResNet, MobileNetV2, LiteHRNet and CSPNeXt against mmpose's: names, maps, and one training step."""

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
from handkit.checkpoints.keymaps import to_handkit_keys
from handkit.errors import CheckpointError, ConfigError
from handkit.models.backbones import CSPNeXt, LiteHRNet, MobileNetV2, ResNet
from handkit.registry import MODELS, build

FOLDER = Path(__file__).parents[1] / "golden"
RULE, GRADIENTS = (
    SimpleNamespace(**runpy.run_path(str(FOLDER / f"{name}_rule.py"))) for name in ("backbones", "gradient")
)
GOLDEN, STEP = (np.load(FOLDER / f"{name}.npz") for name in ("backbones", "backbones_step"))
LARGE = ("resnet101", "resnet152")


def shapes_of(keys: Any) -> dict[str, tuple[int, ...]]:
    """From the golden files' strings, e.g. ``conv1.weight (64, 3, 7, 7)``."""
    split = [line.partition(" ") for line in keys.tolist()]
    return {key: tuple(map(int, shape.strip("(),").replace(",", " ").split())) for key, _, shape in split}


def peers_state(kind: str, keys: Any) -> dict[str, torch.Tensor]:
    """The state under the peer's names, filled by the rule."""
    return {key: torch.from_numpy(np.asarray(value)) for key, value in RULE.state(kind, shapes_of(keys)).items()}


def sampled(features: Any) -> Any:
    return np.stack([RULE.sampled(feature.detach().numpy()) for feature in features])


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow) if name in LARGE else name for name in RULE.NETS]
)
def test_names_and_maps_are_those_of_mmpose(name: str) -> None:
    kind, _, arguments = RULE.NETS[name]
    with torch.device("meta"):  # draws no weights
        net: Any = build(dict(type=kind, **arguments), MODELS)
    state = to_handkit_keys(peers_state(kind, GOLDEN[f"{name}_keys"]))
    own = [(key, value.shape) for key, value in net.state_dict().items()]
    assert own == [(key, value.shape) for key, value in state.items()]
    net.load_state_dict(state, assign=True)
    with torch.inference_mode():
        features = net.eval()(torch.from_numpy(RULE.images()))
    assert tuple(feature.shape[1] for feature in features) == net.out_channels
    for found, expected in zip(sampled(features), GOLDEN[f"{name}_features"], strict=True):
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4 * np.abs(expected).max())


@pytest.mark.parametrize("name", RULE.STEPS)
def test_a_training_step_has_mmposes_gradients_and_statistics(name: str) -> None:
    kind, _, arguments = RULE.STEPS[name]
    net: Any = build(dict(type=kind, **arguments), MODELS)
    if kind == "ResNet":
        del net.layer3, net.layer4  # not in the golden net, and not run
    numbers = {key: tuple(value.shape) for key, value in net.state_dict().items()}
    theirs = dict(zip(numbers, STEP[f"{name}_state"].tolist(), strict=True))
    assert set(numbers) == set(to_handkit_keys(dict.fromkeys(theirs.values())))
    weights = RULE.state(kind, {theirs[key]: shape for key, shape in numbers.items()})
    net.load_state_dict({key: torch.from_numpy(np.asarray(weights[theirs[key]])) for key in numbers})
    net = net.double().train()
    features = net(torch.from_numpy(RULE.step_images()))
    np.testing.assert_allclose(sampled(features), STEP[f"{name}_features"], rtol=0, atol=1e-9)
    losses = [(feature * torch.from_numpy(RULE.slope(tuple(feature.shape)))).sum() for feature in features]
    torch.stack(losses).sum().backward()
    named = {theirs[key]: value for key, value in net.named_parameters()}
    ours = GRADIENTS.summary(SimpleNamespace(named_parameters=named.items))
    whole = np.linalg.norm(STEP[f"{name}_norms"])
    assert ours["parameters"].tolist() == STEP[f"{name}_parameters"].tolist()
    np.testing.assert_allclose(ours["projections"], STEP[f"{name}_projections"], rtol=0, atol=1e-9 * whole)
    norms = [part for part in net.modules() if isinstance(part, nn.BatchNorm2d)]
    statistics = [[part.running_mean.sum().item(), part.running_var.sum().item()] for part in norms]
    np.testing.assert_allclose(statistics, STEP[f"{name}_statistics"], rtol=1e-9, atol=1e-9)


def test_torchvisions_file_begins_a_resnet(tmp_path: Path) -> None:
    whole, path = peers_state("ResNet", GOLDEN["torchvision_keys"]), tmp_path / "resnet18.pth"
    torch.save(whole, path)
    net = ResNet(18)
    with pytest.raises(CheckpointError, match=r"2 extra: fc\.weight, fc\.bias"):
        load_weights(net, path)
    load_weights(net, path, extra=net.classifier)
    with torch.inference_mode():
        own = sampled(net.eval()(torch.from_numpy(RULE.images())))
    np.testing.assert_allclose(own, GOLDEN["resnet18_features"][-1:], rtol=0, atol=1e-4)


def test_a_backbone_begins_with_its_part_of_a_whole_networks_file(tmp_path: Path) -> None:
    keys = [key for key in GOLDEN["mobilenetv2_keys"].tolist() if not key.startswith("conv2")]
    state = peers_state("MobileNetV2", np.array([*keys, "conv2.conv.weight (1280, 320, 1, 1)"]))
    short = MobileNetV2(out_indices=(6,))
    norm = {key: value for key, value in short.state_dict().items() if key.startswith("conv2.bn")}
    whole = {f"backbone.{key}": value for key, value in {**state, **norm}.items()} | {"head.fc.bias": torch.ones(1000)}
    torch.save({"state_dict": whole}, tmp_path / "mobilenet_v2.pth")
    load_weights(short, tmp_path / "mobilenet_v2.pth", part="backbone")
    with torch.inference_mode():
        own = sampled(short.eval()(torch.from_numpy(RULE.images())))
    np.testing.assert_allclose(own, GOLDEN["mobilenetv2_features"][6:7], rtol=0, atol=1e-4)
    with pytest.raises(CheckpointError, match=r"extra: backbone\.conv1"):
        load_weights(short, tmp_path / "mobilenet_v2.pth", part="neck")


@pytest.mark.parametrize("output_stride", [16, 8])
@pytest.mark.parametrize("size", [(64, 96), (70, 93)])
def test_a_finer_grid_holds_the_maps_of_the_coarse_one(output_stride: Any, size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    coarse = MobileNetV2(0.35, out_indices=(2, 4, 7)).eval()
    fine = MobileNetV2(0.35, out_indices=(2, 4, 7), output_stride=output_stride).eval()
    fine.load_state_dict(coarse.state_dict())
    img = torch.randn(1, 3, *size)
    with torch.inference_mode():
        expected, found = coarse(img), fine(img)
    strides = [min(stride, output_stride) for stride in (8, 16, 32)]
    assert [x.shape[2:] for x in found] == [tuple(-(-side // stride) for side in size) for stride in strides]
    for one, other, stride, coarse_stride in zip(expected, found, strides, (8, 16, 32), strict=True):
        skip = coarse_stride // stride
        torch.testing.assert_close(other[..., ::skip, ::skip], one, rtol=0, atol=1e-5 * float(one.abs().max()))


def test_narrow_atrous_blocks_get_no_shortcut_that_the_steps_would_not_have() -> None:
    """At a tenth of the width two stages have as many channels as the ones before them."""
    coarse, fine = MobileNetV2(0.1).eval(), MobileNetV2(0.1, output_stride=8).eval()
    fine.load_state_dict(coarse.state_dict())
    img = torch.randn(1, 3, 64, 64)
    with torch.inference_mode():
        torch.testing.assert_close(fine(img)[0][..., ::4, ::4], coarse(img)[0])


def test_the_norms_eps_of_cspnext_is_not_in_the_weights_and_matters() -> None:
    rtmpose, rtmdet = GOLDEN["cspnext_m_features"], GOLDEN["cspnext_m_rtmdet_features"]
    assert GOLDEN["cspnext_m_keys"].tolist() == GOLDEN["cspnext_m_rtmdet_keys"].tolist()
    assert np.abs(rtmpose - rtmdet).max() > 1e-3 * np.abs(rtmpose).max()


def test_all_four_maps_of_litehrnet() -> None:
    one, four = LiteHRNet((1, 1, 1), width=8).eval(), LiteHRNet((1, 1, 1), width=8, multiscale_output=True).eval()
    four.load_state_dict(one.state_dict())
    img = torch.randn(2, 3, 50, 70)
    with torch.inference_mode():
        single, maps = one(img), four(img)
    assert one.out_channels == (8,)
    assert [x.shape[1:] for x in maps] == [(8, 13, 18), (8, 7, 9), (16, 4, 5), (32, 2, 3)]
    assert tuple(x.shape[1] for x in maps) == four.out_channels
    assert torch.equal(single[0], maps[0])


def test_residual_branches_of_a_new_resnet_begin_closed() -> None:
    torch.manual_seed(0)
    net = ResNet(18).eval()
    x = torch.rand(1, 64, 8, 8)
    with torch.inference_mode():
        assert torch.equal(net.layer1(x), x)
        assert not torch.equal(ResNet(18, zero_init_residual=False).eval().layer1(x), x)


def test_what_lies_behind_the_last_output_is_not_run() -> None:
    img = torch.randn(1, 3, 64, 64)
    for net, behind in ((ResNet(18, out_indices=(1,)), "layer3"), (CSPNeXt(0.33, 0.25, out_indices=(2,)), "stage3")):
        getattr(net, behind).register_forward_hook(lambda *_: pytest.fail("a stage nobody asked for was run"))
        assert net.eval()(img)[0].shape[2:] == (8, 8)


@pytest.mark.parametrize(
    ("node", "message"),
    [
        (dict(type="ResNet", depth=60), "ResNet has no depth 60"),
        (dict(type="ResNet", depth=18, out_indices=(4,)), r"ResNet: out_indices must ascend within 0\.\.3, got \(4,\)"),
        (dict(type="CSPNeXt", out_indices=(5,)), r"CSPNeXt: out_indices must ascend within 0\.\.4"),
        (dict(type="CSPNeXt", widen_factor=0), "leave no channels"),
        (dict(type="CSPNeXt", expand_ratio=0), "leave no channels"),
        (dict(type="LiteHRNet", num_modules=(2, 4)), "LiteHRNet needs 3 num_modules"),
        (dict(type="LiteHRNet", width=9), "even width of at least 8"),
        (dict(type="LiteHRNet", reduce_ratio=100), "reduce_ratio"),
        (dict(type="MobileNetV2", output_stride=4), "output_stride must be 8, 16 or 32, got 4"),
    ],
)
def test_wrong_arguments_are_refused(node: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        build(node, MODELS)
