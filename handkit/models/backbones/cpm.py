"""The feature extractor of convolutional pose machines (Wei et al., CVPR 2016)."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from torch import Tensor, nn

from handkit.errors import ConfigError
from handkit.models.backbones.conv_module import ConvModule, init_convs
from handkit.models.backbones.mobilenet_v2 import make_divisible
from handkit.registry import MODELS

#: Channels of the four blocks of 3x3 convolutions, which are VGG-19's; a 2x2 pooling follows each but the last.
_BLOCKS = (64, 128, 256, 512)


@MODELS.register_module()
class CPMTrunk(nn.Module):
    """VGG-19's first four blocks and a tail of 3x3 convolutions, all at stride 8, as Zimmermann and Brox take them.

    The defaults are those of their ScoreMapPoseNet (ICCV 2017, supplementary); HandSegNet has
    ``num_blocks=(2, 2, 4, 4)`` and ``tail=(512, 128)``. Theirs have no norms and begin with the weights of a person's
    pose machine; norms, which a net this deep needs to learn from scratch, are the default here.

    Args:
        num_blocks: convolutions in each of the four blocks.
        tail: channels of the convolutions behind them, the last one's being the encoding that heads read.
        width: multiplies all channels, which are then rounded to multiples of 8; 1 is the paper's.
        norm: a batch norm behind each convolution; False: the paper's plain convolutions with biases.
        bn_eps: added to the variance in the batch norms.
        bn_momentum: weight of a new batch in the running statistics.

    Attributes:
        out_channels: of the last block's map and of the tail's.

    Raises:
        ConfigError: not four blocks, an empty tail, or a number that is not positive.
    """

    def __init__(
        self,
        num_blocks: Sequence[int] = (2, 2, 4, 2),
        tail: Sequence[int] = (256, 256, 256, 256, 128),
        width: float = 1.0,
        norm: bool = True,
        bn_eps: float = 1e-5,
        bn_momentum: float = 0.1,
    ) -> None:
        super().__init__()
        if len(num_blocks) != len(_BLOCKS) or not tail or min(*num_blocks, *tail, width) <= 0:
            raise ConfigError(
                f"CPMTrunk needs four positive num_blocks, a tail and a positive width, got {tuple(num_blocks)}, "
                f"{tuple(tail)} and {width}"
            )

        def convs(channels: Sequence[int]) -> nn.Sequential:
            pairs = itertools.pairwise(channels)
            options = {"bn_eps": bn_eps, "bn_momentum": bn_momentum, "norm": norm}
            return nn.Sequential(*(ConvModule(a, b, 3, activation="relu", **options) for a, b in pairs))  # type: ignore[arg-type]

        wide = [make_divisible(channels * width) for channels in _BLOCKS]
        late = [make_divisible(channels * width) for channels in tail]
        first = (3, *wide[:-1])
        self.blocks = nn.ModuleList(
            convs([before, *[own] * count]) for before, own, count in zip(first, wide, num_blocks, strict=True)
        )
        self.pool = nn.MaxPool2d(2, ceil_mode=True)
        self.tail = convs([wide[-1], *late])
        self.out_channels = (wide[-1], late[-1])
        init_convs(self, None)

    def forward(self, img: Tensor) -> tuple[Tensor, Tensor]:
        """(N, 3, H, W) -> the last block's map and the encoding, at an eighth of the sides."""
        out = self.blocks[0](img)
        for block in list(self.blocks)[1:]:
            out = block(self.pool(out))
        return out, self.tail(out)
