"""RTMDet's predictions on every point."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from itertools import pairwise

import torch
from torch import Tensor, nn

from handkit.errors import ConfigError
from handkit.models.backbones.csp_layer import silu_conv
from handkit.registry import MODELS

#: Standard deviation from which the convolutions start, and the score from which the points do.
_INIT_STD, _INIT_SCORE = 0.01, 0.01


@MODELS.register_module()
class RTMDetSepBNHead(nn.Module):
    """For each level convolutions to a logit and to the distances of the box's four sides, without anchors.

    As in RTMDet (Lyu et al., arXiv:2212.07784). Points lie at whole multiples of the stride. State-dict keys as in
    mmdet's class with one class and no objectness: ``cls_convs.{level}.{i}``, ``reg_convs.{level}.{i}``,
    ``rtm_cls.{level}`` and ``rtm_reg.{level}``.

    Args:
        in_channels: channels of every level's map.
        feat_channels: channels between the convolutions.
        stacked_convs: how many there are before the prediction.
        strides: pixels of the input per cell, for each level.
        share_conv: the levels share the convolutions and have batch norms of their own.
        use_depthwise: the convolutions are depthwise separable; not with `share_conv`.
        exp_on_reg: distances are the exponential of what the convolutions give, times the stride; otherwise that itself
            times the stride, and a box turned inside out has no area.
        pred_kernel_size: side of the last kernels.
        bn_eps: added to the variance in the batch norms.
        bn_momentum: weight of a new batch in the running statistics.

    Raises:
        ConfigError: `share_conv` with `use_depthwise`, or no level.
    """

    def __init__(
        self,
        in_channels: int,
        feat_channels: int = 256,
        stacked_convs: int = 2,
        strides: Sequence[int] = (8, 16, 32),
        share_conv: bool = True,
        use_depthwise: bool = False,
        exp_on_reg: bool = False,
        pred_kernel_size: int = 1,
        bn_eps: float = 1e-5,
        bn_momentum: float = 0.1,
    ) -> None:
        super().__init__()
        if share_conv and use_depthwise:
            raise ConfigError(
                "RTMDetSepBNHead shares whole convolutions only: with use_depthwise=True say share_conv=False"
            )
        if not strides:
            raise ConfigError("RTMDetSepBNHead needs a stride for each level, got none")
        self.strides = tuple(strides)
        self.exp_on_reg = exp_on_reg
        conv = partial(silu_conv, kernel_size=3, bn_eps=bn_eps, bn_momentum=bn_momentum, use_depthwise=use_depthwise)
        widths = [in_channels] + [feat_channels] * stacked_convs
        predict = partial(nn.Conv2d, widths[-1], kernel_size=pred_kernel_size, padding=pred_kernel_size // 2)
        branches = [
            nn.ModuleList(nn.ModuleList(conv(*step) for step in pairwise(widths)) for _ in strides) for _ in range(2)
        ]
        self.cls_convs, self.reg_convs = branches
        self.rtm_cls = nn.ModuleList(predict(1) for _ in strides)
        self.rtm_reg = nn.ModuleList(predict(4) for _ in strides)
        if share_conv:
            self._share()
        self._init_weights()

    def _share(self) -> None:
        """All levels' convolutions are the first's."""
        for branch in (self.cls_convs, self.reg_convs):
            first, *others = branch
            for level in others:
                for layer, shared in zip(level.children(), first.children(), strict=True):
                    layer.conv = shared.conv

    def _init_weights(self) -> None:
        for part in self.modules():
            if isinstance(part, nn.Conv2d):
                nn.init.normal_(part.weight, std=_INIT_STD)
                if part.bias is not None:
                    nn.init.zeros_(part.bias)
        for part in self.rtm_cls:
            nn.init.constant_(part.get_parameter("bias"), -math.log(1 / _INIT_SCORE - 1))

    def forward(self, features: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """What the levels' points say, by level, row and column.

        Args:
            features: of each level (N, in_channels, H, W).

        Returns:
            (N, A) logits of a hand, and (N, A, 4) distances in pixels of the input from the point to the left, upper,
            right and lower side.
        """
        logits, distances = [], []
        for level, (x, stride) in enumerate(zip(features, self.strides, strict=True)):
            cls_feature = reg_feature = x
            for layer in self.cls_convs[level].children():
                cls_feature = layer(cls_feature)
            for layer in self.reg_convs[level].children():
                reg_feature = layer(reg_feature)
            distance = self.rtm_reg[level](reg_feature)
            distance = (distance.exp() if self.exp_on_reg else distance) * stride
            logits.append(self.rtm_cls[level](cls_feature).flatten(1))
            distances.append(distance.flatten(2).transpose(1, 2))
        return torch.cat(logits, dim=1), torch.cat(distances, dim=1)

    def level_sizes(self, features: Sequence[Tensor]) -> list[int]:
        """How many of the A points each level has."""
        return [x.shape[2] * x.shape[3] for x in features]

    def points(self, features: Sequence[Tensor]) -> Tensor:
        """(A, 2) x, y in pixels of the input, in the order of the outputs."""
        levels = []
        for x, stride in zip(features, self.strides, strict=True):
            rows, columns = (torch.arange(side, device=x.device) * float(stride) for side in x.shape[2:])
            grid_y, grid_x = torch.meshgrid(rows, columns, indexing="ij")
            levels.append(torch.stack([grid_x, grid_y], dim=-1).reshape(-1, 2))
        return torch.cat(levels)

    def decode(
        self, logits: Tensor, distances: Tensor, features: Sequence[Tensor], input_size: tuple[int, int]
    ) -> tuple[Tensor, Tensor]:
        """What the outputs of `forward` mean, in float32.

        Args:
            logits: (N, A).
            distances: (N, A, 4).
            features: the maps they were computed from.
            input_size: (width, height) of the network's input, to which boxes are clipped: [0, width], [0, height].

        Returns:
            (N, A) probability of a hand, and (N, A, 4) xyxy in pixels of the input.
        """
        points, distances = self.points(features), distances.float()
        boxes = torch.cat([points - distances[..., :2], points + distances[..., 2:]], dim=-1)
        limit = boxes.new_tensor([*input_size, *input_size])
        return logits.float().sigmoid(), torch.minimum(boxes.clamp(min=0), limit)
