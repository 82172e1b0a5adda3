"""The pieces residual backbones are built of. Attribute names are mmpose's, so that its weights load."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Protocol

import torch.nn.functional as F
from torch import Tensor, nn

from handkit.errors import ConfigError


def conv3x3(in_channels: int, out_channels: int, stride: int = 1) -> nn.Conv2d:
    """3x3 convolution without bias, padded by 1: (N, C, h, w) -> (N, D, ceil(h / stride), ceil(w / stride))."""
    return nn.Conv2d(in_channels, out_channels, 3, stride, 1, bias=False)


def conv1x1(in_channels: int, out_channels: int, stride: int = 1) -> nn.Conv2d:
    """1x1 convolution without bias."""
    return nn.Conv2d(in_channels, out_channels, 1, stride, bias=False)


def conv_bn(conv: nn.Conv2d, relu: bool = True) -> nn.Sequential:
    """A convolution, its batch norm (eps 1e-5, momentum 0.1) and, if wanted, ReLU: keys ``0.*`` and ``1.*``."""
    parts = [conv, nn.BatchNorm2d(conv.out_channels), nn.ReLU(inplace=True)]
    return nn.Sequential(*parts if relu else parts[:2])


class BasicBlock(nn.Module):
    """Two 3x3 convolutions and a shortcut (He et al., Deep Residual Learning, CVPR 2016).

    Args:
        in_channels: channels of the input.
        channels: channels of the convolutions; the output has `channels` x `expansion`.
        stride: of the first convolution; the shortcut becomes a strided 1x1 convolution where shapes differ.
    """

    expansion: ClassVar[int] = 1

    def __init__(self, in_channels: int, channels: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = conv3x3(in_channels, channels, stride)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = conv3x3(channels, channels)
        self.bn2 = nn.BatchNorm2d(channels)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = shortcut(in_channels, channels * self.expansion, stride)

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, h, w) -> (N, channels, h / stride, w / stride)."""
        identity = x if self.downsample is None else self.downsample(x)
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        return F.relu(out + identity, inplace=True)


class Bottleneck(nn.Module):
    """1x1, 3x3 (strided) and 1x1 convolutions and a shortcut (He et al.; the stride's place as in torch's ResNet).

    Args:
        in_channels: channels of the input.
        channels: channels of the 3x3 convolution; the output has `channels` x `expansion`.
        stride: of the 3x3 convolution.
    """

    expansion: ClassVar[int] = 4

    def __init__(self, in_channels: int, channels: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = conv1x1(in_channels, channels)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = conv3x3(channels, channels, stride)
        self.bn2 = nn.BatchNorm2d(channels)
        self.conv3 = conv1x1(channels, channels * self.expansion)
        self.bn3 = nn.BatchNorm2d(channels * self.expansion)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = shortcut(in_channels, channels * self.expansion, stride)

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, h, w) -> (N, 4 channels, h / stride, w / stride)."""
        identity = x if self.downsample is None else self.downsample(x)
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.relu(self.bn2(self.conv2(out)))
        out = self.bn3(self.conv3(out))
        return F.relu(out + identity, inplace=True)


def shortcut(in_channels: int, out_channels: int, stride: int) -> nn.Sequential | None:
    """What a block adds its input through: None for the input itself, a strided 1x1 convolution where shapes differ."""
    if stride == 1 and in_channels == out_channels:
        return None
    return conv_bn(conv1x1(in_channels, out_channels, stride), relu=False)


class Block(Protocol):
    """A class of residual blocks."""

    expansion: int

    def __call__(self, in_channels: int, channels: int, stride: int = 1) -> nn.Module:
        """One block."""
        ...


def residual_layer(block: Block, in_channels: int, channels: int, count: int, stride: int = 1) -> nn.Sequential:
    """`count` blocks in a row, the first of them strided."""
    first = block(in_channels, channels, stride)
    rest = [block(channels * block.expansion, channels) for _ in range(count - 1)]
    return nn.Sequential(first, *rest)


def checked_out_indices(backbone: nn.Module, out_indices: Sequence[int], count: int) -> tuple[int, ...]:
    """The outputs a backbone is asked for, once they are known to ascend within its `count`.

    Raises:
        ConfigError: there are none, they do not ascend, or one is out of range.
    """
    if not out_indices or list(out_indices) != sorted(set(out_indices) & set(range(count))):
        raise ConfigError(
            f"{type(backbone).__name__}: out_indices must ascend within 0..{count - 1}, got {tuple(out_indices)}"
        )
    return tuple(out_indices)


def channel_shuffle(x: Tensor, groups: int = 2) -> Tensor:
    """Interleaves the channels of `groups` equal parts (Zhang et al., ShuffleNet, CVPR 2018): (N, C, h, w) -> same."""
    count, channels, height, width = x.shape
    parts = x.reshape(count, groups, channels // groups, height, width)
    return parts.transpose(1, 2).reshape(count, channels, height, width)


def init_weights(module: nn.Module) -> None:
    """Weights for training from scratch: He's normal init (fan out, ReLU) for convolutions, 1 and 0 for batch norms."""
    for part in module.modules():
        if isinstance(part, nn.Conv2d):
            nn.init.kaiming_normal_(part.weight, mode="fan_out", nonlinearity="relu")
            if part.bias is not None:
                nn.init.zeros_(part.bias)
        elif isinstance(part, nn.BatchNorm2d):
            nn.init.ones_(part.weight)
            nn.init.zeros_(part.bias)
