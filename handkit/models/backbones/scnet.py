"""SCNet (Liu et al., Improving Convolutional Networks with Self-Calibrated Convolutions, CVPR 2020)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from handkit.models.backbones.layers import conv1x1, conv3x3, conv_bn, shortcut
from handkit.models.backbones.resnet import Blocks, ResNet
from handkit.registry import MODELS


class SelfCalibratedConv(nn.Module):
    """A 3x3 convolution whose result is weighed by what a map four times as coarse shows; keys ``k2``, ``k3``, ``k4``.

    Args:
        channels: of input and output.
        stride: of the last convolution.
    """

    def __init__(self, channels: int, stride: int) -> None:
        super().__init__()
        self.k2 = nn.Sequential(Pool(), *conv_bn(conv3x3(channels, channels), relu=False))
        self.k3 = conv_bn(conv3x3(channels, channels), relu=False)
        self.k4 = conv_bn(conv3x3(channels, channels, stride))

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels, h, w) -> (N, channels, h / stride, w / stride)."""
        gate = torch.sigmoid(x + F.interpolate(self.k2(x), x.shape[2:]))
        out: Tensor = self.k4(self.k3(x) * gate)
        return out


class Pool(nn.Module):
    """Means over squares of 4 x 4 cells; of a map that is smaller over all of its cells."""

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, h, w) -> (N, C, h // 4, w // 4), at least one cell."""
        return F.avg_pool2d(x, (min(4, x.shape[2]), min(4, x.shape[3])))


class SCBottleneck(nn.Module):
    """A bottleneck in two halves, of which one is self-calibrated.

    Args:
        in_channels: channels of the input.
        channels: twice those of either half; the output has `channels` x `expansion`.
        stride: of the 3x3 convolutions.
    """

    expansion: ClassVar[int] = 4

    def __init__(self, in_channels: int, channels: int, stride: int = 1) -> None:
        super().__init__()
        half = channels // 2
        self.conv1 = conv1x1(in_channels, half)
        self.bn1 = nn.BatchNorm2d(half)
        self.k1 = conv_bn(conv3x3(half, half, stride))
        self.conv2 = conv1x1(in_channels, half)
        self.bn2 = nn.BatchNorm2d(half)
        self.scconv = SelfCalibratedConv(half, stride)
        self.conv3 = conv1x1(2 * half, channels * self.expansion)
        self.bn3 = nn.BatchNorm2d(channels * self.expansion)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = shortcut(in_channels, channels * self.expansion, stride)

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, h, w) -> (N, 4 channels, h / stride, w / stride)."""
        identity = x if self.downsample is None else self.downsample(x)
        plain = self.k1(self.relu(self.bn1(self.conv1(x))))
        calibrated = self.scconv(self.relu(self.bn2(self.conv2(x))))
        out = self.bn3(self.conv3(torch.cat([plain, calibrated], dim=1)))
        return F.relu(out + identity, inplace=True)


@MODELS.register_module()
class SCNet(ResNet):
    """A ResNet of self-calibrated bottlenecks; state-dict keys as in mmpose.

    Args:
        depth: 50 or 101 layers.
        in_channels: of the image.
        out_indices: see `ResNet`; 256, 512, 1024 and 2048 channels.
        zero_init_residual: see `ResNet`.

    Attributes:
        out_channels: channels of each returned map.

    Raises:
        ConfigError: another depth, or `out_indices` is empty, not ascending or out of range.
    """

    depths: ClassVar[Mapping[int, Blocks]] = {50: (SCBottleneck, (3, 4, 6, 3)), 101: (SCBottleneck, (3, 4, 23, 3))}

    def __init__(
        self,
        depth: Literal[50, 101] = 50,
        in_channels: int = 3,
        out_indices: Sequence[int] = (3,),
        zero_init_residual: bool = True,
    ) -> None:
        super().__init__(depth, in_channels, out_indices, zero_init_residual)
