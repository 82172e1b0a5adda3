"""ScoreMapPoseNet's head (Zimmermann and Brox, ICCV 2017): a convolutional pose machine (Wei et al., CVPR 2016)."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from handkit.errors import ConfigError
from handkit.models.backbones.conv_module import ConvModule, init_convs
from handkit.models.heads.base import Head
from handkit.registry import MODELS

#: 7x7 convolutions of a stage behind the first.
_DEPTH = 5


@MODELS.register_module()
class ScoreMapHead(Head):
    """Score maps in stages: each but the first sees the maps of the one before beside the encoding, and mends them.

    Answers ``heatmaps`` (N, K, h, w), those of the last stage, which the codec reads. ``score_maps`` (N, S, K, h, w) of
    all stages are for the loss and for heads that read them. At a stride of 8, 256 x 256 pixels give 32 x 32 cells.

    Args:
        in_channels: of the backbone's last map.
        channels: of the stages behind the first; 128 at the paper's width.
        hidden_channels: of the 1x1 convolution of the first stage; 512 at the paper's width.
        num_joints: number of maps.
        stages: how many; the paper's three.
        norm: a batch norm behind each hidden convolution; False: the paper's plain ones.

    Raises:
        ConfigError: a number below 1.
    """

    outputs = ("heatmaps", "score_maps")
    internal = ("score_maps",)

    def __init__(
        self,
        in_channels: int = 128,
        channels: int = 128,
        hidden_channels: int = 512,
        num_joints: int = 21,
        stages: int = 3,
        norm: bool = True,
    ) -> None:
        super().__init__()
        if min(in_channels, channels, hidden_channels, num_joints, stages) < 1:
            raise ConfigError(
                f"ScoreMapHead needs positive numbers, got {in_channels}, {channels}, {hidden_channels}, {num_joints} "
                f"and {stages}"
            )
        self.map_channels = (in_channels,)
        first = ConvModule(in_channels, hidden_channels, 1, activation="relu", norm=norm)
        self.stages = nn.ModuleList([nn.Sequential(first, nn.Conv2d(hidden_channels, num_joints, 1))])
        for _ in range(stages - 1):
            sizes = [in_channels + num_joints, *[channels] * _DEPTH]
            convs = [ConvModule(a, b, 7, activation="relu", norm=norm) for a, b in itertools.pairwise(sizes)]
            last = ConvModule(channels, channels, 1, activation="relu", norm=norm)
            self.stages.append(nn.Sequential(*convs, last, nn.Conv2d(channels, num_joints, 1)))
        init_convs(self, None)
        for stage in self.stages:
            nn.init.normal_(stage[-1].weight, std=0.001)  # type: ignore[index]

    def forward(self, features: Sequence[Tensor]) -> dict[str, Tensor]:
        """The backbone's maps, of which the last (N, in_channels, h, w) is used -> the last stage's maps, and all."""
        encoding = features[-1]
        maps = [self.stages[0](encoding)]
        for stage in list(self.stages)[1:]:
            maps.append(stage(torch.cat([maps[-1], encoding], dim=1)))
        return {"heatmaps": maps[-1], "score_maps": torch.stack(maps, dim=1)}
