"""Stacked hourglasses (Newell et al., Stacked Hourglass Networks for Human Pose Estimation, ECCV 2016)."""

from __future__ import annotations

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn

from handkit.errors import ConfigError
from handkit.models.backbones.conv_module import ConvModule, init_convs
from handkit.models.backbones.layers import BasicBlock, residual_layer
from handkit.registry import MODELS


class HourglassModule(nn.Module):
    """A map, and the same seen at half the size and enlarged again, added; inside it another of these.

    Args:
        depth: how often the map is halved.
        channels: of this size and of those below it, `depth` + 1 or more.
        blocks: residual blocks, likewise.
    """

    def __init__(self, depth: int, channels: Sequence[int], blocks: Sequence[int]) -> None:
        super().__init__()
        here, below, count = channels[0], channels[1], blocks[0]
        self.up1 = residual_layer(BasicBlock, here, here, count)
        self.low1 = residual_layer(BasicBlock, here, below, count, stride=2)
        self.low2: nn.Module = (
            HourglassModule(depth - 1, channels[1:], blocks[1:])
            if depth > 1
            else residual_layer(BasicBlock, below, below, blocks[1])
        )
        rows = [BasicBlock(below, below) for _ in range(count - 1)]
        self.low3 = nn.Sequential(*rows, BasicBlock(below, here))

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels, h, w) -> the same shape."""
        kept: Tensor = self.up1(x)
        coarse = self.low3(self.low2(self.low1(x)))
        return kept + F.interpolate(coarse, kept.shape[2:])


@MODELS.register_module()
class HourglassNet(nn.Module):
    """A stem to stride 4, and hourglasses one after the other; state-dict keys as in mmpose.

    Args:
        num_stacks: hourglasses: 1 for Hourglass-52, 2 for Hourglass-104.
        downsample_times: how often a map is halved in each.
        stage_channels: at each size, the largest first, `downsample_times` + 1.
        stage_blocks: residual blocks at each size.
        feat_channel: of the outputs.

    Attributes:
        out_channels: channels of each returned map.

    Raises:
        ConfigError: a number below 1, or not one of both for each size.
    """

    def __init__(
        self,
        num_stacks: int = 2,
        downsample_times: int = 5,
        stage_channels: Sequence[int] = (256, 256, 384, 384, 384, 512),
        stage_blocks: Sequence[int] = (2, 2, 2, 2, 2, 4),
        feat_channel: int = 256,
    ) -> None:
        super().__init__()
        sizes = (num_stacks, downsample_times, feat_channel, *stage_channels, *stage_blocks)
        if min(sizes) < 1 or not len(stage_channels) == len(stage_blocks) > downsample_times:
            raise ConfigError(
                f"HourglassNet needs positive numbers, and channels and blocks for {downsample_times + 1} sizes, got "
                f"{tuple(stage_channels)} and {tuple(stage_blocks)}"
            )
        self.out_channels = (feat_channel,) * num_stacks
        width = stage_channels[0]
        self.stem = nn.Sequential(ConvModule(3, 128, 7, 2, activation="relu"), nn.Sequential(BasicBlock(128, width, 2)))
        self.hourglass_modules = nn.ModuleList(
            HourglassModule(downsample_times, stage_channels, stage_blocks) for _ in self.out_channels
        )
        # mmpose makes the first block even where nothing stands between hourglasses, and its files hold it
        self.inters = residual_layer(BasicBlock, width, width, max(num_stacks - 1, 1))
        between = range(num_stacks - 1)
        self.conv1x1s = nn.ModuleList(ConvModule(width, width, 1, activation="none") for _ in between)
        self.out_convs = nn.ModuleList(ConvModule(width, feat_channel, 3, activation="relu") for _ in self.out_channels)
        self.remap_convs = nn.ModuleList(ConvModule(feat_channel, width, 1, activation="none") for _ in between)
        self.relu = nn.ReLU(inplace=True)
        init_convs(self, 0.001)

    def forward(self, img: Tensor) -> tuple[Tensor, ...]:
        """(N, 3, H, W), normalised -> a map at stride 4 for each hourglass."""
        x = self.stem(img)
        features: list[Tensor] = []
        for index, hourglass in enumerate(self.hourglass_modules):
            features.append(self.out_convs[index](hourglass(x)))
            if index < len(self.conv1x1s):
                mixed = self.conv1x1s[index](x) + self.remap_convs[index](features[-1])
                x = self.inters(self.relu(mixed))
        return tuple(features)
