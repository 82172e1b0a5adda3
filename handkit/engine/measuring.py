"""From a batch of joints in crops to the config's metrics, in pixels of the images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from mmengine.evaluator import Evaluator
from numpy.typing import NDArray

from handkit.errors import DataError
from handkit.geometry import inverse_crops
from handkit.hands import Side
from handkit.metrics.samples import HandSamples, Metric
from handkit.metrics.scores import Scores, score


class CropEvaluator(Evaluator):
    """mmengine's evaluator for handkit's metrics: hands cut by their labelled boxes, so that none is missed.

    Args:
        metrics: what is measured.
    """

    def __init__(self, metrics: Sequence[Metric]) -> None:
        super().__init__([])
        self._measures = tuple(metrics)
        self._parts: list[HandSamples] = []
        self._images: list[str] = []

    def process(self, data_samples: Sequence[Mapping[str, Any]], data_batch: Any = None) -> None:
        """Takes the answer of `TrainingModule.val_step` to a batch of `measuring_loader`."""
        self._parts.append(crop_samples(data_samples[0], data_batch["crop"], data_batch["labels"]))
        self._images += data_batch["image"]

    def evaluate(self, size: int) -> dict[str, float]:
        """All numbers of all metrics by name; the next measurement begins anew."""
        return dict(self.scores().values)

    def scores(self, bootstrap: int = 0) -> Scores:
        """The same with so many resampled sets' intervals, which take the hands of one photograph together."""
        samples, self._parts = HandSamples.concatenate(self._parts), []
        _, numbers = np.unique(self._images, return_inverse=True)
        self._images = []
        return score(self._measures, samples.grouped(numbers), bootstrap)


def crop_samples(
    outputs: Mapping[str, NDArray[Any]], crops: Sequence[Any], labels: Sequence[Mapping[str, Any]]
) -> HandSamples:
    """The rows of the hands among N crops; negatives give none.

    Args:
        outputs: ``keypoints`` (N, K, 2) in crop pixels and, where the model knows, ``handedness`` (N,).
        crops: the `handkit.geometry.Crop` of each.
        labels: per crop ``keypoints`` and ``box`` in image pixels, ``visible``, and ``right`` and ``hand`` if known.

    Raises:
        DataError: samples without labels.
    """
    if any(not {"keypoints", "visible", "box"} <= row.keys() for row in labels):
        raise DataError("val_dataset gives samples without keypoints, visible and box: there is nothing to measure by")
    rows = [index for index, row in enumerate(labels) if row.get("hand", 1.0) > 0]
    kept = [labels[index] for index in rows]
    shape = outputs["keypoints"].shape[1:]
    handedness = outputs.get("handedness")
    return HandSamples(
        labels=np.array([row["keypoints"] for row in kept], np.float64).reshape(-1, *shape),
        visible=np.array([row["visible"] for row in kept], np.uint8).reshape(-1, shape[0]),
        boxes=np.array([row["box"] for row in kept], np.float64).reshape(-1, 4),
        sides=tuple(side_of(row.get("right", np.nan)) for row in kept),
        predicted=inverse_crops([crops[index] for index in rows], outputs["keypoints"][rows].astype(np.float64)),
        predicted_sides=tuple(None if handedness is None else side_of(handedness[index]) for index in rows),
        found=np.ones(len(rows), bool),
        images=np.array(rows, int),
        unmatched=np.zeros(len(labels), int),
    )


def side_of(right: float) -> Side | None:
    """A label or a probability of the right hand -> the side; nan is unknown."""
    return None if np.isnan(right) else "right" if right >= 0.5 else "left"
