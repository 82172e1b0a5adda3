"""EfficientNet-Lite0: EfficientNet-B0 (Tan and Le, ICML 2019) without squeeze-and-excitation, with ReLU6."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor, nn

from handkit.models.backbones.layers import checked_out_indices, init_weights
from handkit.registry import MODELS

#: Stages of the paper's table 1: expansion, channels, blocks, stride of the first block, side of the kernel.
_STAGES = ((1, 16, 1, 1, 3), (6, 24, 2, 2, 3), (6, 40, 2, 2, 5), (6, 80, 3, 2, 3), (6, 112, 3, 1, 5))
_LAST_STAGES = ((6, 192, 4, 2, 5), (6, 320, 1, 1, 3))
_STEM_CHANNELS, _HEAD_CHANNELS = 32, 1280
_EPS, _MOMENTUM = 1e-3, 0.01


class SameConv2d(nn.Conv2d):
    """Convolution without bias, padded as TensorFlow's SAME does: where the padding is odd, more on the far side.

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output.
        kernel_size: side of the square kernel.
        stride: step of the kernel.
        groups: of the convolution.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int, stride: int = 1, groups: int = 1) -> None:
        padding = kernel_size // 2 if stride == 1 else 0
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, groups=groups, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, H, W) -> (N, out_channels, ceil(H / stride), ceil(W / stride))."""
        step, side = self.stride[0], self.kernel_size[0]
        if step > 1:
            rows, columns = (max((-(-size // step) - 1) * step + side - size, 0) for size in x.shape[2:])
            x = F.pad(x, (columns // 2, columns - columns // 2, rows // 2, rows - rows // 2))
        return super().forward(x)


class MBConvBlock(nn.Module):
    """1x1 expansion, depthwise convolution, linear 1x1 projection, and a shortcut where the shape stays.

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output.
        expansion: the depthwise convolution has this many times `in_channels`; with 1 there is no expansion layer.
        stride: step of the depthwise convolution.
        kernel_size: its side.
    """

    def __init__(self, in_channels: int, out_channels: int, expansion: int, stride: int, kernel_size: int) -> None:
        super().__init__()
        hidden = in_channels * expansion
        if expansion != 1:
            self._expand_conv, self._bn0 = SameConv2d(in_channels, hidden, 1), _norm(hidden)
        self._depthwise_conv, self._bn1 = SameConv2d(hidden, hidden, kernel_size, stride, hidden), _norm(hidden)
        self._project_conv, self._bn2 = SameConv2d(hidden, out_channels, 1), _norm(out_channels)
        self.expands = expansion != 1
        self.shortcut = stride == 1 and in_channels == out_channels

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, H, W) -> (N, out_channels, ceil(H / stride), ceil(W / stride))."""
        hidden = F.relu6(self._bn0(self._expand_conv(x)), inplace=True) if self.expands else x
        hidden = F.relu6(self._bn1(self._depthwise_conv(hidden)), inplace=True)
        out: Tensor = self._bn2(self._project_conv(hidden))
        return x + out if self.shortcut else out


@MODELS.register_module()
class EfficientNetLite0(nn.Module):
    """Stem, seven stages and the last 1x1 convolution; state-dict keys as in the package efficientnet-lite-pytorch.

    Those keys are ``_conv_stem``, ``_bn0``, ``_blocks.0`` to ``_blocks.15`` (blocks with ``_expand_conv``, ``_bn0``,
    ``_depthwise_conv``, ``_bn1``, ``_project_conv``, ``_bn2``), ``_conv_head`` and ``_bn1``; the classifier ``_fc`` is
    not part of a backbone. The weights of the card ``efficientnet_lite0`` were trained on ImageNet with images
    normalised by mean (.485, .456, .406) and deviation (.229, .224, .225); ``backbone_from`` of a training takes them.

    Args:
        out_indices: the outputs, ascending: 0 to 6 for the stages, 7 for the last convolution. They have 16, 24, 40,
            80, 112, 192, 320 and 1280 channels at strides 2, 4, 8, 16, 16, 32, 32 and 32.

    Attributes:
        out_channels: channels of each returned map.
        classifier: what checkpoints of the whole network hold beyond the backbone.

    Raises:
        ConfigError: `out_indices` is empty, not ascending or out of range.
    """

    classifier: ClassVar[tuple[str, ...]] = ("_fc",)

    def __init__(self, out_indices: Sequence[int] = (7,)) -> None:
        super().__init__()
        stages = (*_STAGES, *_LAST_STAGES)
        self.out_indices = checked_out_indices(self, out_indices, len(stages) + 1)
        widths = [*(stage[1] for stage in stages), _HEAD_CHANNELS]
        self.out_channels = tuple(widths[index] for index in self.out_indices)
        self._conv_stem, self._bn0 = SameConv2d(3, _STEM_CHANNELS, 3, 2), _norm(_STEM_CHANNELS)
        self._blocks = nn.ModuleList()
        self._ends: list[int] = []
        channels = _STEM_CHANNELS
        for expansion, width, blocks, stride, kernel_size in stages:
            for block in range(blocks):
                step = stride if block == 0 else 1
                self._blocks.append(MBConvBlock(channels, width, expansion, step, kernel_size))
                channels = width
            self._ends.append(len(self._blocks))
        self._conv_head, self._bn1 = SameConv2d(channels, _HEAD_CHANNELS, 1), _norm(_HEAD_CHANNELS)
        init_weights(self)

    def forward(self, img: Tensor) -> tuple[Tensor, ...]:
        """(N, 3, H, W) -> one feature map for each of `out_indices`; what lies behind the last of them is not run."""
        x = F.relu6(self._bn0(self._conv_stem(img)), inplace=True)
        features, begin = [], 0
        for index, end in enumerate(self._ends[: self.out_indices[-1] + 1]):
            for block in self._blocks[begin:end]:
                x = block(x)
            begin = end
            if index in self.out_indices:
                features.append(x)
        if len(self._ends) in self.out_indices:
            features.append(F.relu6(self._bn1(self._conv_head(x)), inplace=True))
        return tuple(features)


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=_EPS, momentum=_MOMENTUM)
