"""The dilated depthwise convolution with a gradient of its own."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from handkit.models.backbones.conv_module import ConvModule
from handkit.models.backbones.dilated import DilatedDepthwiseConv2d, SameDepthwise


def _pair(channels: int, kernel_size: int, dilation: int, bias: bool) -> tuple[DilatedDepthwiseConv2d, nn.Conv2d]:
    """The same convolution twice, the second PyTorch's own, in double precision."""
    ours = DilatedDepthwiseConv2d(channels, kernel_size, dilation, bias).double()
    reach = dilation * (kernel_size // 2)
    theirs = nn.Conv2d(channels, channels, kernel_size, 1, reach, dilation, channels, bias).double()
    theirs.load_state_dict(ours.state_dict())
    return ours, theirs


@settings(deadline=None, max_examples=40)
@given(
    st.sampled_from([1, 3, 5]),
    st.integers(1, 4),
    st.integers(1, 9),
    st.integers(1, 9),
    st.integers(1, 3),
)
def test_values_and_gradients_are_pytorchs(
    kernel_size: int, dilation: int, height: int, width: int, images: int
) -> None:
    ours, theirs = _pair(3, kernel_size, dilation, False)
    x = torch.randn(images, 3, height, width, dtype=torch.double)
    inputs = [x.clone().requires_grad_() for _ in range(2)]
    outputs = [SameDepthwise.apply(inputs[0], ours.weight, dilation), theirs(inputs[1])]
    torch.testing.assert_close(*outputs)
    gradient = torch.randn_like(x)
    for output in outputs:
        output.backward(gradient)
    torch.testing.assert_close(inputs[0].grad, inputs[1].grad)
    torch.testing.assert_close(ours.weight.grad, theirs.weight.grad)


@pytest.mark.parametrize("bias", [False, True])
def test_a_whole_layer_learns_in_bf16_as_pytorchs_does(bias: bool) -> None:
    ours, theirs = (module.float() for module in _pair(8, 3, 2, bias))
    x = torch.randn(4, 8, 12, 12)
    for module in (ours, theirs):
        with torch.autocast("cpu", torch.bfloat16):
            out = module(x)
        assert out.dtype == torch.bfloat16
        out.float().square().mean().backward()
    assert ours.weight.grad is not None
    assert ours.weight.grad.dtype == torch.float32
    torch.testing.assert_close(ours.weight.grad, theirs.weight.grad, rtol=0.05, atol=5e-3)


def test_frozen_weights_and_plain_inputs_get_no_gradient() -> None:
    ours = _pair(3, 3, 2, False)[0].bfloat16()
    x = torch.randn(1, 3, 6, 6, dtype=torch.bfloat16)
    ours(x).sum().backward()
    assert x.grad is None
    assert ours.weight.grad is not None
    ours.requires_grad_(False)
    assert not ours(x).requires_grad


@pytest.mark.parametrize(
    ("arguments", "dilated"),
    [
        (dict(groups=4, dilation=2), True),
        (dict(groups=4), False),
        (dict(groups=1, dilation=2), False),
        (dict(groups=4, dilation=2, stride=2), False),
        (dict(groups=4, dilation=2, padding=0), False),
    ],
)
def test_conv_module_takes_it_where_it_fits(arguments: dict[str, int], dilated: bool) -> None:
    layer = ConvModule(4, 4, 3, **arguments)
    assert isinstance(layer.conv, DilatedDepthwiseConv2d) == dilated
    assert [name for name, _ in layer.named_parameters()] == ["conv.weight", "bn.weight", "bn.bias"]
