"""The images, boxes and random numbers on both sides of the comparison of mmdet's whole-image steps; numpy only."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
SEEDS = tuple(range(16))
#: (width, height) to which `Resize` stretches.
RESIZED = (24, 20)


def image(seed: int) -> Array:
    """(20 to 33, 20 to 33, 3) uint8 RGB, smooth enough to be stretched and coloured enough to be turned."""
    rng = np.random.default_rng([1, seed])
    height, width = rng.integers(20, 34, 2)
    coarse = rng.integers(0, 256, (5, 5, 3)).astype(np.float64)
    rows, columns = np.linspace(0, 3.99, height), np.linspace(0, 3.99, width)
    y, x = rows.astype(int), columns.astype(int)
    fy, fx = (rows - y)[:, None, None], (columns - x)[None, :, None]
    upper = coarse[y][:, x] * (1 - fx) + coarse[y][:, x + 1] * fx
    lower = coarse[y + 1][:, x] * (1 - fx) + coarse[y + 1][:, x + 1] * fx
    return np.rint(upper * (1 - fy) + lower * fy).astype(np.uint8)


def boxes(seed: int) -> Array:
    """(1 to 3, 4) float32 inside the image of that seed."""
    rng = np.random.default_rng([2, seed])
    height, width = image(seed).shape[:2]
    low = rng.uniform(0, 0.5, (1 + seed % 3, 2))
    size = rng.uniform(0.2, 0.5, low.shape)
    return (np.concatenate([low, low + size], 1) * np.array([width, height, width, height])).astype(np.float32)


class Draws:
    """numpy's old random functions, as far as mmdet calls them, on the generator that handkit's step draws from.

    Args:
        seed: of the sample's generator.
        first: the sample's own first value stands before the step's.
    """

    def __init__(self, seed: int, first: bool = False) -> None:
        outer = np.random.default_rng(seed)
        self._queue = [outer.random()]
        self._rng = np.random.default_rng(int(outer.integers(2**63)))
        if not first:
            self._queue.clear()

    def _next(self) -> float:
        return self._queue.pop() if self._queue else float(self._rng.random())

    def uniform(self, low: float = 0.0, high: float = 1.0) -> float:
        return low + (high - low) * self._next()

    def randint(self, count: int) -> int:
        return int(self._next() * count)

    def choice(self, values: Any) -> Any:
        return values[int(self._next() * len(values))]

    def permutation(self, count: int) -> Array:
        """The order of R, G, B, as an order of B, G, R."""
        order = np.array([self._next() for _ in range(count)]).argsort()
        return count - 1 - order[::-1]
