"""Distribution-aware decoding: the peak of a heat map to a fraction of a cell.

Zhang et al., Distribution-Aware Coordinate Representation for Human Pose Estimation, CVPR 2020 (DARK): blur the map,
take its logarithm, which for a gaussian is a parabola, and step from the highest cell to the parabola's top by Newton's
method. Values are those of mmpose 1.x (zero padding, blurred map brought back to the old maximum, logarithm of at least
1e-10, second differences over two cells, no step within two cells of the border), but only the 5x5 cells around the
peak are ever blurred, for all maps at once.
"""

from __future__ import annotations

from typing import ClassVar

import cv2
import numpy as np
import torch
from torch import Tensor

_REACH = 2  # cells around the peak that the differences use


def _differences() -> list[list[float]]:
    """5 x 25: from the 5x5 cells around a peak, row by row, to dx, dy, dxx, dyy and dxy."""
    first, second = [0, -1, 0, 1, 0], [1, 0, -2, 0, 1]
    here = [0, 0, 1, 0, 0]
    dx, dxx = np.outer(here, first) / 2, np.outer(here, second) / 4
    stencils = [dx, dx.T, dxx, dxx.T, np.outer(first, first) / 4]
    return [stencil.ravel().tolist() for stencil in stencils]


_DIFFERENCES = _differences()


def dark_kernel(sigma: float) -> int:
    """The size of the blur whose sigma is nearest to that of the gaussians in the maps.

    >>> dark_kernel(2), dark_kernel(3)
    (11, 17)
    """
    return 2 * max(1, round((sigma - 0.8) / 0.3 + 1)) + 1


class Dark:
    """The decoder for maps blurred with one kernel.

    Attributes:
        floor: the least blurred value whose logarithm is taken.

    Args:
        kernel: size of the blur, odd; its sigma is 0.3 ((kernel - 1) / 2 - 1) + 0.8, so 11 has 2.0 and 17 has 2.9; for
            small kernels cv2's own tables stand in its place.
        max_offset: a step is at most this many cells along each axis, and there is none where the parabola has no top
            (flat and saddle-shaped maps); None as in mmpose: neither.
    """

    floor: ClassVar[float] = 1e-10

    def __init__(self, kernel: int, max_offset: float | None) -> None:
        weights = cv2.getGaussianKernel(kernel, 0, cv2.CV_32F)[:, 0]
        rows = np.stack([np.pad(weights, (shift, 2 * _REACH - shift)) for shift in range(2 * _REACH + 1)])
        self.max_offset = max_offset
        self._radius = kernel // 2
        self._weights = torch.from_numpy(weights)
        # From a window of (kernel + 4) cells squared to its 5x5 inner cells, blurred: the product along both axes.
        self._blur = torch.from_numpy(np.ascontiguousarray(np.kron(rows, rows).T, np.float32))

    def offsets(self, maps: Tensor, cells: Tensor, peak: Tensor) -> Tensor:
        """The step from the highest cell to the top of the peak.

        Args:
            maps: (M, h, w) heat maps.
            cells: (M, 2) column and row of each map's highest cell, int64.
            peak: (M,) its value.

        Returns:
            (M, 2) steps (dx, dy) in cells, always finite.
        """
        blurred = windows(maps, cells, self._radius + _REACH) @ self._blur.to(maps.device)
        # Bringing the blurred map back to its old maximum multiplies it by some c >= 1 and adds log c everywhere, which
        # no difference sees, unless the floor of the logarithm cuts in.
        floored = (blurred.amin(1) < self.floor).nonzero()[:, 0]
        if len(floored):
            blurred[floored] *= (peak[floored] / self._blurred_maximum(maps[floored]))[:, None]
        return self._steps(blurred.clamp_(min=self.floor).log_(), cells, cells.new_tensor(maps.shape[:0:-1]))

    def _steps(self, logs: Tensor, cells: Tensor, size: Tensor) -> Tensor:
        """(M, 25) logarithms around the cells, and the maps' width and height -> (M, 2) steps (dx, dy).

        There are none within two cells of the border.
        """
        inside = ((cells >= _REACH) & (cells < size - _REACH)).all(1)
        return newton_step(logs @ logs.new_tensor(_DIFFERENCES).T, inside, self.max_offset)

    def _blurred_maximum(self, maps: Tensor) -> Tensor:
        """(M, h, w) -> (M,) the maxima of the whole blurred maps, as two products with band matrices."""
        rows, columns = (self._band(size).to(maps.device) for size in maps.shape[1:])
        return (rows @ (maps @ columns)).flatten(1).amax(1)

    def _band(self, size: int) -> Tensor:
        """(size, size), symmetric: the blur along one axis, zero outside the map."""
        apart = torch.arange(size)[:, None] - torch.arange(size) + self._radius
        weights = self._weights[apart.clamp(0, 2 * self._radius)]
        return torch.where((apart >= 0) & (apart <= 2 * self._radius), weights, 0)


def newton_step(differences: Tensor, inside: Tensor, max_offset: float | None) -> Tensor:
    """The step to the top of a parabola.

    Args:
        differences: (M, 5) dx, dy, dxx, dyy and dxy at the highest cells.
        inside: (M,) where there is to be a step at all.
        max_offset: see `Dark`.

    Returns:
        (M, 2) steps (dx, dy), 0 where there is none.
    """
    dx, dy, dxx, dyy, dxy = differences.unbind(1)
    determinant = dxx * dyy - dxy * dxy
    step = torch.stack([dxy * dy - dyy * dx, dxy * dx - dxx * dy], dim=1) / determinant[:, None]
    usable = inside & step.isfinite().all(1)
    if max_offset is not None:
        usable = usable & (dxx < 0) & (determinant > 0)
        step = step.clamp(-max_offset, max_offset)
    return torch.where(usable[:, None], step, 0)


def windows(maps: Tensor, cells: Tensor, radius: int) -> Tensor:
    """(M, T * T) values around each map's cell (column, row), T = 2 radius + 1, zero outside the map."""
    count, height, width = maps.shape
    wanted = cells[:, :, None] + torch.arange(-radius, radius + 1, device=maps.device)
    last = cells.new_tensor([[width - 1], [height - 1]])
    nearest = torch.clamp(wanted, torch.zeros_like(last), last)
    inside = (nearest == wanted).to(maps.dtype)
    mask = inside[:, 1, :, None] * inside[:, 0, None, :]
    starts = (nearest[:, 1] + torch.arange(count, device=maps.device)[:, None] * height) * width
    index = starts[:, :, None] + nearest[:, 0, None, :]
    return maps.flatten().index_select(0, index.flatten()).reshape(mask.shape).mul_(mask).flatten(1)
