"""What a network of gestures sees of a hand."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np

from handkit.errors import ConfigError, DataError
from handkit.gestures.features import hand_features
from handkit.gestures.fingers import palm_length
from handkit.registry import TRANSFORMS
from handkit.transforms.base import Sample


@TRANSFORMS.register_module()
class GestureFeatures:
    """Adds `features`, see `handkit.gestures.hand_features`, of `keypoints` that are moved a little.

    Args:
        noise: deviation by which every coordinate of every joint is moved, in palm lengths; 0: none is.
        upright: see `hand_features`; False where a thumb up is not a thumb down.

    Raises:
        ConfigError: negative noise.
        DataError: in a call, a sample without 21 finite joints.
    """

    stage: ClassVar[Literal["image"]] = "image"

    def __init__(self, noise: float = 0.0, upright: bool = True) -> None:
        if not noise >= 0:
            raise ConfigError(f"GestureFeatures: noise must not be negative, got {noise}")
        self.noise = noise
        self.upright = upright

    def __call__(self, sample: Sample) -> Sample:
        """Adds `features` (55,) float32; `keypoints` stay."""
        if "keypoints" not in sample:
            raise DataError(f"GestureFeatures: {sample.get('sample_id', 'a sample')} has no keypoints")
        points = np.asarray(sample["keypoints"], np.float64)[None]
        if self.noise:
            drawn = sample["rng"].standard_normal(points.shape)
            points = points + palm_length(points)[:, None, None] * self.noise * drawn
        return {**sample, "features": hand_features(points, self.upright)[0]}
