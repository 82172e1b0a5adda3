"""A coarse disc and a fine offset per joint, as PoseNet has them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from handkit.codecs.arrays import decoded, encoded, highest_cells, labelled_joints
from handkit.errors import ConfigError
from handkit.registry import CODECS


@CODECS.register_module()
class OffsetHeatmap:
    """Which cells lie in a disc about the joint, and how far the joint is from each of them.

    Papandreou et al., Towards Accurate Multi-person Pose Estimation in the Wild, CVPR 2017, and PersonLab, ECCV 2018,
    with the grid of TensorFlow.js's PoseNet: cell i lies on the input's pixel i x `output_stride`, so that an input of
    n x stride + 1 pixels has (size - 1) / stride + 1 cells, the outermost on its corner pixels. A map may then be as
    coarse as one cell in 32 pixels: the offset says the rest, and targets decode to their joints up to rounding.

    The score of a whole hand is the mean of its joints' (`pose_score`).

    Args:
        input_size: (width, height) of the network's input in pixels, each a multiple of `output_stride` plus 1.
        output_stride: pixels from one cell to the next: 8, 16 or 32.
        radius: of the discs in pixels, and the unit of the offsets. So large that every joint inside the input has a
            cell in its disc: 0.71 `output_stride` at least. PersonLab has 32 pixels in inputs of 801 that show people;
            here crops show one hand.

    Raises:
        ConfigError: a size that does not fit the stride, another stride, or a radius that is too small.
    """

    reads: tuple[str, ...] = ("heatmaps", "offsets")
    targets: tuple[str, ...] = ("heatmaps", "offsets", "target_weight")
    decoding: tuple[str, ...] = ()
    udp: bool = True

    def __init__(self, input_size: tuple[int, int] = (257, 257), output_stride: int = 16, radius: float = 24.0) -> None:
        name = type(self).__name__
        if output_stride not in (8, 16, 32):
            raise ConfigError(f"{name}: output_stride must be 8, 16 or 32, not {output_stride!r}")
        if len(input_size) != 2 or min(input_size) <= output_stride or any((s - 1) % output_stride for s in input_size):
            fitting = tuple(max(round((side - 1) / output_stride), 1) * output_stride + 1 for side in input_size)
            raise ConfigError(
                f"{name}: each side of input_size={tuple(input_size)} must be a multiple of output_stride="
                f"{output_stride} plus 1, so that the outermost cells lie on the corner pixels: take {fitting}"
            )
        if not radius >= output_stride * math.sqrt(0.5):
            raise ConfigError(
                f"{name}: discs of radius {radius} slip through cells of {output_stride} pixels: take "
                f"{math.ceil(output_stride * math.sqrt(0.5))} or more"
            )
        self.input_size = (int(input_size[0]), int(input_size[1]))
        self.output_stride = output_stride
        self.radius = float(radius)
        width, height = self.input_size
        self.heatmap_size = ((width - 1) // output_stride + 1, (height - 1) // output_stride + 1)

    def encode(self, keypoints: Any, visible: Any) -> dict[str, Any]:
        """Targets of any number of hands, one hand per input, numpy or torch as the joints are.

        Args:
            keypoints: (..., K, 2) in input pixels; where a joint is not visible, anything.
            visible: (..., K), 0 where the joint is not labelled.

        Returns:
            ``heatmaps`` (..., K, h, w), 1 in the disc about the joint, its rim included, else 0; ``offsets``
            (..., K, 2, h, w), from each cell of the disc to the joint along x and y in units of `radius`, 0 outside;
            and ``target_weight`` (..., K): 1, or 0 with empty maps where a joint is not visible or no cell lies in its
            disc. float32.

        Raises:
            DataError: shapes that disagree, or a visible joint that is not finite.
        """
        return encoded(self._encode, keypoints, visible)

    def _encode(self, keypoints: Tensor, visible: Tensor) -> dict[str, Tensor]:
        joints, labelled = labelled_joints(keypoints, visible)
        apart = self.vectors(joints)
        disc = (apart.square().sum(-3) <= 1) & labelled[..., None, None]
        return {
            "heatmaps": disc.float(),
            "offsets": torch.where(disc[..., None, :, :], apart, 0),
            "target_weight": disc.flatten(-2).any(-1).float(),
        }

    def vectors(self, points: Tensor) -> Tensor:
        """(..., 2) points in input pixels -> (..., 2, h, w) from each cell to the point, in units of `radius`."""
        columns, rows = (torch.arange(size, device=points.device) * self.output_stride for size in self.heatmap_size)
        dx = points[..., 0, None, None] - columns
        dy = points[..., 1, None, None] - rows[:, None]
        shape = (*points.shape[:-1], *self.heatmap_size[::-1])
        return torch.stack([dx.expand(shape), dy.expand(shape)], dim=-3) / self.radius

    def decode(self, outputs: Mapping[str, Any]) -> tuple[Any, ...]:
        """The highest cell of each map, moved by the offset that is said there.

        Args:
            outputs: ``heatmaps`` (N, K, h, w), probabilities that a cell is in the disc, and ``offsets``
                (N, K, 2, h, w) in units of `radius`; numpy or torch.

        Returns:
            Joints (N, K, 2) in input pixels and scores (N, K), the highest values, in [0, 1]. float32, numpy or torch
            as the outputs were. A map without a positive value, with a NaN, or with an offset there that is not finite,
            scores 0 at the input's centre.

        Raises:
            ConfigError: maps that are not those of `input_size` and `output_stride`.
        """
        self.check_maps(outputs["heatmaps"].shape)
        return decoded(self._decode, outputs["heatmaps"], outputs["offsets"])

    def check_maps(self, shape: tuple[int, ...]) -> None:
        """Refuses maps of another stride, whose joints would be silently misplaced.

        Raises:
            ConfigError: the last two sides are not those of `heatmap_size`.
        """
        width, height = self.heatmap_size
        if len(shape) != 4 or tuple(shape[-2:]) != (height, width):
            raise ConfigError(
                f"{type(self).__name__} decodes (N, K, {height}, {width}) maps, one cell per {self.output_stride} "
                f"pixels of {self.input_size}, got {tuple(shape)}: the backbone's output_stride must be the codec's"
            )

    @torch.no_grad()
    def _decode(self, heatmaps: Tensor, offsets: Tensor) -> tuple[Tensor, Tensor]:
        cells, peak = highest_cells(heatmaps.flatten(0, 1).float())
        index = cells[:, 1] * heatmaps.shape[-1] + cells[:, 0]
        there = offsets.flatten(0, 1).flatten(2).float().gather(2, index[:, None, None].expand(-1, 2, 1))[..., 0]
        found = (peak > 0) & there.isfinite().all(1)
        middle = (there.new_tensor(self.input_size) - 1) / 2
        joints = torch.where(found[:, None], cells * self.output_stride + there * self.radius, middle)
        scores = torch.where(found, peak, 0).clamp(0, 1)
        return joints.reshape(*heatmaps.shape[:2], 2), scores.reshape(heatmaps.shape[:2])


def pose_score(scores: Any) -> Any:
    """(..., K) scores of joints -> (...) their mean, the score of the hand (PoseNet's)."""
    return scores.mean(-1)
