"""One exchange of Lite-HRNet: channels weighted instead of mixed at several resolutions, then fused."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from handkit.models.backbones.conv_module import ConvModule
from handkit.models.backbones.hr_module import Resize
from handkit.models.backbones.layers import channel_shuffle, conv1x1

#: Of the weights that a branch computes for its own channels.
_SPATIAL_RATIO = 4


class SpatialWeighting(nn.Module):
    """Weights each channel by what the whole map holds (Yu et al., CVPR 2021, section 3.2: F_s).

    Args:
        channels: of the map.
        ratio: of `channels` to those in between.
    """

    def __init__(self, channels: int, ratio: int = _SPATIAL_RATIO) -> None:
        super().__init__()
        self.conv1 = ConvModule(channels, channels // ratio, 1, activation="relu", norm=False)
        self.conv2 = ConvModule(channels // ratio, channels, 1, activation="sigmoid", norm=False)

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels, h, w) -> the same shape."""
        weights: Tensor = self.conv2(self.conv1(x.mean(dim=(2, 3), keepdim=True)))
        return x * weights


class CrossResolutionWeighting(nn.Module):
    """Weights each channel, cell by cell of the coarsest map, by what all resolutions hold there (section 3.2: H_s).

    Args:
        channels: of each branch.
        ratio: of all channels to those in between.
    """

    def __init__(self, channels: Sequence[int], ratio: int) -> None:
        super().__init__()
        self.channels = list(channels)
        self.resize = Resize("nearest")
        total = sum(channels)
        self.conv1 = ConvModule(total, total // ratio, 1, activation="relu")
        self.conv2 = ConvModule(total // ratio, total, 1, activation="sigmoid")

    def forward(self, features: Sequence[Tensor]) -> list[Tensor]:
        """One (N, C_i, h_i, w_i) per branch -> the same shapes."""
        height, width = features[-1].shape[-2:]
        pooled = [F.adaptive_avg_pool2d(x, (height, width)) for x in features[:-1]]
        weights = self.conv2(self.conv1(torch.cat([*pooled, features[-1]], dim=1)))
        split = weights.split(self.channels, dim=1)
        return [x * self.resize(weight, like=x) for x, weight in zip(features, split, strict=True)]


class ConditionalChannelWeighting(nn.Module):
    """A shuffle block whose 1x1 convolutions are replaced by computed weights (figure 2b).

    Half of each branch's channels go on as they are; the others are weighted across the resolutions, filtered by a
    depthwise 3x3 convolution and weighted by their own means.

    Args:
        channels: of each branch.
        reduce_ratio: of the channels of all branches to those in between, when weights are computed from them.
    """

    def __init__(self, channels: Sequence[int], reduce_ratio: int) -> None:
        super().__init__()
        halves = [width // 2 for width in channels]
        self.cross_resolution_weighting = CrossResolutionWeighting(halves, reduce_ratio)
        self.depthwise_convs = nn.ModuleList(
            ConvModule(width, width, 3, groups=width, activation="none") for width in halves
        )
        self.spatial_weighting = nn.ModuleList(SpatialWeighting(width) for width in halves)

    def forward(self, features: Sequence[Tensor]) -> list[Tensor]:
        """One (N, C_i, h_i, w_i) per branch -> the same shapes."""
        halves = [x.chunk(2, dim=1) for x in features]
        weighted = self.cross_resolution_weighting([second for _, second in halves])
        parts = zip(self.depthwise_convs, self.spatial_weighting, weighted, strict=True)
        filtered = [weighting(conv(x)) for conv, weighting, x in parts]
        return [channel_shuffle(torch.cat([first, x], dim=1)) for (first, _), x in zip(halves, filtered, strict=True)]


class LiteHRModule(nn.Module):
    """Blocks of conditional channel weighting and the fusion of their branches.

    As in mmpose and the authors' code, the first branch's sum counts its own term twice, and what the other branches
    receive from it, also twice, is made of that sum.

    Args:
        channels: of each branch, from the highest resolution to the lowest; each has half the size of the one before.
        num_blocks: of `ConditionalChannelWeighting`.
        reduce_ratio: see there.
    """

    def __init__(self, channels: Sequence[int], num_blocks: int, reduce_ratio: int) -> None:
        super().__init__()
        self.resize = Resize("nearest")
        self.layers = nn.Sequential(*(ConditionalChannelWeighting(channels, reduce_ratio) for _ in range(num_blocks)))
        branches = range(len(channels))
        self.fuse_layers = nn.ModuleList(
            nn.ModuleList(_fuse(channels, source, target) for source in branches) for target in branches
        )

    def forward(self, features: Sequence[Tensor]) -> list[Tensor]:
        """One (N, C_i, h_i, w_i) per branch -> the same shapes, fused."""
        outputs: list[Tensor] = self.layers(features)
        sums: list[Tensor] = []
        for target, row in enumerate(self.fuse_layers):
            total = 2 * outputs[0] if target == 0 else self._twice(row[0], sums[0])  # type: ignore[index]
            for fuse, x in list(zip(row.children(), outputs, strict=True))[1:]:
                total = total + self.resize(fuse(x), like=outputs[target])
            sums.append(total)
        return [F.relu(total) for total in sums]

    def _twice(self, part: nn.Module, x: Tensor) -> Tensor:
        """Two passes add up; in training each of them moves the running statistics of the batch norms."""
        once: Tensor = part(x)
        return once + part(x) if self.training else 2 * once


def separable(in_channels: int, out_channels: int, stride: int = 1, relu: bool = True) -> nn.Sequential:
    """Depthwise 3x3, batch norm, 1x1, batch norm and, if wanted, ReLU: keys ``0.*`` to ``3.*``."""
    depthwise = nn.Conv2d(in_channels, in_channels, 3, stride, 1, groups=in_channels, bias=False)
    pointwise = conv1x1(in_channels, out_channels)
    parts = [depthwise, nn.BatchNorm2d(in_channels), pointwise, nn.BatchNorm2d(out_channels), nn.ReLU(inplace=True)]
    return nn.Sequential(*parts if relu else parts[:-1])


def _fuse(channels: Sequence[int], source: int, target: int) -> nn.Module:
    """From one branch's channels and size to another's; a lower resolution is enlarged afterwards."""
    if source == target:
        return nn.Identity()
    if source > target:
        return nn.Sequential(conv1x1(channels[source], channels[target]), nn.BatchNorm2d(channels[target]))
    halvings = [separable(channels[source], channels[source], 2) for _ in range(target - source - 1)]
    return nn.Sequential(*halvings, separable(channels[source], channels[target], 2, relu=False))
