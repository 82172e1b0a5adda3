"""Smooth random fields: in space for skin, in the image for backgrounds."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Array = NDArray[Any]

_SIDE = 64


@lru_cache(maxsize=1)
def _volume() -> Array:
    """(64, 64, 64) float32 periodic field of mean 0 and deviation 1 that varies over about two cells."""
    field = np.random.default_rng(0).standard_normal((_SIDE,) * 3)
    field = ndimage.gaussian_filter(field, 1.0, mode="wrap")
    return np.asarray(field / field.std(), np.float32)


def solid_noise(points: Array, wavelength: float, offset: float = 0.0) -> Array:
    """(N,) float32 noise of mean 0 and deviation about 1 at (N, 3) points, varying over `wavelength` of their unit."""
    cells = points.T * (4.0 / wavelength) + np.array([[0.0], [17.3], [31.7]]) + offset
    return np.asarray(ndimage.map_coordinates(_volume(), cells, np.float32, order=1, mode="grid-wrap"))


def image_noise(rng: np.random.Generator, size: tuple[int, int], cells: float, octaves: int = 1) -> Array:
    """(H, W) float32 smooth noise, deviation about 1; `cells` blobs fit across the longer side, doubling per octave."""
    width, height = size
    total = np.zeros((height, width), np.float32)
    for octave in range(octaves):
        step = max(width, height) / (cells * 2**octave)
        shape = (int(height / step) + 4, int(width / step) + 4)
        grid = rng.standard_normal(shape).astype(np.float32)
        # The grid's samples lie `step` pixels apart, from one step before the image.
        rows, columns = (_cubic(size, step, count) for size, count in zip((height, width), shape, strict=True))
        total += rows @ grid @ columns.T / 2**octave
    return total


def _cubic(length: int, step: float, count: int) -> Array:
    """(length, count) float32 weights of grid samples for each pixel: cubic convolution, Keys 1981, with a = -0.75."""
    away = np.abs(np.arange(length, dtype=np.float32)[:, None] / step + 1 - np.arange(count, dtype=np.float32))
    near = (1.25 * away - 2.25) * away * away + 1
    far = ((-0.75 * away + 3.75) * away - 6) * away + 3
    return np.asarray(np.where(away <= 1, near, np.where(away < 2, far, 0)), np.float32)
