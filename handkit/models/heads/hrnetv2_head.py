"""The head of HRNetV2: all resolutions joined, then heat maps."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from handkit.errors import ConfigError
from handkit.models.backbones.hr_module import Resize
from handkit.models.heads.base import Head
from handkit.registry import MODELS


@MODELS.register_module()
class HRNetV2Head(Head):
    """Enlarges all branches to the first one's size, joins their channels, and maps them to one heat map per joint.

    A 1x1 convolution over the joined channels, batch norm, ReLU, and a 1x1 convolution to the joints (Wang et al.,
    TPAMI 2020, figure 4b). State-dict keys are those of mmpose 1.x (`HeatmapHead` behind `FeatureMapProcessor`).

    Args:
        in_channels: of each branch, from the highest resolution.
        out_channels: the number of joints.
        softmax: predictions are probabilities over the cells of each map, decoded by a codec with
            ``probabilities=True``; otherwise the maps as they are.

    Raises:
        ConfigError: no `in_channels`.
    """

    outputs = ("heatmaps",)
    maps = slice(None)

    def __init__(
        self, in_channels: Sequence[int] = (18, 36, 72, 144), out_channels: int = 21, softmax: bool = False
    ) -> None:
        super().__init__()
        if not in_channels:
            raise ConfigError("HRNetV2Head needs the channels of at least one branch in in_channels")
        self.map_channels = tuple(in_channels)
        self.activation = "softmax" if softmax else "none"
        joined = sum(in_channels)
        self.resize = Resize("bilinear", align_corners=False)
        mix = nn.Conv2d(joined, joined, 1)
        self.conv_layers = nn.Sequential(mix, nn.BatchNorm2d(joined), nn.ReLU(inplace=True))
        self.final_layer = nn.Conv2d(joined, out_channels, 1)
        for conv in (mix, self.final_layer):
            nn.init.normal_(conv.weight, std=0.001)
            nn.init.zeros_(conv.bias)  # type: ignore[arg-type]

    def forward(self, features: Sequence[Tensor]) -> dict[str, Tensor]:
        """The branches (N, C_i, h_i, w_i) -> ``heatmaps`` (N, out_channels, h_0, w_0), not bounded."""
        joined = torch.cat([self.resize(x, like=features[0]) for x in features], dim=1)
        return {"heatmaps": self.final_layer(self.conv_layers(joined))}
