"""The rules by which inputs and weights are made on both sides of the comparison with mmpose; numpy only."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

#: HRNet with one block everywhere, nearest upsampling, and only the map at stride 4.
SMALL = {"width": 8, "num_modules": (1, 1, 2), "num_blocks": (1, 1, 1, 1), "stage1_channels": 16}
INPUT_SIZE, MAP_SIZE = (192, 256), (48, 64)  # (width, height)


def state(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Array]:
    """Weights for every key of an HRNet, drawn from a generator seeded by the key; activations stay below 100."""
    return {key: _tensor(key, tuple(shape)) for key, shape in shapes.items()}


def _tensor(key: str, shape: tuple[int, ...]) -> Array:
    draw = np.random.default_rng(zlib.crc32(key.encode()))
    name = key.rpartition(".")[2]
    if name == "num_batches_tracked":
        return np.zeros(shape, np.int64)
    if name == "running_var":
        return draw.uniform(0.5, 1.5, shape).astype(np.float32)
    if name == "weight" and len(shape) == 1:
        return draw.uniform(0.4, 0.8, shape).astype(np.float32)
    if name == "weight":
        return (draw.standard_normal(shape) / np.sqrt(np.prod(shape[1:]))).astype(np.float32)
    return draw.normal(0, 0.2, shape).astype(np.float32)


def images() -> Array:
    """(2, 3, 64, 64) float32, of about the spread of normalised photographs."""
    return np.random.default_rng(1).normal(0, 1, (2, 3, 64, 64)).astype(np.float32)


def step_images() -> Array:
    """(4, 3, 128, 128) float32: the batch of one training step."""
    return np.random.default_rng(4).normal(0, 1, (4, 3, 128, 128)).astype(np.float32)


def step_joints() -> tuple[Array, Array]:
    """(4, 21, 2) float32 in pixels of `step_images`, some beyond the border, and (4, 21) float32, 1 where labelled."""
    draw = np.random.default_rng(5)
    return draw.uniform(-30, 158, (4, 21, 2)).astype(np.float32), (draw.uniform(0, 1, (4, 21)) < 0.8).astype(np.float32)


def joints() -> Array:
    """(2, 21, 2) float32 in input pixels: most inside `INPUT_SIZE`, a third of them beyond its border."""
    return np.random.default_rng(2).uniform((-50, -50), (242, 306), (2, 21, 2)).astype(np.float32)


def maps() -> Array:
    """(3, 21, 64, 48) float32: two hands of gaussian peaks under noise, and one of noise alone, down to -4."""
    draw = np.random.default_rng(3)
    x, y = (joints() / 4).transpose(2, 0, 1)[..., None, None]
    columns, rows = np.arange(48.0), np.arange(64.0)[:, None]
    peaks = np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 8) * draw.uniform(0.2, 1.5, (2, 21, 1, 1))
    hands = peaks + draw.normal(0, 0.01, peaks.shape)
    return np.concatenate([hands, draw.normal(0, 1, (1, 21, 64, 48))]).astype(np.float32)
