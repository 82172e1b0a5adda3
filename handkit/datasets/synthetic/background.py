"""Procedural out-of-focus rooms behind the hand."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from handkit.datasets.synthetic.noise import image_noise
from handkit.datasets.synthetic.skin import srgb_to_linear

Array = NDArray[Any]


def room(rng: np.random.Generator, size: tuple[int, int]) -> Array:
    """(H, W, 3) float32 linear RGB of size (width, height): a wall, a floor, and things before them, out of focus."""
    width, height = size
    longer = max(size)
    light = rng.uniform(0.25, 0.9)
    image: Array = np.empty((height, width, 3), np.float32)
    image[:] = _color(rng, light)
    tilt = rng.normal(0, 4)
    floor = rng.uniform(0.45, 1.4) * height
    _box(image, (width / 2, floor + 2 * height), (6 * width, 4 * height), tilt, _color(rng, 0.8 * light))
    for _ in range(rng.integers(0, 10)):
        _thing(rng, image, light, tilt, floor)
    blur = longer * np.exp(rng.uniform(np.log(0.006), np.log(0.04)))
    image = cv2.GaussianBlur(image, (0, 0), blur, borderType=cv2.BORDER_REPLICATE)
    slope = image_noise(rng, size, 1.5)
    patches = image_noise(rng, size, rng.uniform(3, 12), octaves=3)
    image = image * (1 + 0.12 * slope + rng.uniform(0, 0.02) * patches)[..., None]
    return np.asarray(srgb_to_linear(np.clip(image, 0.01, 1)), np.float32)


def _color(rng: np.random.Generator, value: float) -> Array:
    """(3,) a mostly muted, mostly warm sRGB colour of about that brightness, in [0, 1]."""
    hue = rng.normal(0.5, 0.4) if rng.random() < 0.65 else rng.uniform(0, 6)
    bright = np.clip(value * rng.uniform(0.7, 1.2), 0.03, 1)
    ramp = np.clip(np.abs((hue + np.array([0, 4, 2])) % 6 - 3) - 1, 0, 1)
    return np.asarray(bright * (1 + rng.beta(1.1, 4) * 0.8 * (ramp - 1)))


def _thing(rng: np.random.Generator, image: Array, light: float, tilt: float, floor: float) -> None:
    """Something that stands on the floor, hangs on the wall, shines, or lies about."""
    height, width = image.shape[:2]
    longer = max(width, height)
    kind = rng.choice(4, p=(0.45, 0.3, 0.15, 0.1))
    sides = longer * np.exp(rng.uniform(np.log(0.05), np.log(0.5), 2))
    x, y = rng.uniform(0, width), rng.uniform(0, min(floor, height))
    if kind == 0:
        foot = floor + rng.uniform(0, 0.15) * height
        _box(image, (x, foot - sides[1] / 2), tuple(sides), tilt, _color(rng, light))
    elif kind == 1:
        _box(image, (x, y), tuple(sides), tilt, _color(rng, light * rng.choice([0.5, 1.0, 1.4])))
        _box(image, (x, y), tuple(0.86 * sides), tilt, _color(rng, light))
    elif kind == 2:
        _box(image, (x, y), tuple(sides), tilt, _color(rng, 1.15))
    else:
        axes = (int(sides[0] / 3) + 1, int(sides[0] / rng.uniform(3, 6)) + 1)
        cv2.ellipse(image, (int(x), int(y)), axes, rng.uniform(0, 180), 0, 360, _color(rng, light).tolist(), -1)


def _box(image: Array, center: tuple[float, float], sides: tuple[float, ...], tilt: float, color: Array) -> None:
    corners = cv2.boxPoints((center, (float(sides[0]), float(sides[1])), float(tilt)))
    cv2.fillPoly(image, [corners.astype(np.int32)], color.tolist())
