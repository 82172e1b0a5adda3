"""The head that states coordinates directly."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from handkit.errors import ConfigError
from handkit.models.heads.base import Head
from handkit.registry import MODELS


@MODELS.register_module()
class RegressionHead(Head):
    """The mean over all cells of the coarsest map, and a linear layer to the joints (Toshev & Szegedy, CVPR 2014).

    State-dict keys are those of mmpose 1.x (`RegressionHead` behind `GlobalAveragePooling`).

    Args:
        in_channels: of the backbone's last map.
        num_joints: the number of joints.

    Raises:
        ConfigError: a number below 1.
    """

    outputs = ("coordinates",)

    def __init__(self, in_channels: int = 2048, num_joints: int = 21) -> None:
        super().__init__()
        if in_channels < 1 or num_joints < 1:
            raise ConfigError(f"RegressionHead needs positive numbers, got {in_channels} and {num_joints}")
        self.map_channels = (in_channels,)
        self.fc = nn.Linear(in_channels, 2 * num_joints)
        nn.init.normal_(self.fc.weight, std=0.01)
        nn.init.zeros_(self.fc.bias)

    def forward(self, features: Sequence[Tensor]) -> dict[str, Tensor]:
        """The last map (N, in_channels, h, w) -> ``coordinates`` (N, K, 2), x / width and y / height, not bounded."""
        return {"coordinates": self.fc(features[-1].mean(dim=(2, 3))).unflatten(1, (-1, 2))}
