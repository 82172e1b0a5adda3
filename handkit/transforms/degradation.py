"""What cameras and files do to a picture: blur, noise, compression, too few pixels. None of it moves a joint."""

from __future__ import annotations

import functools
from typing import Any, ClassVar, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from handkit.registry import TRANSFORMS
from handkit.transforms.base import Sample
from handkit.transforms.draws import between, check_range, check_shares, stream

Array = NDArray[Any]

_TABLE_SIZE = 1 << 20


@TRANSFORMS.register_module()
class RandomBlur:
    """Out of focus (gaussian) or moved (along a line).

    Args:
        sigma: least and largest deviation of the gaussian, in pixels of `img`.
        length: least and largest length of the line, in pixels of `img`.
        motion_share: how many of the blurred samples are moved rather than out of focus.
        prob: how often a sample is blurred.

    Raises:
        ConfigError: limits out of order, or no probability.
    """

    stage: ClassVar[Literal["image"]] = "image"

    def __init__(
        self,
        sigma: tuple[float, float] = (0.4, 2.0),
        length: tuple[float, float] = (3.0, 13.0),
        motion_share: float = 0.5,
        prob: float = 0.3,
    ) -> None:
        check_range(self, "sigma", sigma, 1e-3)
        check_range(self, "length", length, 1)
        check_shares(self, motion_share=motion_share, prob=prob)
        self.sigma = sigma
        self.length = length
        self.motion_share = motion_share
        self.prob = prob

    def __call__(self, sample: Sample) -> Sample:
        """Replaces `img` and notes that it is `blurred`."""
        rng = stream(sample, self, self.prob)
        if rng is None:
            return sample
        if rng.random() < self.motion_share:
            kernel = line_kernel(between(rng, self.length), between(rng, (0, np.pi)))
            blurred = cv2.filter2D(sample["img"], -1, kernel, borderType=cv2.BORDER_REPLICATE)
        else:
            blurred = cv2.GaussianBlur(sample["img"], (0, 0), between(rng, self.sigma), borderType=cv2.BORDER_REPLICATE)
        return {**sample, "img": blurred, "blurred": True}


def line_kernel(length: float, angle: float) -> Array:
    """(k, k) float32, k odd: a smooth line through the middle, `angle` radians from the x axis; its sum is 1."""
    radius = int(np.ceil(length / 2))
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    along, across = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    beyond = np.maximum(np.abs(along) - (length - 1) / 2, 0)
    kernel = np.clip(1 - np.hypot(beyond, across), 0, None)
    return np.asarray(kernel / kernel.sum(), np.float32)


@TRANSFORMS.register_module()
class RandomNoise:
    """Gaussian sensor noise.

    Args:
        sigma: least and largest deviation in grey levels of 255.
        grey_share: how many of the noisy samples have the same noise in all three channels.
        prob: how often a sample gets noise.

    Raises:
        ConfigError: limits out of order, or no probability.
    """

    stage: ClassVar[Literal["image"]] = "image"

    def __init__(self, sigma: tuple[float, float] = (2.0, 14.0), grey_share: float = 0.5, prob: float = 0.3) -> None:
        check_range(self, "sigma", sigma, 0)
        check_shares(self, grey_share=grey_share, prob=prob)
        self.sigma = sigma
        self.grey_share = grey_share
        self.prob = prob

    def __call__(self, sample: Sample) -> Sample:
        """Replaces `img`."""
        rng = stream(sample, self, self.prob)
        if rng is None:
            return sample
        img, grey, sigma = sample["img"], rng.random() < self.grey_share, between(rng, self.sigma)
        noise = normal_noise(rng, img.shape[:2] if grey else img.shape) * np.float32(sigma)
        noise = cv2.cvtColor(noise, cv2.COLOR_GRAY2RGB) if grey else noise
        return {**sample, "img": cv2.add(img, noise, dtype=cv2.CV_8U)}


@functools.lru_cache(maxsize=1)
def _normal_table() -> Array:
    table = np.random.default_rng(0).standard_normal(_TABLE_SIZE, np.float32)
    table.flags.writeable = False
    return table


def normal_noise(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Standard normal float32 values: a random stretch of a fixed table, ten times as fast as drawing them."""
    size, start = int(np.prod(shape)), int(rng.integers(_TABLE_SIZE))
    table = _normal_table()
    if start + size <= _TABLE_SIZE:
        return table[start : start + size].reshape(shape)
    return np.resize(np.roll(table, -start), shape)


@TRANSFORMS.register_module()
class RandomJPEG:
    """Compresses and decompresses.

    Args:
        quality: least and largest JPEG quality, 1-100.
        prob: how often a sample is compressed.

    Raises:
        ConfigError: limits out of order, or no probability.
    """

    stage: ClassVar[Literal["image"]] = "image"

    def __init__(self, quality: tuple[int, int] = (25, 90), prob: float = 0.3) -> None:
        check_range(self, "quality", quality, 1, 100)
        check_shares(self, prob=prob)
        self.quality = (int(quality[0]), int(quality[1]))
        self.prob = prob

    def __call__(self, sample: Sample) -> Sample:
        """Replaces `img`."""
        rng = stream(sample, self, self.prob)
        if rng is None:
            return sample
        quality = int(rng.integers(self.quality[0], self.quality[1] + 1))
        bgr = cv2.cvtColor(sample["img"], cv2.COLOR_RGB2BGR)
        _, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
        bgr = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR))
        return {**sample, "img": cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)}


@TRANSFORMS.register_module()
class RandomDownscale:
    """Scales `img` down and up again, as a hand far away or a small picture enlarged.

    Args:
        factor: least and largest factor between the two sizes.
        prob: how often a sample is scaled.

    Raises:
        ConfigError: limits out of order, or no probability.
    """

    stage: ClassVar[Literal["image"]] = "image"

    def __init__(self, factor: tuple[float, float] = (1.5, 4.0), prob: float = 0.25) -> None:
        check_range(self, "factor", factor, 1)
        check_shares(self, prob=prob)
        self.factor = factor
        self.prob = prob

    def __call__(self, sample: Sample) -> Sample:
        """Replaces `img`."""
        rng = stream(sample, self, self.prob)
        if rng is None:
            return sample
        height, width = sample["img"].shape[:2]
        scale = between(rng, self.factor)
        small = (max(1, round(width / scale)), max(1, round(height / scale)))
        upwards = (cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_NEAREST_EXACT)[rng.integers(3)]
        down = cv2.resize(sample["img"], small, interpolation=cv2.INTER_AREA)
        return {**sample, "img": cv2.resize(down, (width, height), interpolation=upwards)}
