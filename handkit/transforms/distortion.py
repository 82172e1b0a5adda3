"""SSD's changes of light and colour, with mmdet's arithmetic."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from handkit.registry import TRANSFORMS
from handkit.transforms.base import Sample
from handkit.transforms.draws import check_at_least_0, check_range, stream


@TRANSFORMS.register_module()
class PhotoMetricDistortion:
    """Brightness, contrast, saturation, hue and the order of channels, each of them in half of the samples.

    The result is float32 and is not clipped: bright pixels may exceed 255. For crops of hands `RandomPhotometric` is
    quicker and keeps uint8; this one is for recipes that were published with it.

    Args:
        brightness_delta: largest value added to all channels, either way, on the scale of 0 to 255.
        contrast_range: limits of a factor on all channels, which comes before or after the colours, equally often.
        saturation_range: limits of a factor on HSV's saturation.
        hue_delta: largest turn of the hue in degrees, either way.

    Raises:
        ConfigError: limits out of order, or a negative one.
    """

    stage: ClassVar[Literal["image"]] = "image"

    def __init__(
        self,
        brightness_delta: float = 32.0,
        contrast_range: tuple[float, float] = (0.5, 1.5),
        saturation_range: tuple[float, float] = (0.5, 1.5),
        hue_delta: float = 18.0,
    ) -> None:
        check_at_least_0(self, brightness_delta=brightness_delta, hue_delta=hue_delta)
        check_range(self, "contrast_range", contrast_range, 0)
        check_range(self, "saturation_range", saturation_range, 0)
        self.brightness_delta = float(brightness_delta)
        self.contrast_range = (float(contrast_range[0]), float(contrast_range[1]))
        self.saturation_range = (float(saturation_range[0]), float(saturation_range[1]))
        self.hue_delta = float(hue_delta)

    def __call__(self, sample: Sample) -> Sample:
        """Replaces `img` by (H, W, 3) float32 on the scale of 0 to 255."""
        rng = stream(sample, self, 1.0)
        assert rng is not None
        early, brightens, contrasts, saturates, turns, swaps = (rng.random(6) >= 0.5).tolist()
        shares, order = rng.random(4), rng.random(3).argsort()
        limits = (_around(self.brightness_delta), self.contrast_range, self.saturation_range, _around(self.hue_delta))
        light, contrast, saturation, hue = (
            low + (high - low) * share for (low, high), share in zip(limits, shares.tolist(), strict=True)
        )
        img = sample["img"].astype(np.float32)
        if brightens:
            img += light
        if contrasts and early:
            img *= contrast
        hsv = cv2.cvtColor(img, cv2.COLOR_RGB2HSV)
        if saturates:
            hsv[..., 1] *= saturation
            if saturation > 1:
                hsv[..., 1] = np.clip(hsv[..., 1], 0, 1)
        if turns:
            hsv[..., 0] = _within_360(hsv[..., 0] + np.float32(hue))
        img = cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)
        if contrasts and not early:
            img *= contrast
        return {**sample, "img": np.ascontiguousarray(img[..., order]) if swaps else img}


def _around(delta: float) -> tuple[float, float]:
    return -delta, delta


def _within_360(hue: NDArray[Any]) -> NDArray[Any]:
    """Degrees a little outside [0, 360], turned back."""
    hue[hue > 360] -= 360
    hue[hue < 0] += 360
    return hue
