"""One gaussian per joint."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from handkit.codecs.arrays import decoded, encoded, highest_cells, labelled_joints
from handkit.codecs.dark import Dark, dark_kernel, windows
from handkit.errors import ConfigError
from handkit.registry import CODECS

#: exp(-this) squared is still a normal float32.
_LARGEST_EXPONENT = 43.0


@CODECS.register_module()
class GaussianHeatmap:
    """Joints as gaussian heat maps (Xiao et al., ECCV 2018), decoded by the highest cell and, by default, DARK.

    An input pixel x lies at x / (input width / map width) of the map, integers at cell centres. Mean distance between
    joints and what their own targets decode to, in pixels of a 256 input and a 64 map, 30 pixels or more from the
    border: 0.0009 by default, 0.0003 with sigma 3 and kernel 17, 0.76 without DARK, and 1.5 with biased targets, which
    a trained network averages out.

    Args:
        input_size: (width, height) of the network's input in pixels.
        heatmap_size: (width, height) of the maps in cells.
        sigma: of the gaussians, in cells.
        unbiased: targets are centred on the joint itself; otherwise on the nearest cell, cut at 3 sigma.
        dark: decode with DARK (`handkit.codecs.dark`); otherwise a quarter of a cell towards the higher neighbour.
        kernel: DARK's blur, odd; None for the one whose own sigma is nearest: 11 at sigma 2, 17 at sigma 3.
        max_offset: DARK moves a joint by at most this many cells along each axis, and not at all where the map has no
            clear peak; None decodes as mmpose 1.x does, without either limit.
        probabilities: the maps to be decoded are probabilities over their cells, as of a head with ``softmax=True``:
            scores compare the highest one with that of an ideal gaussian. Targets are the same.
        blur: decode maps blurred by a gaussian of this sigma in cells: of two places where a joint could be, the one
            with more of the map around it wins, not the one with the sharper peak. Of probabilities that is the
            highest mode of a kernel density estimate, the best guess where near counts and far does not, as for PCK;
            the finest precision loses a little by it. 0 decodes the maps as they are.

    Raises:
        ConfigError: a size, sigma, kernel, max_offset or blur that makes no sense.
    """

    reads: tuple[str, ...] = ("heatmaps",)
    targets: tuple[str, ...] = ("heatmaps", "target_weight")
    decoding: tuple[str, ...] = ("dark", "kernel", "max_offset", "blur")
    udp: bool = False

    def __init__(
        self,
        input_size: tuple[int, int] = (256, 256),
        heatmap_size: tuple[int, int] = (64, 64),
        sigma: float = 2.0,
        unbiased: bool = True,
        dark: bool = True,
        kernel: int | None = None,
        max_offset: float | None = 1.0,
        probabilities: bool = False,
        blur: float = 0.0,
    ) -> None:
        name = type(self).__name__
        if min(*input_size, *heatmap_size) < 1 or sigma <= 0:
            raise ConfigError(f"{name} needs positive sizes, got {input_size}, {heatmap_size}, sigma={sigma}")
        kernel = dark_kernel(sigma) if kernel is None else kernel
        if kernel < 1 or kernel % 2 == 0:
            raise ConfigError(f"{name}: kernel must be odd and positive, not {kernel}")
        if max_offset is not None and max_offset < 0:
            raise ConfigError(f"{name}: max_offset must not be negative, not {max_offset}; None sets no limit")
        if not 0 <= blur < math.inf:
            raise ConfigError(f"{name}: blur must be a sigma in cells, or 0 for none, not {blur}")
        self.input_size = (int(input_size[0]), int(input_size[1]))
        self.heatmap_size = (int(heatmap_size[0]), int(heatmap_size[1]))
        self.sigma = float(sigma)
        self.unbiased = unbiased
        self.blur = float(blur)
        self.probabilities = probabilities
        self.stride = (input_size[0] / heatmap_size[0], input_size[1] / heatmap_size[1])
        self._middle = (input_size[0] / 2, input_size[1] / 2)
        self._dark = Dark(kernel, max_offset) if dark else None

    def encode(self, keypoints: Any, visible: Any) -> dict[str, Any]:
        """Targets of any number of hands, computed where the joints are: numpy in, numpy out; torch in, torch out.

        Args:
            keypoints: (..., K, 2) in input pixels; where a joint is not visible, anything.
            visible: (..., K), 0 where the joint is not labelled.

        Returns:
            ``heatmaps`` (..., K, h, w) with peaks of at most 1, and ``target_weight`` (..., K): 1, or 0 with an empty
            map where a joint is not visible or its gaussian, as far as 3 sigma, misses the map. float32; values below
            1e-18 may be 0 instead, since the denormal numbers beneath them slow a CPU threefold.

        Raises:
            DataError: shapes that disagree, or a visible joint that is not finite.
        """
        return encoded(self._encode, keypoints, visible)

    def _encode(self, keypoints: Tensor, visible: Tensor) -> dict[str, Tensor]:
        joints, labelled = labelled_joints(keypoints, visible)
        centers = joints / joints.new_tensor(self.stride)
        profile = self._unbiased_profile if self.unbiased else self._biased_profile
        columns, hits_x = profile(centers[..., 0], self.heatmap_size[0])
        rows, hits_y = profile(centers[..., 1], self.heatmap_size[1])
        weight = (labelled & hits_x & hits_y).float()
        heatmaps = (rows * weight[..., None])[..., :, None] * columns[..., None, :]
        return {"heatmaps": heatmaps, "target_weight": weight}

    def _unbiased_profile(self, center: Tensor, size: int) -> tuple[Tensor, Tensor]:
        """(..., K) centres -> (..., K, size) gaussians along one axis, and which of them reach it."""
        radius = 3 * self.sigma
        squared = (torch.arange(size, device=center.device) - center[..., None]) ** 2
        return self._gaussian(squared), (center - radius < size) & (center + radius + 1 >= 0)

    def _biased_profile(self, center: Tensor, size: int) -> tuple[Tensor, Tensor]:
        """The same around the nearest cell, zero beyond 3 sigma.

        All roundings are towards zero, as in mmpose, whose gaussian however slips a cell where 3 sigma is no integer.
        """
        radius = 3 * self.sigma
        nearest = (center + 0.5).trunc()
        start, stop = (nearest - radius).trunc()[..., None], (nearest + radius + 1).trunc()[..., None]
        cells = torch.arange(size, device=center.device)
        values = self._gaussian((cells - nearest[..., None]) ** 2)
        patch = torch.where((cells >= start) & (cells < stop), values, 0)
        return patch, (start[..., 0] < size) & (stop[..., 0] >= 0)

    def _gaussian(self, squared: Tensor) -> Tensor:
        """Squared distances in cells -> heights; 0 where the product of two would be denormal."""
        exponent = squared / (2 * self.sigma**2)
        return torch.where(exponent < _LARGEST_EXPONENT, (-exponent).exp(), 0)

    def decode(self, outputs: Mapping[str, Any]) -> tuple[Any, Any]:
        """Joints of N hands, without a loop over joints and on the device of the maps.

        Args:
            outputs: ``heatmaps`` (N, K, h, w), numpy or torch.

        Returns:
            Joints (N, K, 2) in input pixels and scores (N, K): the highest value of each map (with `blur` that of the
            5x5 cells around the joint's), times 2 pi sigma^2 with `probabilities`, brought into [0, 1]. float32, numpy
            or torch as the maps were. Nothing is ever NaN: a map without a positive value (or with a NaN) scores 0 at
            half the input size, which is the crop's centre.

        Raises:
            ConfigError: maps of another size than `heatmap_size`.
        """
        return decoded(self._decode, outputs["heatmaps"])

    @torch.no_grad()
    def _decode(self, heatmaps: Tensor) -> tuple[Tensor, Tensor]:
        width, height = self.heatmap_size
        if heatmaps.ndim != 4 or heatmaps.shape[-2:] != (height, width):
            raise ConfigError(f"GaussianHeatmap decodes (N, K, {height}, {width}) maps, got {tuple(heatmaps.shape)}")
        maps = heatmaps.flatten(0, 1).float()
        maps, cells, peak, score = self._peaks(maps)
        offsets = self._dark.offsets(maps, cells, peak) if self._dark else _quarter_offsets(maps, cells)
        found = score > 0
        middle = offsets.new_tensor(self._middle)
        keypoints = torch.where(found[:, None], (cells + offsets) * offsets.new_tensor(self.stride), middle)
        scale = 2 * math.pi * self.sigma**2 if self.probabilities else 1.0
        scores = torch.where(found, score * scale, 0).clamp(0, 1)
        return keypoints.reshape(*heatmaps.shape[:2], 2), scores.reshape(heatmaps.shape[:2])

    def _peaks(self, maps: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """(M, h, w) maps -> those to be decoded, their highest cells (M, 2), the values there and the scores (M,)."""
        if not self.blur:
            cells, peak = highest_cells(maps)
            return maps, cells, peak, peak
        blurred = blurred_maps(maps, self.blur)
        cells, peak = highest_cells(blurred)
        score = windows(maps, cells, 2).amax(1)
        return blurred, cells, peak, torch.where(peak > 0, score, 0)


def blurred_maps(maps: Tensor, sigma: float) -> Tensor:
    """(M, h, w) maps under a gaussian of `sigma` cells cut at 4 sigma, zero outside: two products with bands."""

    def band(size: int) -> Tensor:
        apart = torch.arange(size, device=maps.device)[:, None] - torch.arange(size, device=maps.device)
        weights = (apart**2 / (-2 * sigma**2)).exp() / (sigma * math.sqrt(2 * math.pi))
        return torch.where(apart.abs() <= 4 * sigma, weights, 0)

    return band(maps.shape[1]) @ (maps @ band(maps.shape[2]))


def _quarter_offsets(maps: Tensor, cells: Tensor) -> Tensor:
    """(M, 2) a quarter of a cell towards the higher neighbour along each axis, with mmpose 1.x's borders."""
    height, width = maps.shape[-2:]
    flat, (x, y) = maps.flatten(1), cells.unbind(1)

    def value(column: Tensor, row: Tensor) -> Tensor:
        index = row.clamp(0, height - 1) * width + column.clamp(0, width - 1)
        return flat.gather(1, index[:, None])[:, 0]

    dx = (value(x + 1, y) - value(x - 1, y)).sign() * ((x > 1) & (x < width - 1) & (y > 0))
    dy = (value(x, y + 1) - value(x, y - 1)).sign() * ((y > 1) & (y < height - 1) & (x > 0))
    return torch.stack([dx, dy], dim=1) / 4
