"""The registered metric of boxes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from handkit.metrics.samples import HandSamples, Metric
from handkit.registry import METRICS

Array = NDArray[Any]


@METRICS.register_module()
class BoxAP(Metric):
    """COCO's average precision and recall of boxes by faster-coco-eval, whose values are pycocotools'.

    It goes over `HandSamples.detections`, the boxes of whole images; hands that were cut by their labels have none, so
    that nothing is measured there (NaN).
    """

    def resampled(self, samples: HandSamples, times: Array) -> dict[str, Array]:
        """{'box_AP': mean over the overlaps 0.5, 0.55 .. 0.95, 'box_AP50': at 0.5, 'box_recall50': largest at 0.5}."""
        values = np.full((len(times), 3), np.nan)
        if samples.detections is not None:
            for row, counts in enumerate(times.astype(int)):
                precision, recall = samples.detections.accumulate(np.repeat(np.arange(len(counts)), counts).tolist())
                values[row] = precision.mean(), precision[0].mean(), recall[0]
        return dict(zip(("box_AP", "box_AP50", "box_recall50"), values.T, strict=True))
