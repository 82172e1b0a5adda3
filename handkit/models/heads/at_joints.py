"""What heat maps tell auxiliary heads: where each joint is, and what is seen there."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch
import torch.nn.functional as F
from torch import Tensor


def in_float32(tensor: Tensor) -> AbstractContextManager[object]:
    """The context in which products of float32 tensors on its device stay float32: autocast takes them down to 8 bits.

    Without autocast it is none, so that exported graphs know nothing of it.
    """
    kind = tensor.device.type
    active = torch.amp.is_autocast_available(kind) and torch.is_autocast_enabled(kind)
    return torch.autocast(kind, enabled=False) if active else nullcontext()


def sharpened(heatmaps: Tensor) -> Tensor:
    """(N, K, h, w) maps -> maps of sum 1; squared before, so that a low floor under a peak hardly counts."""
    squares = heatmaps.clamp(min=0) ** 2
    return squares / squares.sum(dim=(2, 3), keepdim=True).clamp(min=1e-12)


def seen_around(weights: Tensor, features: Tensor) -> Tensor:
    """(N, K, h, w) weights, (N, C, h', w') features -> (N, K, C) means of the features under each joint's weights."""
    pooled = F.interpolate(weights, size=features.shape[-2:], mode="area")
    pooled = pooled / pooled.sum(dim=(2, 3), keepdim=True).clamp(min=1e-12)
    with in_float32(weights):
        return pooled.flatten(2) @ features.flatten(2).transpose(1, 2)


def centres(weights: Tensor) -> Tensor:
    """(N, K, h, w) weights of sum 1 -> (N, K, 2) centres (x, y) in cells."""
    columns = torch.arange(weights.shape[3], device=weights.device, dtype=weights.dtype)
    rows = torch.arange(weights.shape[2], device=weights.device, dtype=weights.dtype)
    with in_float32(weights):
        return torch.stack([weights.sum(dim=2) @ columns, weights.sum(dim=3) @ rows], dim=2)
