"""PosePrior (Zimmermann and Brox, ICCV 2017): from score maps and the hand's side to joints in space."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from handkit.errors import ConfigError
from handkit.models.backbones.conv_module import ConvModule, init_convs
from handkit.models.backbones.mobilenet_v2 import make_divisible
from handkit.models.heads.base import Head
from handkit.registry import MODELS

#: Each pair of 3x3 convolutions halves the sides once.
_REDUCTION = 8
#: Least length of an axis-angle vector, so that its direction has a gradient at 0.
_LEAST_ANGLE = 1e-6


@MODELS.register_module()
class PosePriorHead(Head):
    """Two streams from the mean of the score maps' stages and the side: joints in the canonical frame, and the view.

    ``canonical`` (N, 21, 3) and ``viewpoint`` (N, 3, 3), a rotation made from an axis-angle vector, are those of
    `handkit.canonical`, in which left hands are mirrored to right ones. They make up ``xyz_bone`` (N, 21, 3): relative
    to the wrist, in the axes of the crop (x right, y down, z forward), in lengths of the forefinger's proximal bone. No
    single picture tells how long that is; ``xyz_root``, in metres, takes the mean of `bone`.

    An auxiliary head: it reads the main head's ``score_maps`` and, of one that stands before it, ``handedness``, which
    goes in as [1, 0] for a left and [0, 1] for a right hand. In training that is the label.

    Args:
        num_joints: of the score maps; the answer has as many.
        heatmap_size: (width, height) of the maps in cells, multiples of 8.
        width: multiplies the channels, which are then rounded to multiples of 8; 1 is the paper's.
        bone: metres of the forefinger's proximal bone of a mean hand: 13,624 hands of HandSynth.
        dropout: probabilities with which a hidden number of the canonical and of the viewpoint's stream is left out.
        norm: a batch norm behind each convolution; False: the paper's plain ones.

    Raises:
        ConfigError: a number that is not positive, maps that are no multiples of 8, or a probability outside [0, 1); in
            the forward pass, maps of another size.
    """

    name = "pose_prior"
    outputs = ("canonical", "viewpoint", "xyz_bone", "xyz_root")
    internal = ("canonical", "viewpoint")
    reads = ("score_maps", "handedness")

    def __init__(
        self,
        num_joints: int = 21,
        heatmap_size: tuple[int, int] = (32, 32),
        width: float = 1.0,
        bone: float = 0.032,
        dropout: tuple[float, float] = (0.2, 0.25),
        norm: bool = True,
    ) -> None:
        super().__init__()
        if any(side < _REDUCTION or side % _REDUCTION for side in heatmap_size):
            raise ConfigError(f"PosePriorHead: heatmap_size must be multiples of {_REDUCTION}, not {heatmap_size}")
        if not (num_joints > 0 and width > 0 and bone > 0) or not all(0 <= share < 1 for share in dropout):
            raise ConfigError(
                f"PosePriorHead needs positive num_joints, width and bone, and dropout in [0, 1), got {num_joints}, "
                f"{width}, {bone} and {dropout}"
            )
        cells = heatmap_size[0] * heatmap_size[1] // _REDUCTION**2
        self.shape = (num_joints, int(heatmap_size[1]), int(heatmap_size[0]))
        self.bone = float(bone)
        streams = ((32, 64, 128), (512, 512), 3 * num_joints), ((64, 128, 256), (256, 128), 3)
        for name, share, (convs, hidden, out) in zip(("pose", "view"), dropout, streams, strict=True):
            wide = [make_divisible(channels * width) for channels in convs]
            setattr(self, f"{name}_convs", _convs([num_joints, *wide], norm))
            sizes = [cells * wide[-1] + 2, *(make_divisible(channels * width) for channels in hidden)]
            setattr(self, f"{name}_hidden", _hidden(sizes, share))
            setattr(self, f"{name}_fc", nn.Linear(sizes[-1], out))
        init_convs(self, None)

    def forward(self, features: Sequence[Tensor], score_maps: Tensor, handedness: Tensor) -> dict[str, Tensor]:
        """Score maps (N, S, K, h, w) and (N,) probabilities of a right hand -> the outputs; `features` are not used."""
        maps = score_maps.mean(dim=1)
        if tuple(maps.shape[1:]) != self.shape:
            raise ConfigError(
                f"PosePriorHead is for maps of {self.shape} (joints, height, width), not {tuple(maps.shape[1:])}"
            )
        right = (handedness >= 0.5).to(maps.dtype)
        side = torch.stack([1 - right, right], dim=1)
        canonical = self._stream("pose", maps, side).reshape(-1, self.shape[0], 3)
        viewpoint = axis_angle_matrix(self._stream("view", maps, side))
        xyz = _seen(canonical, viewpoint, right.to(canonical.dtype))
        return {"canonical": canonical, "viewpoint": viewpoint, "xyz_bone": xyz, "xyz_root": xyz * self.bone}

    def _stream(self, name: str, maps: Tensor, side: Tensor) -> Tensor:
        convs, hidden, last = (getattr(self, f"{name}_{part}") for part in ("convs", "hidden", "fc"))
        out: Tensor = last(hidden(torch.cat([convs(maps).flatten(1), side], dim=1)))
        return out.float()


def axis_angle_matrix(vectors: Tensor) -> Tensor:
    """(N, 3) axes times angles in radians -> (N, 3, 3) rotations (Rodrigues' formula)."""
    angle = vectors.square().sum(dim=1).clamp(min=_LEAST_ANGLE**2).sqrt()[:, None, None]
    x, y, z = vectors.unbind(1)
    nothing = torch.zeros_like(x)
    cross = torch.stack([nothing, -z, y, z, nothing, -x, -y, x, nothing], dim=1).reshape(-1, 3, 3) / angle
    square = cross[:, :, :, None].mul(cross[:, None]).sum(2)  # cross @ cross, in full precision under autocast
    identity = torch.eye(3, dtype=vectors.dtype, device=vectors.device)
    return identity + angle.sin() * cross + (1 - angle.cos()) * square


def _seen(canonical: Tensor, viewpoint: Tensor, right: Tensor) -> Tensor:
    """`handkit.canonical.from_canonical` in torch, with the wrist at 0; in full precision under autocast."""
    mirror = torch.stack([torch.ones_like(right), torch.ones_like(right), 2 * right - 1], dim=1)
    own = canonical * mirror[:, None]
    turned = own[:, :, :, None].mul(viewpoint[:, None]).sum(2)
    return turned - turned[:, :1]


def _convs(sizes: Sequence[int], norm: bool) -> nn.Sequential:
    """Per pair of sizes two 3x3 convolutions, the second of stride 2."""
    parts = []
    for before, own in itertools.pairwise(sizes):
        parts += [
            ConvModule(before, own, 3, activation="relu", norm=norm),
            ConvModule(own, own, 3, stride=2, activation="relu", norm=norm),
        ]
    return nn.Sequential(*parts)


def _hidden(sizes: Sequence[int], dropout: float) -> nn.Sequential:
    parts: list[nn.Module] = []
    for before, own in itertools.pairwise(sizes):
        parts += [nn.Linear(before, own), nn.ReLU(inplace=True), nn.Dropout(dropout)]
    return nn.Sequential(*parts)
