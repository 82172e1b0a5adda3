"""What every backbone must keep: training in bf16, NHWC, single rows, any size, export."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch

from handkit.models import backbones
from handkit.registry import MODELS, build

#: A small one of each kind that uses all of its weights.
SMALL: dict[str, dict[str, Any]] = {
    "CPMTrunk": dict(tail=(32, 16), width=0.125),
    "CSPNeXt": dict(deepen_factor=0.33, widen_factor=0.125, out_indices=(3, 4)),
    "EfficientNetLite0": {},
    "HRNet": dict(width=4, num_modules=(1, 1, 1), num_blocks=(1, 1, 1, 1), stage1_channels=4),
    "HourglassNet": dict(downsample_times=2, stage_channels=(16, 16, 24), stage_blocks=(1, 1, 1), feat_channel=16),
    "LiteHRNet": dict(num_modules=(1, 1, 1), width=8, num_blocks=1),
    "MobileNetV2": dict(widen_factor=0.35, out_indices=(4, 7), output_stride=16),
    "PFLDNet": dict(widen_factor=0.5),
    "ResNet": dict(depth=18, out_indices=(2, 3)),
    "SCNet": dict(depth=50, out_indices=(1, 3)),
}
#: Shares of a map that bf16 may change where a net is deeper than the others: 16 blocks.
ROUNDING = {"SCNet": 0.65}
NAMES = pytest.mark.parametrize("name", SMALL)


def made(name: str) -> Any:
    """With the statistics of a few images in its batch norms, and no branch that begins closed."""
    torch.manual_seed(0)
    net = build(dict(type=name, **SMALL[name]), MODELS)
    norms = [part for part in net.modules() if isinstance(part, torch.nn.BatchNorm2d)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        torch.nn.init.uniform_(norm.weight, 0.7, 1.3)
        norm.momentum = 1.0
    with torch.no_grad():
        net.train()(torch.randn(4, 3, 64, 96))
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    return net


def assert_close(found: Any, expected: Any) -> None:
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-4 * float(other.abs().max()))


def test_all_backbones_are_in_the_table() -> None:
    assert set(SMALL) == set(backbones.__all__)


@NAMES
def test_every_weight_learns_in_bf16_and_channels_last(name: str) -> None:
    net = made(name).to(memory_format=torch.channels_last).train()
    before = {key: value.clone() for key, value in net.named_buffers() if key.endswith("running_mean")}
    images = torch.randn(2, 3, 96, 64).to(memory_format=torch.channels_last)
    with torch.autocast("cpu", torch.bfloat16):
        features = net(images)
    loss = sum((feature.float() * torch.randn(feature.shape)).mean() for feature in features)
    loss.backward()  # type: ignore[attr-defined]
    gradients = {key: weight.grad for key, weight in net.named_parameters()}
    assert [key for key, grad in gradients.items() if grad is None or not grad.isfinite().all()] == []
    assert sum(bool(grad.abs().sum() > 0) for grad in gradients.values()) > 0.95 * len(gradients)
    after = dict(net.named_buffers())
    assert all(not torch.equal(after[key], value) for key, value in before.items())


@NAMES
@torch.inference_mode()
def test_neither_layout_nor_neighbours_nor_precision_change_the_maps(name: str) -> None:
    net = made(name).eval()
    images = torch.randn(2, 3, 64, 96)
    usual = net(images)
    assert tuple(feature.shape[1] for feature in usual) == net.out_channels
    assert all((feature[0] - feature[1]).std() > 0.1 * feature.std() > 0 for feature in usual)
    other = copy.deepcopy(net).to(memory_format=torch.channels_last)
    assert_close(other(images.to(memory_format=torch.channels_last)), usual)
    assert_close(net(images[1:]), [feature[1:] for feature in usual])
    with torch.autocast("cpu", torch.bfloat16):
        rounded = net(images)
    for feature, expected in zip(rounded, usual, strict=True):
        error = (feature.float() - expected).square().mean() / expected.square().mean()
        assert (
            error < ROUNDING.get(name, 0.4) ** 2
        )  # random nets multiply the rounding; maps of other images differ by more than 1


@NAMES
@torch.inference_mode()
def test_any_size_and_an_empty_batch_go_through(name: str) -> None:
    net = made(name).eval()
    large, odd, none = net(torch.zeros(1, 3, 128, 64)), net(torch.zeros(1, 3, 67, 93)), net(torch.zeros(0, 3, 64, 64))
    for one, other, empty in zip(large, odd, none, strict=True):
        stride = 128 // one.shape[2]
        assert other.shape[2:] == (-(-67 // stride), -(-93 // stride))
        assert empty.shape == (0, one.shape[1], 64 // stride, 64 // stride)


@NAMES
def test_export_keeps_the_maps(name: str) -> None:
    net = made(name).eval()
    images = torch.randn(2, 3, 64, 64)
    batch = torch.export.Dim("batch", min=1, max=64)
    exported = torch.export.export(net, (images,), dynamic_shapes={"img": {0: batch}}).module()
    with torch.inference_mode():
        for rows in (images, torch.randn(3, 3, 64, 64)):
            assert_close(exported(rows), net(rows))
