"""HandSegNet's head (Zimmermann and Brox, ICCV 2017): which pixels show a hand."""

from __future__ import annotations

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn

from handkit.errors import ConfigError
from handkit.models.backbones.conv_module import ConvModule, init_convs
from handkit.models.heads.base import Head
from handkit.registry import MODELS


@MODELS.register_module()
class MaskHead(Head):
    """Two 1x1 convolutions on the last map, and bilinear upsampling to the input: ``mask`` (N, H, W), logits.

    One logit says what the paper's two, hand and background, say by their difference.

    Args:
        in_channels: of the backbone's last map.
        channels: between the convolutions; 512 at the paper's width.
        stride: of the map, by which it is enlarged; the input's sides must be multiples of it.
        norm: a batch norm behind the first convolution; False: the paper's plain one.

    Raises:
        ConfigError: a number below 1.
    """

    outputs = ("mask",)
    activation = "sigmoid"

    def __init__(self, in_channels: int = 128, channels: int = 512, stride: int = 8, norm: bool = True) -> None:
        super().__init__()
        if min(in_channels, channels, stride) < 1:
            raise ConfigError(f"MaskHead needs positive numbers, got {in_channels}, {channels} and {stride}")
        self.map_channels = (in_channels,)
        self.stride = stride
        self.conv1 = ConvModule(in_channels, channels, 1, activation="relu", norm=norm)
        self.conv2 = nn.Conv2d(channels, 1, 1)
        init_convs(self, None)
        nn.init.normal_(self.conv2.weight, std=0.01)

    def forward(self, features: Sequence[Tensor]) -> dict[str, Tensor]:
        """The backbone's maps, of which the last (N, in_channels, h, w) is used -> ``mask`` (N, stride h, stride w)."""
        coarse = self.conv2(self.conv1(features[-1]))
        fine = F.interpolate(coarse, scale_factor=float(self.stride), mode="bilinear", align_corners=False)
        return {"mask": fine[:, 0]}
