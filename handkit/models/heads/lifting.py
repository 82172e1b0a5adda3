"""From a network's joints in the plane, and what it sees at them, to joints in space."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from handkit.errors import ConfigError
from handkit.models.heads.at_joints import centres, seen_around, sharpened
from handkit.models.heads.base import Head
from handkit.registry import MODELS
from handkit.skeleton import HAND

_JOINTS = len(HAND)
_WRIST, _KNUCKLES = 0, (5, 9, 13, 17)
#: Least length of a direction, or of the joints' spread, in cells.
_LEAST = 1e-3


@MODELS.register_module()
class LiftingHead(Head):
    """Lifts the joints of a top-down network into space: ``xyz_bone`` and ``xyz_root``, both (N, 21, 3).

    Both are relative to the wrist in the axes of the crop (x right, y down, z forward): ``xyz_bone`` in lengths of the
    forefinger's proximal bone, ``xyz_root`` in metres for a mean hand's `bone`, since no single picture tells how large
    a hand is.

    The joints are the centres of the main head's heat maps; the features of every branch are averaged around each of
    them, as in `PoseHandednessHead`. Joints are taken relative to their mean, in units of their spread, turned so that
    the wrist's way to the mean of the knuckles points up, and mirrored for left hands; the answer is mirrored and
    turned back. A residual perceptron of that goes on (Martinez et al., A Simple yet Effective Baseline for 3D Human
    Pose Estimation, ICCV 2017). No gradient goes back into the heat maps.

    An auxiliary head: it reads the main head's ``heatmaps`` and, of one that stands before it, ``handedness``. In
    training that is the label.

    Args:
        in_channels: of each branch of the backbone, from the highest resolution.
        joint_channels: of what is kept of the features of each joint.
        hidden_channels: of the perceptron.
        blocks: residual blocks of two layers each.
        dropout: probability with which a hidden number is left out in training.
        bone: metres of the forefinger's proximal bone of a mean hand: 13,624 hands of HandSynth.

    Raises:
        ConfigError: no branches, a number that is not positive, or a probability outside [0, 1); in the forward pass,
            maps of other than 21 joints.
    """

    name = "lifting"
    outputs = ("xyz_bone", "xyz_root")
    reads = ("heatmaps", "handedness")
    maps = slice(None)

    def __init__(
        self,
        in_channels: Sequence[int] = (18, 36, 72, 144),
        joint_channels: int = 24,
        hidden_channels: int = 512,
        blocks: int = 2,
        dropout: float = 0.1,
        bone: float = 0.032,
    ) -> None:
        super().__init__()
        if not in_channels or min(*in_channels, joint_channels, hidden_channels, blocks) < 1:
            raise ConfigError(
                f"LiftingHead needs branches and positive numbers, got in_channels={tuple(in_channels)}, "
                f"joint_channels={joint_channels}, hidden_channels={hidden_channels} and blocks={blocks}"
            )
        if not (bone > 0 and 0 <= dropout < 1):
            raise ConfigError(f"LiftingHead needs a positive bone and dropout in [0, 1), got {bone} and {dropout}")
        self.map_channels = tuple(in_channels)
        self.bone = float(bone)
        self.norm = nn.BatchNorm1d(sum(in_channels))
        self.reduce = nn.Linear(sum(in_channels), joint_channels)
        self.entry = _layer(_JOINTS * (joint_channels + 3) + 3, hidden_channels, dropout)
        pairs = ([_layer(hidden_channels, hidden_channels, dropout) for _ in range(2)] for _ in range(blocks))
        self.blocks = nn.ModuleList(nn.Sequential(*pair) for pair in pairs)
        self.fc = nn.Linear(hidden_channels, 3 * _JOINTS)

    def forward(self, features: Sequence[Tensor], heatmaps: Tensor, handedness: Tensor) -> dict[str, Tensor]:
        """Branches (N, C_i, h_i, w_i), the main head's maps (N, 21, h, w), (N,) probabilities of a right hand."""
        if heatmaps.shape[1] != _JOINTS:
            raise ConfigError(f"LiftingHead needs heat maps of 21 joints, got {tuple(heatmaps.shape)}")
        weights = sharpened(heatmaps.detach().float())
        seen = torch.cat([seen_around(weights, branch.float()) for branch in features], dim=2)
        seen = self.reduce(self.norm(seen.flatten(0, 1)).view_as(seen))
        mirror = torch.where(handedness >= 0.5, 1.0, -1.0)
        joints, up = _upright(centres(weights), mirror)
        each = torch.cat([seen, joints, weights.amax(dim=(2, 3))[..., None]], dim=2).flatten(1)
        hidden = self.entry(torch.cat([each, up, mirror[:, None]], dim=1))
        for block in self.blocks:
            hidden = hidden + block(hidden)
        xyz = _turned_back(self.fc(hidden).float().view(-1, _JOINTS, 3), up, mirror)
        return {"xyz_bone": xyz, "xyz_root": xyz * self.bone}


class _RowNorm(nn.BatchNorm1d):
    """A batch norm that takes a single row, which has no spread, by its running statistics, in training too."""

    def forward(self, x: Tensor) -> Tensor:
        if len(x) > 1:
            return super().forward(x)
        return F.batch_norm(x, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps)


def _layer(before: int, own: int, dropout: float) -> nn.Sequential:
    return nn.Sequential(nn.Linear(before, own), _RowNorm(own), nn.ReLU(inplace=True), nn.Dropout(dropout))


def _upright(joints: Tensor, mirror: Tensor) -> tuple[Tensor, Tensor]:
    """(N, 21, 2) joints in cells, (N,) 1 or -1 -> joints as `LiftingHead` says, and the hand's direction (N, 2)."""
    joints = joints - joints.mean(dim=1, keepdim=True)
    joints = joints / joints.square().sum(dim=2).mean(dim=1).sqrt().clamp(min=_LEAST)[:, None, None]
    up = F.normalize(joints[:, _KNUCKLES].mean(dim=1) - joints[:, _WRIST], dim=1, eps=_LEAST)
    across = torch.stack([-up[:, 1], up[:, 0]], dim=1)
    x, y = ((joints * axis[:, None]).sum(dim=2) for axis in (across, -up))
    return torch.stack([x * mirror[:, None], y], dim=2), up


def _turned_back(xyz: Tensor, up: Tensor, mirror: Tensor) -> Tensor:
    """(N, 21, 3) joints of an upright right hand -> of the crop's hand, the wrist at 0."""
    x, y, z = (xyz - xyz[:, :1]).unbind(2)
    x = x * mirror[:, None]
    cos, sin = -up[:, 1:], up[:, :1]
    return torch.stack([cos * x - sin * y, sin * x + cos * y, z], dim=2)
