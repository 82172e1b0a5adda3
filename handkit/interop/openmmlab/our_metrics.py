"""handkit's metrics of joints as mmpose calls them: ``val_evaluator = [dict(type='handkit.PCK'), ...]``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from mmengine.evaluator import BaseMetric

from handkit import metrics
from handkit.metrics.keypoints import Average
from handkit.metrics.samples import HandSamples, Metric


class _JointMetric(BaseMetric):
    """Collects labelled and predicted joints, in pixels of the original image, and leaves the numbers to handkit.

    Distances are over the longer side of the labelled box. The numbers' names begin with ``handkit/``.

    Args:
        metric: handkit's.
        collect_device: where mmengine gathers from several processes.
        prefix: in place of ``handkit``.
    """

    default_prefix = "handkit"

    def __init__(self, metric: Metric, collect_device: str, prefix: str | None) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix)
        self._metric = metric

    def process(self, data_batch: Any, data_samples: Sequence[dict[str, Any]]) -> None:
        """Keeps what a batch of mmpose's estimators leaves: one hand per sample."""
        for sample in data_samples:
            labelled, predicted = sample["gt_instances"], sample["pred_instances"]
            row = {"labels": labelled["keypoints"], "boxes": labelled["bboxes"], "predicted": predicted["keypoints"]}
            row |= {"visible": labelled["keypoints_visible"], "joint_scores": predicted["keypoint_scores"]}
            self.results.append({name: np.asarray(value)[0] for name, value in row.items()})

    def compute_metrics(self, results: list[dict[str, Any]]) -> dict[str, float]:
        """The metric's names with values."""
        columns: dict[str, Any] = {name: np.stack([row[name] for row in results]) for name in results[0]}
        columns["visible"] = columns["visible"].reshape(len(results), -1) > 0
        count = len(results)
        samples = HandSamples(
            sides=(None,) * count,
            predicted_sides=(None,) * count,
            found=np.ones(count, bool),
            images=np.arange(count),
            unmatched=np.zeros(count, int),
            **columns,
        )
        return self._metric.compute(samples)


class PCK(_JointMetric):
    """`handkit.metrics.PCK`.

    Args:
        threshold: share of the longer side of the box.
        average: 'macro' over joints as in mmpose, or 'micro'.
        collect_device: see mmengine.
        prefix: of the names.
    """

    def __init__(
        self, threshold: float = 0.2, average: Average = "macro", collect_device: str = "cpu", prefix: str | None = None
    ) -> None:
        super().__init__(metrics.PCK(threshold, average=average), collect_device, prefix)


class AUC(_JointMetric):
    """`handkit.metrics.AUC`: mmpose's, and the closed one that reaches 1.

    Args:
        limit: the largest threshold in pixels of the original image.
        steps: number of thresholds.
        collect_device: see mmengine.
        prefix: of the names.
    """

    def __init__(
        self, limit: float = 30.0, steps: int = 20, collect_device: str = "cpu", prefix: str | None = None
    ) -> None:
        super().__init__(metrics.AUC(limit, steps), collect_device, prefix)


class EPE(_JointMetric):
    """`handkit.metrics.EPE`, in pixels.

    Args:
        collect_device: see mmengine.
        prefix: of the names.
    """

    def __init__(self, collect_device: str = "cpu", prefix: str | None = None) -> None:
        super().__init__(metrics.EPE(), collect_device, prefix)


class NME(_JointMetric):
    """`handkit.metrics.NME`, over the longer side of the box; mmpose's has no such for hands.

    Args:
        collect_device: see mmengine.
        prefix: of the names.
    """

    def __init__(self, collect_device: str = "cpu", prefix: str | None = None) -> None:
        super().__init__(metrics.NME(), collect_device, prefix)


OURS = (PCK, AUC, EPE, NME)
