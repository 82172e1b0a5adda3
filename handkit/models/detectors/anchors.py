"""SSD's anchors and the box code that is relative to them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from handkit.errors import ConfigError
from handkit.registry import MODELS

#: A side may not change by more than this factor (as in mmdet: 1000 / 16), which keeps exp() finite.
_MAX_SIDE_RATIO = 1000 / 16


@MODELS.register_module()
class SSDAnchors(nn.Module):
    """Default boxes of SSD (Liu et al., ECCV 2016), laid out as in mmdet; nothing in the state dict.

    Each cell of a level holds, about the cell's centre and in this order: a square of `min_size`, a square of
    sqrt(min_size * max_size), and for each ratio r boxes of `min_size`'s area with height / width = 1 / r and r.

    Args:
        strides: pixels of the input per cell, for each level.
        ratios: for each level the r other than 1.
        min_sizes: for each level, pixels of the input.
        max_sizes: for each level, pixels of the input.

    Raises:
        ConfigError: the four have different lengths.
    """

    def __init__(
        self,
        strides: Sequence[float],
        ratios: Sequence[Sequence[float]],
        min_sizes: Sequence[float],
        max_sizes: Sequence[float],
    ) -> None:
        super().__init__()
        lengths = {"strides": len(strides), "ratios": len(ratios), "min_sizes": len(min_sizes)}
        for name, length in lengths.items():
            if length != len(max_sizes):
                raise ConfigError(f"SSDAnchors: {length} {name} but {len(max_sizes)} max_sizes; one per level")
        self.strides = tuple(float(stride) for stride in strides)
        self.per_cell = tuple(2 + 2 * len(level) for level in ratios)
        levels = zip(self.strides, ratios, min_sizes, max_sizes, strict=True)
        for index, (stride, level_ratios, min_size, max_size) in enumerate(levels):
            shapes = _anchor_shapes(level_ratios, min_size, max_size)
            middle = torch.full_like(shapes, stride / 2)
            anchors = torch.cat([middle - 0.5 * shapes, middle + 0.5 * shapes], dim=1)
            self.register_buffer(f"level{index}", anchors, persistent=False)

    def forward(self, sizes: Sequence[tuple[int, int]]) -> Tensor:
        """All anchors, by level, row, column and place in the cell.

        Args:
            sizes: (height, width) of each level's map.

        Returns:
            (A, 4) xyxy in input pixels.
        """
        levels = []
        for index, (stride, (height, width)) in enumerate(zip(self.strides, sizes, strict=True)):
            base = self.get_buffer(f"level{index}")
            rows = torch.arange(height, device=base.device) * stride
            columns = torch.arange(width, device=base.device) * stride
            y, x = torch.meshgrid(rows, columns, indexing="ij")
            shifts = torch.stack([x, y, x, y], dim=-1).to(base.dtype)
            levels.append((shifts[:, :, None] + base).reshape(-1, 4))
        return torch.cat(levels)


def _anchor_shapes(ratios: Sequence[float], min_size: float, max_size: float) -> Tensor:
    """(2 + 2 * len(ratios), 2) width and height of one cell's anchors."""
    aspects = torch.tensor([1.0, 1.0] + [aspect for ratio in ratios for aspect in (1 / ratio, ratio)])
    scales = torch.ones_like(aspects)
    scales[1] = math.sqrt(max_size / min_size)
    height = aspects.sqrt()
    return min_size * scales[:, None] * torch.stack([1 / height, height], dim=1)


def decode_deltas(anchors: Tensor, deltas: Tensor, stds: Sequence[float]) -> Tensor:
    """Box code of R-CNN (Girshick et al., CVPR 2014): centre shift in anchor sides, log of the sides' ratio.

    Args:
        anchors: (A, 4) xyxy.
        deltas: (..., A, 4) dx, dy, dw, dh, each divided by its deviation.
        stds: the four deviations.

    Returns:
        (..., A, 4) xyxy in the anchors' frame.
    """
    scaled = deltas * deltas.new_tensor(stds)
    center = (anchors[:, :2] + anchors[:, 2:]) * 0.5
    size = anchors[:, 2:] - anchors[:, :2]
    limit = math.log(_MAX_SIDE_RATIO)
    center = center + size * scaled[..., :2]
    half = size * scaled[..., 2:].clamp(-limit, limit).exp() * 0.5
    return torch.cat([center - half, center + half], dim=-1)


def encode_deltas(anchors: Tensor, boxes: Tensor, stds: Sequence[float]) -> Tensor:
    """The inverse of `decode_deltas`.

    Args:
        anchors: (A, 4) xyxy.
        boxes: (..., A, 4) xyxy in the anchors' frame; one without area has no finite deltas.
        stds: the four deviations.

    Returns:
        (..., A, 4) dx, dy, dw, dh, each divided by its deviation.
    """
    size = anchors[:, 2:] - anchors[:, :2]
    shift = ((boxes[..., :2] + boxes[..., 2:]) - (anchors[:, :2] + anchors[:, 2:])) * 0.5 / size
    stretch = ((boxes[..., 2:] - boxes[..., :2]) / size).log()
    return torch.cat([shift, stretch], dim=-1) / boxes.new_tensor(stds)
