"""The registered metric of whole hands by COCO's keypoint protocol."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from handkit.metrics.samples import HandSamples, Metric
from handkit.registry import METRICS

Array = NDArray[Any]


@METRICS.register_module()
class OKSAP(Metric):
    """COCO's average precision of joints by faster-coco-eval, whose values are pycocotools'.

    It goes over `HandSamples.poses`: with a detector all predicted hands of whole images, sorted by the score of the
    box times the mean score of the joints, as mmpose's ``score_mode='bbox_keypoint'``; of hands that were cut by their
    labelled boxes one prediction each, sorted by the mean score of the joints. The object keypoint similarity of a
    joint at distance d is exp(-d^2 / (8 sigma^2 A)), with COCO-WholeBody's sigmas and A the area of the hand's box;
    COCO-WholeBody itself takes the area of the whole person, which forgives far more.
    """

    def resampled(self, samples: HandSamples, times: Array) -> dict[str, Array]:
        """{'OKS_AP': mean over the similarities 0.5, 0.55 .. 0.95, 'OKS_AP50', 'OKS_AP75', 'OKS_AR': mean recall}."""
        values = np.full((len(times), 4), np.nan)
        if samples.poses is not None:
            for row, counts in enumerate(times.astype(int)):
                precision, recall = samples.poses.accumulate(np.repeat(np.arange(len(counts)), counts).tolist())
                values[row] = precision.mean(), precision[0].mean(), precision[5].mean(), recall.mean()
        return dict(zip(("OKS_AP", "OKS_AP50", "OKS_AP75", "OKS_AR"), values.T, strict=True))
