"""Convolution, batch norm and activation as one layer, with the attribute names of OpenMMLab's ConvModule."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

from handkit.models.backbones.dilated import DilatedDepthwiseConv2d
from handkit.models.backbones.layers import init_weights

#: What follows the batch norm.
Activation = Literal["relu6", "relu", "silu", "sigmoid", "none"]


class ConvModule(nn.Module):
    """Convolution without bias, batch norm, activation; state-dict keys ``conv.*`` and ``bn.*``.

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output.
        kernel_size: side of the square kernel.
        stride: step of the kernel.
        padding: zeros added on each side; None for ``kernel_size // 2``, times `dilation`.
        groups: of the convolution; `in_channels` makes it depthwise.
        bn_eps: added to the variance in the batch norm.
        bn_momentum: weight of a new batch in the running statistics.
        activation: what is applied at the end.
        norm: with a batch norm; otherwise the convolution has a bias instead.
        dilation: distance of the kernel's cells.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        stride: int = 1,
        padding: int | None = None,
        groups: int = 1,
        bn_eps: float = 1e-5,
        bn_momentum: float = 0.1,
        activation: Activation = "relu6",
        norm: bool = True,
        dilation: int = 1,
    ) -> None:
        super().__init__()
        same = dilation * (kernel_size // 2)
        padding = same if padding is None else padding
        if dilation > 1 and (stride, padding) == (1, same) and groups == in_channels == out_channels:
            self.conv: nn.Conv2d = DilatedDepthwiseConv2d(in_channels, kernel_size, dilation, bias=not norm)
        else:
            self.conv = nn.Conv2d(in_channels, out_channels, kernel_size, stride, padding, dilation, groups, not norm)
        if norm:
            self.bn = nn.BatchNorm2d(out_channels, eps=bn_eps, momentum=bn_momentum)
        self.norm = norm
        self.activate = _activation(activation)

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, H, W) -> (N, out_channels, h, w)."""
        out: Tensor = self.conv(x)
        if self.norm:
            out = self.bn(out)
        activated: Tensor = self.activate(out)
        return activated


class DepthwiseSeparableConvModule(nn.Module):
    """A depthwise and then a 1x1 `ConvModule`; keys ``depthwise_conv.*`` and ``pointwise_conv.*``.

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output.
        kernel_size: side of the depthwise kernel.
        stride: step of the depthwise kernel.
        padding: zeros added on each side before the depthwise kernel; None for ``kernel_size // 2``.
        bn_eps: see `ConvModule`.
        bn_momentum: see `ConvModule`.
        depthwise_activation: after the depthwise convolution.
        activation: after the 1x1 convolution.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        stride: int = 1,
        padding: int | None = None,
        bn_eps: float = 1e-5,
        bn_momentum: float = 0.1,
        depthwise_activation: Activation = "relu6",
        activation: Activation = "relu6",
    ) -> None:
        super().__init__()
        self.depthwise_conv = ConvModule(
            in_channels,
            in_channels,
            kernel_size,
            stride,
            padding,
            in_channels,
            bn_eps,
            bn_momentum,
            depthwise_activation,
        )
        self.pointwise_conv = ConvModule(
            in_channels, out_channels, 1, bn_eps=bn_eps, bn_momentum=bn_momentum, activation=activation
        )

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, H, W) -> (N, out_channels, h, w)."""
        out: Tensor = self.pointwise_conv(self.depthwise_conv(x))
        return out


def _activation(name: Activation) -> nn.Module:
    kinds: dict[Activation, nn.Module] = {
        "relu6": nn.ReLU6(inplace=True),
        "relu": nn.ReLU(inplace=True),
        "silu": nn.SiLU(),
        "sigmoid": nn.Sigmoid(),
        "none": nn.Identity(),
    }
    return kinds[name]


def init_convs(module: nn.Module, std: float | None) -> None:
    """Draws the convolutions' weights for training from scratch, in place.

    Args:
        module: every convolution inside is drawn, its bias set to 0.
        std: deviation of a normal distribution; None for the one of `init_weights`.
    """
    init_weights(module)
    for part in module.modules():
        if std is not None and isinstance(part, nn.Conv2d):
            nn.init.normal_(part.weight, std=std)
