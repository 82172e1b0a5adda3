"""PFLD's two heads (Guo et al., arXiv:1902.10859): the joints from two scales, and in training the hand's rotation."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from handkit.errors import ConfigError
from handkit.models.heads.base import Head
from handkit.registry import MODELS


@MODELS.register_module()
class PFLDHead(Head):
    """One linear layer from the cells of the last two maps, and of one that has seen everything, to the joints.

    That third one is the answer of a convolution as large as the last map. What a cell says depends on where it lies,
    so the head is for one size of input.

    Args:
        in_channels: of the backbone's last two maps.
        channels: of the convolution over the whole of the last map.
        input_size: (width, height) of the network's input in pixels, multiples of 16.
        num_joints: the number of joints.

    Raises:
        ConfigError: a number below 1, or an input that is no multiple of 16; in the forward pass, maps of another
            input.
    """

    outputs = ("coordinates",)
    maps = slice(-2, None)

    def __init__(
        self,
        in_channels: Sequence[int] = (16, 24),
        channels: int = 96,
        input_size: tuple[int, int] = (112, 112),
        num_joints: int = 21,
    ) -> None:
        super().__init__()
        if len(in_channels) != 2 or min(*in_channels, channels, num_joints) < 1:
            raise ConfigError(
                f"PFLDHead needs two positive numbers in_channels, and positive channels and num_joints, got "
                f"{tuple(in_channels)}, {channels} and {num_joints}"
            )
        width, height = _cells(self, input_size)
        self.map_channels = tuple(in_channels)
        self.grids = ((2 * height, 2 * width), (height, width))
        self.conv = nn.Conv2d(in_channels[1], channels, (height, width))
        self.fc = nn.Linear((4 * in_channels[0] + in_channels[1]) * height * width + channels, 2 * num_joints)
        nn.init.normal_(self.fc.weight, std=0.001)
        nn.init.constant_(self.fc.bias, 0.5)

    def forward(self, features: Sequence[Tensor]) -> dict[str, Tensor]:
        """The last two maps -> ``coordinates`` (N, K, 2), x / width and y / height, not bounded; 1/2 at the start."""
        middle, last = features[-2:]
        grids = tuple(tuple(feature.shape[2:]) for feature in (middle, last))
        if grids != self.grids:
            raise ConfigError(
                f"PFLDHead is for maps of {self.grids} cells (height, width), not {grids}: its input_size must be that "
                "of the crops"
            )
        whole = self.conv(last).relu()
        joined = torch.cat([part.flatten(1) for part in (middle, last, whole)], dim=1)
        return {"coordinates": self.fc(joined).unflatten(1, (-1, 2))}


@MODELS.register_module()
class RotationHead(Head):
    """The auxiliary branch that learns how the palm is turned, so that the backbone has to know; for training only.

    Answers ``hand_angles`` (N, 3), yaw, pitch and roll in radians. Each is the direction of two numbers: hands turn all
    the way round, where the paper's faces do not and one number does.

    Args:
        in_channels: of the backbone's first map, at stride 4.
        channels: of the convolutions; 128 is the paper's.
        input_size: (width, height) of the network's input in pixels, multiples of 16.

    Raises:
        ConfigError: a number below 1, or an input that is no multiple of 16.
    """

    outputs = ("hand_angles",)
    maps = slice(1)
    training_only = True

    def __init__(self, in_channels: int = 48, channels: int = 64, input_size: tuple[int, int] = (112, 112)) -> None:
        super().__init__()
        if min(in_channels, channels) < 1:
            raise ConfigError(f"RotationHead needs positive numbers, got {in_channels} and {channels}")
        width, height = _cells(self, input_size)
        self.map_channels = (in_channels,)
        steps = ((in_channels, channels, 2), (channels, channels, 1), (channels, 32, 2))
        self.convs = nn.Sequential(*(_conv(*step) for step in steps))
        self.whole = nn.Conv2d(32, channels, (height, width))
        self.hidden = nn.Linear(channels, 32)
        self.fc = nn.Linear(32, 6)

    def forward(self, features: Sequence[Tensor]) -> dict[str, Tensor]:
        """The first map (N, in_channels, H / 4, W / 4) -> ``hand_angles`` (N, 3)."""
        whole = self.whole(self.convs(features[0])).flatten(1).relu()
        y, x = self.fc(self.hidden(whole).relu()).float().unflatten(1, (2, 3)).unbind(1)
        return {"hand_angles": torch.atan2(y, x)}


def _conv(in_channels: int, out_channels: int, stride: int) -> nn.Sequential:
    conv = nn.Conv2d(in_channels, out_channels, 3, stride, 1, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(out_channels), nn.ReLU())


def _cells(head: Head, input_size: tuple[int, int]) -> tuple[int, int]:
    """(width, height) of the map at stride 16."""
    if len(input_size) != 2 or any(side < 16 or side % 16 for side in input_size):
        raise ConfigError(f"{type(head).__name__}: input_size must be (width, height), multiples of 16: {input_size!r}")
    return input_size[0] // 16, input_size[1] // 16
