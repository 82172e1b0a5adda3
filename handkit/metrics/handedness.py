"""Is the person's left hand called left?"""

from __future__ import annotations

from collections.abc import Sequence

from handkit.hands import Side
from handkit.metrics.samples import HandSamples
from handkit.registry import METRICS


def handedness_accuracy(predicted: Sequence[Side | None], labelled: Sequence[Side | None]) -> float:
    """The share of hands of known side whose side is told rightly.

    A hand of which the model does not tell the side is wrong; a model that tells no side at all is not measured (NaN),
    and neither is a set without known sides.
    """
    pairs = [pair for pair in zip(predicted, labelled, strict=True) if pair[1] is not None]
    if all(mine is None for mine, _ in pairs):
        return float("nan")
    return sum(mine == label for mine, label in pairs) / len(pairs)


@METRICS.register_module()
class HandednessAccuracy:
    """`handedness_accuracy` of the matched hands."""

    def compute(self, samples: HandSamples) -> dict[str, float]:
        """{'handedness_accuracy': share of the matched hands of known side}."""
        found = samples.found.nonzero()[0]
        predicted = [samples.predicted_sides[row] for row in found]
        return {"handedness_accuracy": handedness_accuracy(predicted, [samples.sides[row] for row in found])}
