"""Is the hand found at all, and are hands found where there is none?"""

from __future__ import annotations

import math

from handkit.metrics.samples import HandSamples
from handkit.registry import METRICS


def wilson_interval(hits: int, total: int, z: float = 1.96) -> tuple[float, float]:
    """Wilson's score interval of a share (J. Am. Stat. Assoc. 22, 1927); z = 1.96 covers 95 %.

    >>> low, high = wilson_interval(14, 22)
    >>> round(low, 2), round(high, 2)
    (0.43, 0.8)
    """
    if total == 0:
        return float("nan"), float("nan")
    share, weight = hits / total, z * z / total
    center = (share + weight / 2) / (1 + weight)
    half = z * math.sqrt(share * (1 - share) / total + weight / total / 4) / (1 + weight)
    return max(0.0, center - half), min(1.0, center + half)


@METRICS.register_module()
class DetectionRecall:
    """The share of labelled hands that are found, with Wilson's interval, which takes hands for independent.

    Args:
        z: standard deviations of the interval; 1.96 covers 95 %.
    """

    def __init__(self, z: float = 1.96) -> None:
        self.z = z

    def compute(self, samples: HandSamples) -> dict[str, float]:
        """{'recall', 'recall_low', 'recall_high'}."""
        hits, total = int(samples.found.sum()), len(samples)
        low, high = wilson_interval(hits, total, self.z)
        return {"recall": hits / total if total else float("nan"), "recall_low": low, "recall_high": high}


@METRICS.register_module()
class FalseHandsPerImage:
    """Predicted hands that answer no label, per image; on images without hands, every prediction."""

    def compute(self, samples: HandSamples) -> dict[str, float]:
        """{'false_hands_per_image': mean count}."""
        images = len(samples.unmatched)
        return {"false_hands_per_image": float(samples.unmatched.sum() / images) if images else float("nan")}
