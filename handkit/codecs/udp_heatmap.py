"""Heat maps whose corner cells lie on the crop's corner pixels: unbiased data processing (UDP)."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from handkit.codecs.dark import Dark, dark_kernel, newton_step
from handkit.codecs.gaussian_heatmap import GaussianHeatmap
from handkit.errors import ConfigError
from handkit.registry import CODECS

_EPSILON = torch.finfo(torch.float32).eps


@CODECS.register_module()
class UDPHeatmap(GaussianHeatmap):
    """Joints as gaussian heat maps in UDP's geometry (Huang et al., The Devil is in the Details, CVPR 2020).

    Sizes are counted between the centres of the corner pixels: an input pixel x lies at
    x (map width - 1) / (input width - 1) of the map, so that a mirrored map needs no shift. It belongs together with
    crops cut likewise, ``TopDownAffine(use_udp=True)``, which `handkit.registry.validate` holds; without them joints
    would lie up to a pixel of the input off.

    Targets are mmpose 1.x's: gaussians about the joint itself, cut at 3 sigma about the nearest cell. Decoding is
    DARK's with UDP's differences: second ones between neighbouring cells, blurred values of 0.001 at least, edges
    repeated.
    mmpose's `decode` gives x times w / (w - 1), which its way back to the image takes for granted; here joints are in
    input pixels as everywhere. Mean distance between joints and what their own targets decode to, 30 pixels or more
    from the border of a 256 input with a 64 map: 0.00015 pixels.

    Args:
        input_size: (width, height) of the network's input in pixels, 2 at least.
        heatmap_size: (width, height) of the maps in cells, 2 at least.
        sigma: of the gaussians, in cells.
        kernel: of the blur before decoding, odd; None for the one whose own sigma is nearest: 11 at sigma 2.
        max_offset: decoding moves a joint by at most this many cells along each axis from the highest one, and not at
            all where the map has no clear peak, as in its outermost cells; None decodes as mmpose does, without either
            limit.
        probabilities: see `GaussianHeatmap`.
        blur: see `GaussianHeatmap`.

    Raises:
        ConfigError: a size, sigma, kernel, max_offset or blur that makes no sense.
    """

    udp: bool = True
    decoding: tuple[str, ...] = ("kernel", "max_offset", "blur")

    def __init__(
        self,
        input_size: tuple[int, int] = (256, 256),
        heatmap_size: tuple[int, int] = (64, 64),
        sigma: float = 2.0,
        kernel: int | None = None,
        max_offset: float | None = 1.0,
        probabilities: bool = False,
        blur: float = 0.0,
    ) -> None:
        super().__init__(input_size, heatmap_size, sigma, True, True, kernel, max_offset, probabilities, blur)
        if min(*input_size, *heatmap_size) < 2:
            raise ConfigError(f"UDPHeatmap needs two corners per axis, got {input_size} and {heatmap_size}")
        (width, height), (columns, rows) = self.input_size, self.heatmap_size
        self.stride = ((width - 1) / (columns - 1), (height - 1) / (rows - 1))
        self._middle = ((width - 1) / 2, (height - 1) / 2)
        self._dark = _UDPDark(dark_kernel(sigma) if kernel is None else kernel, max_offset)

    def _unbiased_profile(self, center: Tensor, size: int) -> tuple[Tensor, Tensor]:
        """The gaussian about the joint, zero beyond 3 sigma about the nearest cell; roundings are towards zero."""
        radius = 3 * self.sigma
        nearest = (center + 0.5).trunc()
        start, stop = (nearest - radius).trunc()[..., None], (nearest + radius + 1).trunc()[..., None]
        cells = torch.arange(size, device=center.device)
        values = self._gaussian((cells - center[..., None]) ** 2)
        patch = torch.where((cells >= start) & (cells < stop), values, 0)
        return patch, (start[..., 0] < size) & (stop[..., 0] >= 0)


class _UDPDark(Dark):
    """`Dark` with the differences of UDP's reference code, which reach one cell, also at the border."""

    floor: ClassVar[float] = 1e-3

    def _steps(self, logs: Tensor, cells: Tensor, size: Tensor) -> Tensor:
        around = torch.arange(-1, 2, device=cells.device)
        wanted = cells[:, :, None] + around
        nearest = torch.clamp(wanted, torch.zeros_like(size)[:, None], size[:, None] - 1) - cells[:, :, None] + 2
        index = nearest[:, 1, :, None] * 5 + nearest[:, 0, None, :]
        a, b, _, d, e, f, _, h, i = logs.gather(1, index.flatten(1)).unbind(1)
        dxx, dyy = d - 2 * e + f + _EPSILON, b - 2 * e + h + _EPSILON
        dxy = (a - b - d + 2 * e - f - h + i) / 2
        differences = torch.stack([(f - d) / 2, (h - b) / 2, dxx, dyy, dxy], dim=1)
        return newton_step(differences, cells.new_ones(len(cells), dtype=torch.bool), self.max_offset)
