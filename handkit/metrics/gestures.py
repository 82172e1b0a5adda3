"""How often gestures are named rightly."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from handkit.errors import ConfigError
from handkit.metrics.gesture_samples import GestureSamples
from handkit.metrics.samples import HandSamples, Metric
from handkit.registry import METRICS

Array = NDArray[Any]


@METRICS.register_module()
class GestureAccuracy(Metric):
    """Share of the hands whose likeliest gesture is the right one; below, what each gesture was taken for.

    ``gesture_accuracy`` goes over all hands, ``gesture_accuracy_class`` is the mean of the gestures' own, of those that
    there are.

    Raises:
        ConfigError: in a call, samples without gestures.
    """

    def resampled(self, samples: HandSamples, times: Array) -> dict[str, Array]:
        """{'gesture_accuracy': over all hands, 'gesture_accuracy_class': mean over the gestures}."""
        gestures = _gestures(samples)
        weights = times[:, samples.images]
        one_hot = np.eye(len(gestures.classes))[gestures.labelled]
        right = (gestures.predicted == gestures.labelled).astype(np.float64)
        known, all_hands = (weights * right) @ one_hot, weights @ one_hot
        seen = all_hands > 0
        shares = np.divide(known, all_hands, out=np.zeros_like(known), where=seen)
        with np.errstate(invalid="ignore"):
            return {
                "gesture_accuracy": known.sum(1) / all_hands.sum(1),
                "gesture_accuracy_class": shares.sum(1) / seen.sum(1),
            }

    def details(self, samples: HandSamples) -> list[str]:
        """``five: 78 of 80; taken for four 2``, a line per gesture."""
        gestures = _gestures(samples)
        lines = []
        for row, (name, counts) in enumerate(zip(gestures.classes, gestures.confusion().tolist(), strict=True)):
            others = enumerate(zip(gestures.classes, counts, strict=True))
            wrong = [f"{other} {count}" for column, (other, count) in others if count and column != row]
            taken = f"; taken for {', '.join(wrong)}" if wrong else ""
            lines.append(f"{name}: {counts[row]} of {sum(counts)}{taken}")
        return lines


def _gestures(samples: HandSamples) -> GestureSamples:
    if samples.gestures is None:
        raise ConfigError(
            "GestureAccuracy measures networks with task='gesture_classification'; these samples have no gestures"
        )
    return samples.gestures
