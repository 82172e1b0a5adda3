"""Auxiliary heads: one number per crop, from the coarsest map."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from handkit.errors import ConfigError
from handkit.models.heads.base import Head
from handkit.registry import MODELS


class _BinaryHead(Head):
    """A 1x1 convolution, batch norm, ReLU, the mean over all cells, and a linear layer to a logit."""

    activation = "sigmoid"

    def __init__(self, in_channels: int, hidden_channels: int) -> None:
        super().__init__()
        if in_channels < 1 or hidden_channels < 1:
            raise ConfigError(
                f"{type(self).__name__} needs positive in_channels and hidden_channels, got {in_channels} and "
                f"{hidden_channels}"
            )
        self.map_channels = (in_channels,)
        self.conv = nn.Conv2d(in_channels, hidden_channels, 1, bias=False)
        self.bn = nn.BatchNorm2d(hidden_channels)
        self.relu = nn.ReLU(inplace=True)
        self.fc = nn.Linear(hidden_channels, 1)
        nn.init.kaiming_normal_(self.conv.weight, mode="fan_out", nonlinearity="relu")
        nn.init.normal_(self.fc.weight, std=0.01)
        nn.init.zeros_(self.fc.bias)

    def forward(self, features: Sequence[Tensor]) -> dict[str, Tensor]:
        """The backbone's maps, of which the last (N, in_channels, h, w) is used -> (N,) logits."""
        mixed = self.relu(self.bn(self.conv(features[-1])))
        return {self.outputs[0]: self.fc(mixed.mean(dim=(2, 3)))[:, 0]}


@MODELS.register_module()
class PresenceHead(_BinaryHead):
    """Answers whether the crop shows a hand: ``presence`` (N,), a logit, activated the probability.

    Args:
        in_channels: of the backbone's last map.
        hidden_channels: of the 1x1 convolution before the mean over the cells.

    Raises:
        ConfigError: a number of channels below 1.
    """

    outputs = ("presence",)

    def __init__(self, in_channels: int = 144, hidden_channels: int = 128) -> None:
        super().__init__(in_channels, hidden_channels)


@MODELS.register_module()
class HandednessHead(_BinaryHead):
    """Answers whose hand it is: ``handedness`` (N,), a logit, activated the probability of the person's right hand.

    That is for un-mirrored images, as everywhere.

    Args:
        in_channels: of the backbone's last map.
        hidden_channels: of the 1x1 convolution before the mean over the cells.

    Raises:
        ConfigError: a number of channels below 1.
    """

    outputs = ("handedness",)

    def __init__(self, in_channels: int = 144, hidden_channels: int = 128) -> None:
        super().__init__(in_channels, hidden_channels)
