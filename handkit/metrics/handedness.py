"""Is the person's left hand called left?"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from handkit.metrics.keypoints import reduced
from handkit.metrics.samples import HandSamples, Metric
from handkit.registry import METRICS

Array = NDArray[Any]


@METRICS.register_module()
class HandednessAccuracy(Metric):
    """The share of matched hands of known side whose side is told rightly.

    A hand of which the model does not tell the side is wrong; a model that tells no side at all is not measured (NaN),
    and neither is a set without known sides.
    """

    def resampled(self, samples: HandSamples, times: Array) -> dict[str, Array]:
        """{'handedness_accuracy': shares}."""
        counted = samples.found & np.array([side is not None for side in samples.sides], bool)
        told = np.array([side is not None for side in samples.predicted_sides], bool)
        if not told[counted].any():
            counted[:] = False
        right = np.array([a == b for a, b in zip(samples.sides, samples.predicted_sides, strict=True)], bool)
        table = right[:, None], counted[:, None]
        return {"handedness_accuracy": reduced(table, "micro", times[:, samples.images])}
