"""Light and colour."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from handkit.registry import TRANSFORMS
from handkit.transforms.base import Sample
from handkit.transforms.draws import check_at_least_0, check_shares, factor, stream

Array = NDArray[Any]

# RGB to luma and two axes of colour (YIQ): turning the colour plane turns the hue, stretching it saturates, and greys
# stay as they are.
_TO_YIQ = np.array([[0.299, 0.587, 0.114], [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]])
_FROM_YIQ = np.linalg.inv(_TO_YIQ)


@TRANSFORMS.register_module()
class RandomPhotometric:
    """Brightness, contrast, gamma, white balance, saturation and hue at once: one table and one 3x3 colour matrix.

    Every strength is drawn anew for each sample, up to its limit either way; a limit of 0 leaves that property alone. A
    factor limit f means a factor between 1 / (1 + f) and 1 + f, evenly in its logarithm.

    Args:
        brightness: added to all channels, in shares of the full range.
        contrast: factor about mid-grey.
        gamma: factor of the exponent.
        white_balance: factor of each channel on its own.
        saturation: factor of the distance from grey.
        hue: turn of the colours in degrees.
        prob: how often a sample is changed at all.
        grey: how often one that is changed loses its colours, as in pictures of infrared and old cameras.

    Raises:
        ConfigError: a negative limit, or no probability.
    """

    stage: ClassVar[Literal["image"]] = "image"

    def __init__(
        self,
        brightness: float = 0.12,
        contrast: float = 0.3,
        gamma: float = 0.3,
        white_balance: float = 0.12,
        saturation: float = 0.4,
        hue: float = 8.0,
        prob: float = 0.8,
        grey: float = 0.0,
    ) -> None:
        check_at_least_0(self, brightness=brightness, contrast=contrast, gamma=gamma)
        check_at_least_0(self, white_balance=white_balance, saturation=saturation, hue=hue)
        check_shares(self, prob=prob, grey=grey)
        self.brightness = brightness
        self.contrast = contrast
        self.gamma = gamma
        self.white_balance = white_balance
        self.saturation = saturation
        self.hue = hue
        self.prob = prob
        self.grey = grey

    def __call__(self, sample: Sample) -> Sample:
        """Replaces `img`."""
        rng = stream(sample, self, self.prob)
        if rng is None:
            return sample
        drawn = rng.uniform(-1, 1, 8)
        img = cv2.LUT(sample["img"], self._table(drawn[:6]))
        if self.grey and rng.random() < self.grey:
            img = cv2.transform(img, np.repeat(_TO_YIQ[:1], 3, 0))
        elif self.saturation or self.hue:
            img = cv2.transform(img, self._matrix(drawn[6:]))
        return {**sample, "img": img}

    def _table(self, drawn: Array) -> Array:
        """(256, 1, 3) uint8: old value -> new value, for each channel."""
        values = np.linspace(0, 1, 256)[:, None, None] ** factor(drawn[0], self.gamma)
        values = values * (1 + self.white_balance) ** drawn[1:4]
        values = (values - 0.5) * factor(drawn[4], self.contrast) + 0.5 + self.brightness * drawn[5]
        table: Array = np.rint(np.clip(values, 0, 1) * 255).astype(np.uint8)
        return table

    def _matrix(self, drawn: Array) -> Array:
        """(3, 3) RGB -> RGB, luma kept."""
        stretch, angle = factor(drawn[0], self.saturation), np.radians(self.hue * drawn[1])
        cos, sin = stretch * np.cos(angle), stretch * np.sin(angle)
        matrix: Array = _FROM_YIQ @ np.array([[1, 0, 0], [0, cos, -sin], [0, sin, cos]]) @ _TO_YIQ
        return matrix
