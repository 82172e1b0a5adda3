"""One exchange of HRNet: branches of blocks at several resolutions, then every branch adds up all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch.nn.functional as F
from torch import Tensor, nn

from handkit.errors import ConfigError
from handkit.models.backbones.layers import BasicBlock, conv1x1, conv3x3, conv_bn, residual_layer


@dataclass(frozen=True)
class Resize:
    """How a feature map is enlarged.

    No weight depends on it, so a wrong choice loads silently and is wrong: HRNetV2 (hands, faces) was trained with
    bilinear and align_corners=False, the body HRNet with nearest.

    Args:
        mode: bilinear or nearest.
        align_corners: bilinear's variant that maps corner centres onto each other.

    Raises:
        ConfigError: unknown mode, or align_corners with nearest.
    """

    mode: Literal["bilinear", "nearest"] = "bilinear"
    align_corners: bool = False

    def __post_init__(self) -> None:
        if self.mode not in ("bilinear", "nearest") or (self.align_corners and self.mode == "nearest"):
            raise ConfigError(f"upsampling must be 'bilinear' (with or without align_corners) or 'nearest', got {self}")

    def __call__(self, x: Tensor, like: Tensor) -> Tensor:
        """(N, C, h, w) -> (N, C, H, W), the size of `like`."""
        if x.shape[-2:] == like.shape[-2:]:
            return x
        align_corners = self.align_corners if self.mode == "bilinear" else None
        return F.interpolate(x, size=like.shape[-2:], mode=self.mode, align_corners=align_corners)


class HRModule(nn.Module):
    """Parallel branches of basic blocks and their fusion (Sun et al., arXiv:1904.04514, section 3).

    Args:
        channels: of each branch, from the highest resolution to the lowest; each has half the size of the one before.
        num_blocks: basic blocks per branch.
        resize: how lower resolutions are enlarged to be added.
        num_outputs: how many branches are fused and returned, from the highest resolution; None means all.
    """

    def __init__(
        self, channels: Sequence[int], num_blocks: int, resize: Resize, num_outputs: int | None = None
    ) -> None:
        super().__init__()
        outputs = len(channels) if num_outputs is None else num_outputs
        self.resize = resize
        self.branches = nn.ModuleList(residual_layer(BasicBlock, width, width, num_blocks) for width in channels)
        self.fuse_layers = nn.ModuleList(
            nn.ModuleList(_fuse(channels, source, target) for source in range(len(channels)))
            for target in range(outputs)
        )

    def forward(self, features: Sequence[Tensor]) -> list[Tensor]:
        """One (N, C_i, h / 2^i, w / 2^i) per branch -> the same, fused; the first `num_outputs` of them."""
        branched = [branch(x) for branch, x in zip(self.branches, features, strict=True)]
        fused = []
        for target, row in enumerate(self.fuse_layers):
            terms = [
                self.resize(fuse(x), like=branched[target]) for fuse, x in zip(row.children(), branched, strict=True)
            ]
            fused.append(F.relu(sum(terms[1:], terms[0])))
        return fused


def _fuse(channels: Sequence[int], source: int, target: int) -> nn.Module:
    """From one branch's channels and size to another's; a lower resolution is enlarged afterwards."""
    if source == target:
        return nn.Identity()
    if source > target:
        return conv_bn(conv1x1(channels[source], channels[target]), relu=False)
    halvings = [conv_bn(conv3x3(channels[source], channels[source], 2)) for _ in range(target - source - 1)]
    return nn.Sequential(*halvings, conv_bn(conv3x3(channels[source], channels[target], 2), relu=False))
