"""MobileNetV2 (Sandler et al., CVPR 2018)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from torch import Tensor, nn

from handkit.errors import ConfigError
from handkit.models.backbones.conv_module import ConvModule, init_convs
from handkit.models.backbones.layers import checked_out_indices
from handkit.registry import MODELS

#: Table 2 of the paper: expansion, channels, blocks, stride of the first block.
_STAGES = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
_STEM_CHANNELS = 32
_LAST_CHANNELS = 1280


def make_divisible(channels: float, divisor: int = 8) -> int:
    """The multiple of `divisor` nearest to `channels` that is not more than 10 % below it."""
    rounded = max(divisor, int(channels + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * channels else rounded


class InvertedResidual(nn.Module):
    """1x1 expansion, 3x3 depthwise, linear 1x1 projection, and a shortcut where the shape stays.

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output.
        expansion: the depthwise convolution has this many times `in_channels`; with 1 there is no expansion layer.
        stride: step of the depthwise convolution.
        bn_eps: added to the variance in the batch norms.
        bn_momentum: weight of a new batch in the running statistics.
        dilation: distance of the depthwise kernel's cells.
        dense: leave the step out, so that the map keeps its size; there is no shortcut that the step would not have.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        expansion: int,
        stride: int,
        bn_eps: float,
        bn_momentum: float,
        dilation: int = 1,
        dense: bool = False,
    ) -> None:
        super().__init__()
        hidden = in_channels * expansion
        if expansion != 1:
            self.expand_conv = ConvModule(in_channels, hidden, 1, bn_eps=bn_eps, bn_momentum=bn_momentum)
        self.depthwise_conv = ConvModule(
            hidden,
            hidden,
            3,
            1 if dense else stride,
            groups=hidden,
            bn_eps=bn_eps,
            bn_momentum=bn_momentum,
            dilation=dilation,
        )
        self.linear_conv = ConvModule(
            hidden, out_channels, 1, bn_eps=bn_eps, bn_momentum=bn_momentum, activation="none"
        )
        self.expands = expansion != 1
        self.shortcut = stride == 1 and in_channels == out_channels

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, H, W) -> (N, out_channels, H / stride, W / stride), or H and W if `dense`."""
        hidden = self.expand_conv(x) if self.expands else x
        out: Tensor = self.linear_conv(self.depthwise_conv(hidden))
        return x + out if self.shortcut else out


@MODELS.register_module()
class MobileNetV2(nn.Module):
    """Stem, seven stages of inverted residuals, and the last 1x1 convolution; state-dict keys as in mmdet.

    Those keys are ``conv1``, ``layer1`` to ``layer7`` (blocks with ``expand_conv``, ``depthwise_conv`` and
    ``linear_conv``) and ``conv2``; mmpose's and mmpretrain's, which number the parts of a block (``conv.0`` to
    ``conv.2``), are renamed when a file is read. Every part is there whatever `out_indices` asks for, so that
    checkpoints fit.

    With an `output_stride` below 32 the last steps are left out and the kernels behind them dilated instead (Chen et
    al., DeepLab, arXiv:1412.7062): the same weights on a finer grid, on whose every second or fourth cell lie exactly
    the values of stride 32.

    Args:
        widen_factor: multiplies the channels, which are then rounded to multiples of 8.
        out_indices: the outputs, ascending: 0 to 6 for ``layer1`` to ``layer7``, 7 for ``conv2``. At widen_factor 1
            they have 16, 24, 32, 64, 96, 160, 320 and 1280 channels at strides 2, 4, 8, 16, 16, 32, 32 and 32, or at
            `output_stride` where that is less. The published hand models use (7,).
        bn_eps: added to the variance in the batch norms.
        bn_momentum: weight of a new batch in the running statistics.
        init_std: convolutions start normally distributed with this deviation; None for He et al.'s.
        output_stride: of the coarsest map: 8, 16 or 32.

    Attributes:
        out_channels: channels of each returned map.

    Raises:
        ConfigError: `out_indices` is empty, not ascending or out of range, or another `output_stride`.
    """

    def __init__(
        self,
        widen_factor: float = 1.0,
        out_indices: Sequence[int] = (7,),
        bn_eps: float = 1e-5,
        bn_momentum: float = 0.1,
        init_std: float | None = None,
        output_stride: Literal[8, 16, 32] = 32,
    ) -> None:
        super().__init__()
        if output_stride not in (8, 16, 32):
            raise ConfigError(f"MobileNetV2: output_stride must be 8, 16 or 32, got {output_stride!r}")
        last = len(_STAGES)
        self.out_indices = checked_out_indices(self, out_indices, last + 1)
        widths = [make_divisible(channels * widen_factor) for _, channels, _, _ in _STAGES]
        widths.append(int(_LAST_CHANNELS * max(widen_factor, 1.0)))
        self.out_channels = tuple(widths[index] for index in self.out_indices)
        channels = make_divisible(_STEM_CHANNELS * widen_factor)
        self.conv1 = ConvModule(3, channels, 3, stride=2, bn_eps=bn_eps, bn_momentum=bn_momentum)
        for index, blocks in enumerate(_blocks(output_stride)):
            stage, expansion = nn.Sequential(), _STAGES[index][0]
            for step, dilation, dense in blocks:
                stage.append(
                    InvertedResidual(
                        channels, widths[index], expansion, step, bn_eps, bn_momentum, dilation=dilation, dense=dense
                    )
                )
                channels = widths[index]
            self.add_module(f"layer{index + 1}", stage)
        self.conv2 = ConvModule(channels, widths[last], 1, bn_eps=bn_eps, bn_momentum=bn_momentum)
        self._names = [f"layer{index + 1}" for index in range(last)] + ["conv2"]
        init_convs(self, init_std)

    def forward(self, img: Tensor) -> tuple[Tensor, ...]:
        """(N, 3, H, W) -> one feature map for each of `out_indices`; what lies behind the last of them is not run."""
        x = self.conv1(img)
        features = []
        for index, name in enumerate(self._names[: self.out_indices[-1] + 1]):
            x = getattr(self, name)(x)
            if index in self.out_indices:
                features.append(x)
        return tuple(features)


def _blocks(output_stride: int) -> Iterator[list[tuple[int, int, bool]]]:
    """For every stage its blocks' step, dilation, and whether the step is left out."""
    reached, dilation = 2, 1  # behind the stem
    for _, _, count, step in _STAGES:
        dense = reached * step > output_stride
        first = (step, dilation, dense)
        reached, dilation = (reached, dilation * step) if dense else (reached * step, dilation)
        yield [first, *[(1, dilation, False)] * (count - 1)]
