"""RTMDet's neck."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from handkit.errors import ConfigError
from handkit.models.backbones.csp_layer import CSPLayer, silu_conv
from handkit.registry import MODELS


@MODELS.register_module()
class CSPNeXtPAFPN(nn.Module):
    """Path aggregation (Liu et al., CVPR 2018) by CSP layers, from the coarsest map to the finest and back.

    As in RTMDet (Lyu et al., arXiv:2212.07784); state-dict keys as in mmdet's class: ``reduce_layers.{i}``,
    ``top_down_blocks.{i}``, ``downsamples.{i}``, ``bottom_up_blocks.{i}`` and ``out_convs.{level}``.

    Args:
        in_channels: channels of the backbone's maps, large maps first; each has half the sides of the one before.
        out_channels: channels of all outputs.
        num_csp_blocks: blocks of each CSP layer.
        use_depthwise: all 3x3 convolutions are depthwise separable.
        expand_ratio: the projections of a CSP layer have this share of its channels.
        bn_eps: added to the variance in the batch norms.
        bn_momentum: weight of a new batch in the running statistics.

    Raises:
        ConfigError: fewer than two maps.
    """

    def __init__(
        self,
        in_channels: Sequence[int],
        out_channels: int,
        num_csp_blocks: int = 3,
        use_depthwise: bool = False,
        expand_ratio: float = 0.5,
        bn_eps: float = 1e-5,
        bn_momentum: float = 0.1,
    ) -> None:
        super().__init__()
        if len(in_channels) < 2:
            raise ConfigError(f"CSPNeXtPAFPN joins two maps or more; in_channels is {tuple(in_channels)}")
        conv = partial(silu_conv, bn_eps=bn_eps, bn_momentum=bn_momentum)
        layer = partial(
            CSPLayer,
            num_blocks=num_csp_blocks,
            shortcut=False,
            expand_ratio=expand_ratio,
            channel_attention=False,
            bn_eps=bn_eps,
            bn_momentum=bn_momentum,
            use_depthwise=use_depthwise,
        )
        steps = list(pairwise(in_channels))
        self.reduce_layers = nn.ModuleList(conv(coarse, fine, 1) for fine, coarse in reversed(steps))
        self.top_down_blocks = nn.ModuleList(layer(2 * fine, fine) for fine, _ in reversed(steps))
        self.downsamples = nn.ModuleList(conv(fine, fine, 3, 2, use_depthwise=use_depthwise) for fine, _ in steps)
        self.bottom_up_blocks = nn.ModuleList(layer(2 * fine, coarse) for fine, coarse in steps)
        self.out_convs = nn.ModuleList(
            conv(channels, out_channels, 3, use_depthwise=use_depthwise) for channels in in_channels
        )

    def forward(self, features: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """The backbone's maps (N, C, H, W), large to small -> as many of `out_channels`, of the same sizes."""
        x, reduced = features[-1], list[Tensor]()
        for fine, reduce, block in zip(features[-2::-1], self.reduce_layers, self.top_down_blocks, strict=True):
            reduced.append(reduce(x))
            x = block(torch.cat([F.interpolate(reduced[-1], scale_factor=2.0, mode="nearest"), fine], dim=1))
        maps = [x]
        for coarse, down, block in zip(reversed(reduced), self.downsamples, self.bottom_up_blocks, strict=True):
            maps.append(block(torch.cat([down(maps[-1]), coarse], dim=1)))
        return tuple(conv(each) for conv, each in zip(self.out_convs, maps, strict=True))
