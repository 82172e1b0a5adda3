"""Lite-HRNet (Yu et al., Lite-HRNet: A Lightweight High-Resolution Network, CVPR 2021)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from handkit.errors import ConfigError
from handkit.models.backbones.conv_module import ConvModule, DepthwiseSeparableConvModule, init_convs
from handkit.models.backbones.hr_module import Resize
from handkit.models.backbones.layers import channel_shuffle
from handkit.models.backbones.lite_hr_module import LiteHRModule, separable
from handkit.registry import MODELS

_STEM_CHANNELS, _STAGES = 32, 3
#: Of the convolutions before training.
_INIT_STD = 0.001


@MODELS.register_module()
class LiteHRNet(nn.Module):
    """Branches at strides 4 to 32, joined from the coarsest to the finest; state-dict keys as in mmpose.

    The defaults are Lite-HRNet-18, the backbone of a published hand model; Lite-HRNet-30 has ``num_modules=(3, 8, 3)``.

    Args:
        num_modules: exchanges in the stages with 2, 3 and 4 branches.
        width: channels of the branch at stride 4; each further branch has twice as many as the one before.
        num_blocks: blocks of conditional channel weighting per exchange.
        reduce_ratio: of the channels of all branches to those in between, when weights are computed from them.
        in_channels: of the image.
        multiscale_output: return all four maps; otherwise only the one at stride 4, as the published models.

    Attributes:
        out_channels: channels of each returned map: `width`, and with `multiscale_output` then once, twice and four
            times `width`.

    Raises:
        ConfigError: not three `num_modules`, a `width` that cannot be halved and divided by 4, or channels that
            `reduce_ratio` leaves none of.
    """

    def __init__(
        self,
        num_modules: tuple[int, int, int] = (2, 4, 2),
        width: int = 40,
        num_blocks: int = 2,
        reduce_ratio: int = 8,
        in_channels: int = 3,
        multiscale_output: bool = False,
    ) -> None:
        super().__init__()
        if len(num_modules) != _STAGES:
            raise ConfigError(f"LiteHRNet needs {_STAGES} num_modules, got {num_modules}")
        if width < 8 or width % 2 or not 1 <= reduce_ratio <= width * 3 // 2:
            raise ConfigError(
                "LiteHRNet needs an even width of at least 8 and a reduce_ratio of 1 to 1.5 times it, got "
                f"{width} and {reduce_ratio}"
            )
        widths = tuple(width * 2**branch for branch in range(_STAGES + 1))
        self.multiscale_output = multiscale_output
        self.out_channels = (widths[0], *widths[:-1]) if multiscale_output else widths[:1]
        self.stem = Stem(in_channels, _STEM_CHANNELS)
        self.transition0 = nn.ModuleList(
            [separable(_STEM_CHANNELS, widths[0]), nn.Sequential(separable(_STEM_CHANNELS, widths[1], 2))]
        )
        self.stage0 = _stage(widths[:2], num_modules[0], num_blocks, reduce_ratio)
        self.transition1 = _new_branch(widths[:3])
        self.stage1 = _stage(widths[:3], num_modules[1], num_blocks, reduce_ratio)
        self.transition2 = _new_branch(widths)
        self.stage2 = _stage(widths, num_modules[2], num_blocks, reduce_ratio)
        self.head_layer = IterativeHead(widths)
        init_convs(self, _INIT_STD)

    def forward(self, img: Tensor) -> tuple[Tensor, ...]:
        """(N, in_channels, H, W), normalised -> one (N, C_i, H / 2^(i+2), W / 2^(i+2)) per `out_channels`."""
        x = self.stem(img)
        features = self.stage0([transition(x) for transition in self.transition0])
        features = self.stage1([*features, self.transition1[-1](features[-1])])
        features = self.stage2([*features, self.transition2[-1](features[-1])])
        joined = self.head_layer(features)
        return tuple(joined if self.multiscale_output else joined[:1])


class Stem(nn.Module):
    """A strided 3x3 convolution and a strided shuffle block.

    Args:
        in_channels: of the image.
        channels: of the convolution and of the output.
    """

    def __init__(self, in_channels: int, channels: int) -> None:
        super().__init__()
        half = channels // 2
        self.conv1 = ConvModule(in_channels, channels, 3, stride=2, activation="relu")
        self.branch1 = nn.Sequential(
            ConvModule(half, half, 3, stride=2, groups=half, activation="none"),
            ConvModule(half, half, 1, activation="relu"),
        )
        self.expand_conv = ConvModule(half, channels, 1, activation="relu")
        self.depthwise_conv = ConvModule(channels, channels, 3, stride=2, groups=channels, activation="none")
        self.linear_conv = ConvModule(channels, half, 1, activation="relu")

    def forward(self, img: Tensor) -> Tensor:
        """(N, in_channels, H, W) -> (N, channels, H / 4, W / 4)."""
        first, second = self.conv1(img).chunk(2, dim=1)
        second = self.linear_conv(self.depthwise_conv(self.expand_conv(second)))
        return channel_shuffle(torch.cat([self.branch1(first), second], dim=1))


class IterativeHead(nn.Module):
    """Adds each map, projected to the channels of the next finer one and enlarged, to that one.

    Args:
        channels: of each branch, from the highest resolution.
    """

    def __init__(self, channels: Sequence[int]) -> None:
        super().__init__()
        self.resize = Resize("bilinear", align_corners=True)
        coarse_first = list(reversed(channels))
        self.projects = nn.ModuleList(
            DepthwiseSeparableConvModule(source, target, 3, depthwise_activation="none", activation="relu")
            for source, target in zip(coarse_first, [*coarse_first[1:], channels[0]], strict=True)
        )

    def forward(self, features: Sequence[Tensor]) -> list[Tensor]:
        """The branches (N, C_i, h_i, w_i) -> as many maps, that of stride 4 with C_0 channels, the others C_(i-1)."""
        joined: list[Tensor] = []
        for project, x in zip(self.projects, reversed(features), strict=True):
            joined.append(project(x + self.resize(joined[-1], like=x) if joined else x))
        return joined[::-1]


def _new_branch(widths: Sequence[int]) -> nn.ModuleList:
    """The branch a stage adds, made from the lowest resolution so far; the others go on unchanged."""
    kept = [nn.Identity() for _ in widths[:-1]]
    return nn.ModuleList([*kept, nn.Sequential(separable(widths[-2], widths[-1], 2))])


def _stage(widths: Sequence[int], num_modules: int, num_blocks: int, reduce_ratio: int) -> nn.Sequential:
    return nn.Sequential(*(LiteHRModule(widths, num_blocks, reduce_ratio) for _ in range(num_modules)))
