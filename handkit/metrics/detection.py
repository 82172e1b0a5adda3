"""Is the hand found at all, and are hands found where there is none? By the rule of `handkit.metrics.matching`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from handkit.metrics.keypoints import reduced
from handkit.metrics.samples import HandSamples, Metric
from handkit.registry import METRICS

Array = NDArray[Any]


@METRICS.register_module()
class DetectionRecall(Metric):
    """The share of labelled hands that are found."""

    def resampled(self, samples: HandSamples, times: Array) -> dict[str, Array]:
        """{'recall': shares}."""
        found = samples.found[:, None]
        return {"recall": reduced((found, np.ones_like(found)), "micro", times[:, samples.images])}


@METRICS.register_module()
class FalseHandsPerImage(Metric):
    """Predicted hands that answer no label, per image; on images without hands, every prediction."""

    def resampled(self, samples: HandSamples, times: Array) -> dict[str, Array]:
        """{'false_hands_per_image': mean counts}."""
        false = samples.unmatched[:, None]
        return {"false_hands_per_image": reduced((false, np.ones(false.shape, bool)), "micro", times)}
