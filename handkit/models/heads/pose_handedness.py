"""An auxiliary head that tells left from right by the joints and what is seen at them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from handkit.errors import ConfigError
from handkit.models.heads.at_joints import centres, in_float32, seen_around, sharpened
from handkit.models.heads.base import Head
from handkit.registry import MODELS
from handkit.skeleton import HAND

_JOINTS = len(HAND)
_WRIST, _KNUCKLES = 0, (5, 9, 13, 17)
_REACH = 4.0  # palms: further away than any joint of a hand, unless the palm is seen from its edge


@MODELS.register_module()
class PoseHandednessHead(Head):
    """Answers whose hand it is from the pose: ``handedness`` (N,), a logit, activated the right hand's probability.

    A side shows in two things together: on which side of the palm's axis the thumb and the bent fingers lie, and
    whether the palm or the back of the hand is seen. The mean over all cells of a map, as `HandednessHead` takes it,
    mixes both. Here the heat maps of the main head are the weights by which the features of every branch are averaged
    around each joint, and their centres are the joints, moved, turned and scaled to the palm (wrist at 0, the mean of
    the four knuckles at (0, -1)). Both go through a perceptron with one hidden layer. No gradient goes back into the
    heat maps.

    Args:
        in_channels: of each branch of the backbone, from the highest resolution.
        joint_channels: of what is kept of the features of each joint.
        hidden_channels: of the perceptron.
        dropout: probability with which a hidden channel is left out in training.

    Raises:
        ConfigError: no branches, or a number of channels below 1; in the forward pass, maps of other than 21 joints.
    """

    outputs = ("handedness",)
    reads = ("heatmaps",)
    maps = slice(None)
    activation = "sigmoid"

    def __init__(
        self,
        in_channels: Sequence[int] = (18, 36, 72, 144),
        joint_channels: int = 16,
        hidden_channels: int = 128,
        dropout: float = 0.2,
    ) -> None:
        super().__init__()
        if not in_channels or min(*in_channels, joint_channels, hidden_channels) < 1:
            raise ConfigError(
                f"PoseHandednessHead needs branches and positive numbers of channels, got in_channels="
                f"{tuple(in_channels)}, joint_channels={joint_channels} and hidden_channels={hidden_channels}"
            )
        self.map_channels = tuple(in_channels)
        self.norm = nn.BatchNorm1d(sum(in_channels))
        self.reduce = nn.Linear(sum(in_channels), joint_channels)
        self.hidden = nn.Linear(_JOINTS * (joint_channels + 3), hidden_channels)
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(hidden_channels, 1)
        nn.init.normal_(self.fc.weight, std=0.01)
        nn.init.zeros_(self.fc.bias)

    def forward(self, features: Sequence[Tensor], heatmaps: Tensor) -> dict[str, Tensor]:
        """The branches (N, C_i, h_i, w_i) and the main head's maps (N, 21, h, w) -> (N,) logits."""
        if heatmaps.shape[1] != _JOINTS:
            raise ConfigError(f"PoseHandednessHead needs heat maps of 21 joints, got {tuple(heatmaps.shape)}")
        weights = sharpened(heatmaps.detach().float())
        seen = torch.cat([seen_around(weights, branch.float()) for branch in features], dim=2)
        joined = self.norm(seen.flatten(0, 1)).view_as(seen)
        parts = [self.reduce(joined), _upright(centres(weights)), weights.amax(dim=(2, 3))[..., None]]
        hidden = F.relu(self.hidden(torch.cat(parts, dim=2).flatten(1)))
        return {"handedness": self.fc(self.dropout(hidden))[:, 0]}


def _upright(joints: Tensor) -> Tensor:
    """(N, K, 2) joints -> the same with the wrist at 0 and the mean of the knuckles at (0, -1), within `_REACH`."""
    moved = joints - joints[:, _WRIST, None]
    axis = moved[:, _KNUCKLES].mean(dim=1)
    across = torch.stack([-axis[:, 1], axis[:, 0]], dim=1)
    length = axis.square().sum(dim=1)[:, None, None].clamp(min=1e-6)
    with in_float32(joints):
        return (moved @ torch.stack([across, -axis], dim=2) / length).clamp(-_REACH, _REACH)
