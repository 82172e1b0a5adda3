"""ResNet (He et al., Deep Residual Learning for Image Recognition, CVPR 2016)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal, TypeAlias

from torch import Tensor, nn

from handkit.errors import ConfigError, did_you_mean
from handkit.models.backbones.layers import (
    BasicBlock,
    Block,
    Bottleneck,
    checked_out_indices,
    init_weights,
    residual_layer,
)
from handkit.registry import MODELS

#: The kind of block, and how many of them each stage has.
Blocks: TypeAlias = tuple[Block, tuple[int, int, int, int]]
#: Table 1 of the paper.
_DEPTHS: dict[int, Blocks] = {
    18: (BasicBlock, (2, 2, 2, 2)),
    34: (BasicBlock, (3, 4, 6, 3)),
    50: (Bottleneck, (3, 4, 6, 3)),
    101: (Bottleneck, (3, 4, 23, 3)),
    152: (Bottleneck, (3, 8, 36, 3)),
}
_WIDTHS = (64, 128, 256, 512)


@MODELS.register_module()
class ResNet(nn.Module):
    """A 7x7 convolution, max pooling and four stages of residual blocks; state-dict keys as in torchvision and mmpose.

    Those keys are ``conv1``, ``bn1`` and ``layer1`` to ``layer4``. The step of a bottleneck is taken by its 3x3
    convolution (mmpose's ``style='pytorch'``), as in torchvision, so that its ImageNet weights mean the same here:
    ``backbone_from`` of a training takes such a file, the classifier ``fc`` left out.

    Args:
        depth: 18, 34, 50, 101 or 152 layers.
        in_channels: of the image.
        out_indices: the outputs, ascending: 0 to 3 for ``layer1`` to ``layer4``, at strides 4, 8, 16 and 32, with 64,
            128, 256 and 512 channels (depth 18 and 34) or 256, 512, 1024 and 2048. The hand models use (3,).
        zero_init_residual: each block's last batch norm begins with weight 0, so that the block begins as its shortcut
            (Goyal et al., arXiv:1706.02677, section 5.1); as in mmpose.

    Attributes:
        out_channels: channels of each returned map.
        classifier: what checkpoints of the whole network hold beyond the backbone.
        depths: by number of layers.

    Raises:
        ConfigError: another depth, or `out_indices` is empty, not ascending or out of range.
    """

    classifier: ClassVar[tuple[str, ...]] = ("fc",)
    depths: ClassVar[Mapping[int, Blocks]] = _DEPTHS

    def __init__(
        self,
        depth: Literal[18, 34, 50, 101, 152],
        in_channels: int = 3,
        out_indices: Sequence[int] = (3,),
        zero_init_residual: bool = True,
    ) -> None:
        super().__init__()
        if depth not in self.depths:
            known = [str(number) for number in self.depths]
            raise ConfigError(f"{type(self).__name__} has no depth {depth!r}; {did_you_mean(str(depth), known)}")
        block, counts = self.depths[depth]
        self.out_indices = checked_out_indices(self, out_indices, len(counts))
        self.out_channels = tuple(_WIDTHS[index] * block.expansion for index in self.out_indices)
        self.conv1 = nn.Conv2d(in_channels, _WIDTHS[0], 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(_WIDTHS[0])
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        channels = _WIDTHS[0]
        for index, (width, count) in enumerate(zip(_WIDTHS, counts, strict=True)):
            stage = residual_layer(block, channels, width, count, stride=1 if index == 0 else 2)
            self.add_module(f"layer{index + 1}", stage)
            channels = width * block.expansion
        init_weights(self)
        if zero_init_residual:
            _zero_residuals(self)

    def forward(self, img: Tensor) -> tuple[Tensor, ...]:
        """(N, in_channels, H, W), normalised -> a map for each of `out_indices`; what lies behind is not run."""
        x = self.maxpool(self.relu(self.bn1(self.conv1(img))))
        features = []
        for index in range(self.out_indices[-1] + 1):
            x = getattr(self, f"layer{index + 1}")(x)
            if index in self.out_indices:
                features.append(x)
        return tuple(features)


def _zero_residuals(net: nn.Module) -> None:
    for part in net.modules():
        last = getattr(part, "bn3", part.bn2 if isinstance(part, BasicBlock) else None)
        if isinstance(last, nn.BatchNorm2d):
            nn.init.zeros_(last.weight)
