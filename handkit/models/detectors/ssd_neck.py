"""SSD's extra feature maps."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from handkit.errors import ConfigError
from handkit.models.backbones.conv_module import ConvModule, DepthwiseSeparableConvModule, init_convs
from handkit.registry import MODELS


@MODELS.register_module()
class SSDNeck(nn.Module):
    """Appends ever smaller maps to the backbone's, as SSDLite does (Sandler et al., CVPR 2018, section 6.2).

    Each is a 1x1 convolution to half the channels and a 3x3 depthwise separable one. State-dict keys as in mmdet's
    SSDNeck with ``use_depthwise``: ``extra_layers.{i}.{0,1}.*``.

    Args:
        in_channels: channels of the backbone's maps.
        out_channels: channels of all maps; begins with `in_channels`.
        level_strides: for each extra map.
        level_paddings: for each extra map.
        bn_eps: added to the variance in the batch norms.
        bn_momentum: weight of a new batch in the running statistics.
        init_std: convolutions start normally distributed with this deviation; None for He et al.'s.

    Raises:
        ConfigError: the arguments' lengths disagree, or `out_channels` does not begin with `in_channels`.
    """

    def __init__(
        self,
        in_channels: Sequence[int],
        out_channels: Sequence[int],
        level_strides: Sequence[int] = (2, 2, 2, 2),
        level_paddings: Sequence[int] = (1, 1, 1, 1),
        bn_eps: float = 1e-5,
        bn_momentum: float = 0.1,
        init_std: float | None = None,
    ) -> None:
        super().__init__()
        first = len(in_channels)
        if tuple(out_channels[:first]) != tuple(in_channels):
            raise ConfigError(f"SSDNeck: out_channels {tuple(out_channels)} must begin with {tuple(in_channels)}")
        if not len(out_channels) - first == len(level_strides) == len(level_paddings):
            raise ConfigError(
                f"SSDNeck: {len(out_channels) - first} extra out_channels need as many level_strides and "
                f"level_paddings, got {len(level_strides)} and {len(level_paddings)}"
            )
        self.extra_layers = nn.ModuleList()
        channels = out_channels[first - 1]
        for out, stride, padding in zip(out_channels[first:], level_strides, level_paddings, strict=True):
            reduce = ConvModule(channels, out // 2, 1, bn_eps=bn_eps, bn_momentum=bn_momentum)
            grow = DepthwiseSeparableConvModule(out // 2, out, 3, stride, padding, bn_eps, bn_momentum)
            self.extra_layers.append(nn.Sequential(reduce, grow))
            channels = out
        init_convs(self, init_std)

    def forward(self, features: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """The backbone's maps (N, C, H, W), large to small -> the same and the extra ones."""
        maps = list(features)
        for layer in self.extra_layers:
            maps.append(layer(maps[-1]))
        return tuple(maps)
