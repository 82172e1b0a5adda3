"""SSD's predictions on every anchor."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from handkit.errors import ConfigError
from handkit.models.backbones.conv_module import ConvModule, init_convs
from handkit.models.detectors.anchors import SSDAnchors, decode_deltas, encode_deltas
from handkit.registry import MODELS

#: Logits of an anchor: the hand, then the background, which mmdet puts last.
_LOGITS = 2


@MODELS.register_module()
class SSDHead(nn.Module):
    """For each level a 3x3 depthwise and a 1x1 convolution, once to logits and once to box deltas, as in SSDLite.

    State-dict keys as in mmdet's SSDHead with ``use_depthwise`` and one class: ``cls_convs.{level}.{0,1}.*`` and
    ``reg_convs.{level}.{0,1}.*``.

    Args:
        in_channels: channels of each level's map.
        anchors: the boxes that the deltas refer to.
        target_stds: the deltas dx, dy, dw, dh are divided by these.
        bn_eps: added to the variance in the batch norms.
        bn_momentum: weight of a new batch in the running statistics.
        init_std: convolutions start normally distributed with this deviation; None for He et al.'s.

    Raises:
        ConfigError: `in_channels` and `anchors` have different numbers of levels.
    """

    def __init__(
        self,
        in_channels: Sequence[int],
        anchors: SSDAnchors,
        target_stds: tuple[float, float, float, float] = (0.1, 0.1, 0.2, 0.2),
        bn_eps: float = 1e-5,
        bn_momentum: float = 0.1,
        init_std: float | None = None,
    ) -> None:
        super().__init__()
        if len(in_channels) != len(anchors.per_cell):
            raise ConfigError(f"SSDHead: {len(in_channels)} in_channels but anchors of {len(anchors.per_cell)} levels")
        self.anchors = anchors
        self.target_stds = target_stds
        self.cls_convs, self.reg_convs = nn.ModuleList(), nn.ModuleList()
        for channels, per_cell in zip(in_channels, anchors.per_cell, strict=True):
            for branch, values in ((self.cls_convs, _LOGITS), (self.reg_convs, 4)):
                depthwise = ConvModule(channels, channels, 3, groups=channels, bn_eps=bn_eps, bn_momentum=bn_momentum)
                branch.append(nn.Sequential(depthwise, nn.Conv2d(channels, per_cell * values, 1)))
        init_convs(self, init_std)

    def forward(self, features: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """The neck's maps -> (N, A, 2) logits of hand and background, and (N, A, 4) deltas, in the anchors' order."""
        logits = [_by_anchor(conv(x), _LOGITS) for conv, x in zip(self.cls_convs, features, strict=True)]
        deltas = [_by_anchor(conv(x), 4) for conv, x in zip(self.reg_convs, features, strict=True)]
        return torch.cat(logits, dim=1), torch.cat(deltas, dim=1)

    def level_sizes(self, features: Sequence[Tensor]) -> list[int]:
        """How many of the A anchors each level has."""
        return [x.shape[2] * x.shape[3] * n for x, n in zip(features, self.anchors.per_cell, strict=True)]

    def level_anchors(self, features: Sequence[Tensor]) -> Tensor:
        """(A, 4) xyxy in pixels of the input."""
        anchors: Tensor = self.anchors([(x.shape[2], x.shape[3]) for x in features])
        return anchors

    def encode(self, anchors: Tensor, boxes: Tensor, assigned: Tensor) -> Tensor:
        """Targets of the deltas.

        Args:
            anchors: (A, 4) xyxy.
            boxes: (N, M, 4) xyxy in pixels of the input.
            assigned: (N, A) the row of the box that an anchor answers for; negative for none.

        Returns:
            (N, A, 4), 0 where there is no box to answer for.
        """
        answered = assigned >= 0
        if not boxes.shape[1]:
            return boxes.new_zeros(*assigned.shape, 4)
        own = boxes.gather(1, assigned.clamp(min=0)[..., None].expand(-1, -1, 4))
        own = torch.where(answered[..., None], own, anchors)
        return encode_deltas(anchors, own, self.target_stds)

    def decode(
        self, logits: Tensor, deltas: Tensor, features: Sequence[Tensor], input_size: tuple[int, int]
    ) -> tuple[Tensor, Tensor]:
        """What the outputs of `forward` mean, in float32.

        Args:
            logits: (N, A, 2).
            deltas: (N, A, 4).
            features: the maps they were computed from.
            input_size: (width, height) of the network's input, to which boxes are clipped: [0, width], [0, height].

        Returns:
            (N, A) probability of a hand, and (N, A, 4) xyxy in pixels of the input.
        """
        boxes = decode_deltas(self.level_anchors(features), deltas.float(), self.target_stds)
        limit = boxes.new_tensor([*input_size, *input_size])
        return logits.float().softmax(dim=-1)[..., 0], torch.minimum(boxes.clamp(min=0), limit)


def _by_anchor(x: Tensor, values: int) -> Tensor:
    """(N, per_cell * values, H, W) -> (N, H * W * per_cell, values)."""
    return x.permute(0, 2, 3, 1).reshape(len(x), -1, values)
