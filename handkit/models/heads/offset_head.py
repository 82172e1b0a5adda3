"""PoseNet's head: one 1x1 convolution for each kind of map, on the backbone's last one as it is."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from handkit.errors import ConfigError
from handkit.models.heads.base import Activation, Head
from handkit.registry import MODELS

#: The share of cells that lie in a joint's disc, by which training begins (Lin et al., Focal Loss, ICCV 2017, 4.1).
_PRIOR_LOGIT = -4.0


@MODELS.register_module()
class OffsetHead(Head):
    """The probability that a cell is near a joint, and the way from there to it (`handkit.codecs.offset_heatmap`).

    Args:
        in_channels: of the backbone's last map, whose stride the codec's `output_stride` must be.
        out_channels: the number of joints.

    Raises:
        ConfigError: a number below 1.
    """

    outputs: tuple[str, ...] = ("heatmaps", "offsets")

    def __init__(self, in_channels: int = 1280, out_channels: int = 21) -> None:
        super().__init__()
        if in_channels < 1 or out_channels < 1:
            raise ConfigError(f"{type(self).__name__} needs positive numbers, got {in_channels} and {out_channels}")
        self.map_channels = (in_channels,)
        self.heatmap = _maps(in_channels, out_channels, _PRIOR_LOGIT)
        self.offset = _maps(in_channels, 2 * out_channels)

    def activation_of(self, output: str) -> Activation:
        """Heat maps are probabilities, vectors are not bounded."""
        return "sigmoid" if output == "heatmaps" else "none"

    def forward(self, features: Sequence[Tensor]) -> dict[str, Tensor]:
        """The last map (N, in_channels, h, w) -> ``heatmaps`` (N, K, h, w) and ``offsets`` (N, K, 2, h, w)."""
        last = features[-1]
        return {"heatmaps": self.heatmap(last), "offsets": self.offset(last).unflatten(1, (-1, 2))}


@MODELS.register_module()
class HandOffsetHead(OffsetHead):
    """`OffsetHead` with the way from each joint to its neighbours, for several hands (`handkit.codecs.hand_offsets`).

    Args:
        in_channels: of the backbone's last map, whose stride the codec's `output_stride` must be.
        out_channels: the number of joints; a tree of them has one bone less, which is followed both ways.

    Raises:
        ConfigError: a number below 1, or a single joint.
    """

    outputs = ("heatmaps", "offsets", "displacements")

    def __init__(self, in_channels: int = 1280, out_channels: int = 21) -> None:
        super().__init__(in_channels, out_channels)
        if out_channels < 2:
            raise ConfigError("HandOffsetHead needs two joints or more, since one has no neighbour")
        self.displacement = _maps(in_channels, 4 * (out_channels - 1))

    def forward(self, features: Sequence[Tensor]) -> dict[str, Tensor]:
        """As `OffsetHead`, and ``displacements`` (N, 2 (K - 1), 2, h, w): along each bone, then back along each."""
        return {**super().forward(features), "displacements": self.displacement(features[-1]).unflatten(1, (-1, 2))}


def _maps(in_channels: int, out_channels: int, bias: float = 0.0) -> nn.Conv2d:
    """A 1x1 convolution whose first answers are nearly `bias`."""
    conv = nn.Conv2d(in_channels, out_channels, 1)
    nn.init.normal_(conv.weight, std=0.001)
    nn.init.constant_(conv.bias, bias)  # type: ignore[arg-type]
    return conv
