"""The stages of CSPNeXt: split, large depthwise kernels on one half, channel attention over both."""

from __future__ import annotations

from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from handkit.models.backbones.conv_module import ConvModule, DepthwiseSeparableConvModule

_BLOCK_KERNEL = 5
_POOL_KERNELS = (5, 9, 13)


def silu_conv(
    in_channels: int,
    out_channels: int,
    kernel_size: int,
    stride: int = 1,
    bn_eps: float = 1e-5,
    bn_momentum: float = 0.1,
    use_depthwise: bool = False,
) -> ConvModule | DepthwiseSeparableConvModule:
    """A convolution with batch norm and SiLU.

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output.
        kernel_size: side of the square kernel.
        stride: step of the kernel.
        bn_eps: added to the variance in the batch norms.
        bn_momentum: weight of a new batch in the running statistics.
        use_depthwise: a depthwise and a 1x1 convolution, each with batch norm and SiLU.
    """
    if not use_depthwise:
        return ConvModule(
            in_channels, out_channels, kernel_size, stride, bn_eps=bn_eps, bn_momentum=bn_momentum, activation="silu"
        )
    return DepthwiseSeparableConvModule(
        in_channels,
        out_channels,
        kernel_size,
        stride,
        bn_eps=bn_eps,
        bn_momentum=bn_momentum,
        depthwise_activation="silu",
        activation="silu",
    )


class ChannelAttention(nn.Module):
    """Weights each channel by a hard sigmoid of a linear map of all channels' means; key ``fc``.

    Args:
        channels: of the map.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.fc = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels, h, w) -> the same shape."""
        return x * F.hardsigmoid(self.fc(x.mean(dim=(2, 3), keepdim=True)))


class CSPNeXtBlock(nn.Module):
    """A 3x3 and a depthwise separable 5x5 convolution (Lyu et al., RTMDet, arXiv:2212.07784, figure 3b).

    Args:
        channels: of input and output.
        shortcut: add the input.
        bn_eps: added to the variance in the batch norms.
        bn_momentum: weight of a new batch in the running statistics.
        use_depthwise: the 3x3 convolution is depthwise separable, too.
    """

    def __init__(
        self, channels: int, shortcut: bool, bn_eps: float, bn_momentum: float, use_depthwise: bool = False
    ) -> None:
        super().__init__()
        conv = partial(silu_conv, channels, channels, bn_eps=bn_eps, bn_momentum=bn_momentum)
        self.conv1 = conv(3, use_depthwise=use_depthwise)
        self.conv2 = conv(_BLOCK_KERNEL, use_depthwise=True)
        self.shortcut = shortcut

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels, h, w) -> the same shape."""
        out: Tensor = self.conv2(self.conv1(x))
        return out + x if self.shortcut else out


class CSPLayer(nn.Module):
    """Cross-stage partial layer (Wang et al., CSPNet, arXiv:1911.11929): blocks on one projection, none on the other.

    Args:
        in_channels: of the input.
        out_channels: of the output.
        num_blocks: of `CSPNeXtBlock`.
        shortcut: of the blocks.
        expand_ratio: each projection has this share of `out_channels`.
        channel_attention: weight the joined channels before the last convolution.
        bn_eps: added to the variance in the batch norms.
        bn_momentum: weight of a new batch in the running statistics.
        use_depthwise: of the blocks.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        num_blocks: int,
        shortcut: bool,
        expand_ratio: float,
        channel_attention: bool,
        bn_eps: float,
        bn_momentum: float,
        use_depthwise: bool = False,
    ) -> None:
        super().__init__()
        conv = partial(silu_conv, kernel_size=1, bn_eps=bn_eps, bn_momentum=bn_momentum)
        hidden = int(out_channels * expand_ratio)
        self.main_conv = conv(in_channels, hidden)
        self.short_conv = conv(in_channels, hidden)
        self.final_conv = conv(2 * hidden, out_channels)
        blocks = (CSPNeXtBlock(hidden, shortcut, bn_eps, bn_momentum, use_depthwise) for _ in range(num_blocks))
        self.blocks = nn.Sequential(*blocks)
        if channel_attention:
            self.attention = ChannelAttention(2 * hidden)
        self.channel_attention = channel_attention

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, h, w) -> (N, out_channels, h, w)."""
        joined = torch.cat([self.blocks(self.main_conv(x)), self.short_conv(x)], dim=1)
        out: Tensor = self.final_conv(self.attention(joined) if self.channel_attention else joined)
        return out


class SPPBottleneck(nn.Module):
    """Spatial pyramid pooling: maxima over windows of 5, 9 and 13 cells beside the map (YOLOv3-SPP).

    Args:
        channels: of input and output.
        bn_eps: added to the variance in the batch norms.
        bn_momentum: weight of a new batch in the running statistics.
    """

    def __init__(self, channels: int, bn_eps: float, bn_momentum: float) -> None:
        super().__init__()
        conv = partial(silu_conv, kernel_size=1, bn_eps=bn_eps, bn_momentum=bn_momentum)
        hidden = channels // 2
        self.conv1 = conv(channels, hidden)
        self.poolings = nn.ModuleList(nn.MaxPool2d(side, 1, side // 2) for side in _POOL_KERNELS)
        self.conv2 = conv(hidden * (len(_POOL_KERNELS) + 1), channels)

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels, h, w) -> the same shape."""
        x = self.conv1(x)
        out: Tensor = self.conv2(torch.cat([x, *(pooling(x) for pooling in self.poolings)], dim=1))
        return out
