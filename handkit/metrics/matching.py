"""Which predicted hand answers which labelled one, in one image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from handkit.datasets.labels import HandLabels
from handkit.detections import Detections
from handkit.geometry import box_iou
from handkit.hands import Hands
from handkit.metrics.keypoints import box_sides, distances

Array = NDArray[Any]

#: A match needs a mean joint distance below this share of the longer side of the label's tight joint box ...
MAX_DISTANCE = 0.5
#: ... or at least this intersection over union of the hand boxes.
MIN_IOU = 0.3


@dataclass(frozen=True, eq=False)
class Match:
    """Pairs and what is left over; all are arrays of indices.

    Args:
        labels: (P,) matched labelled hands.
        predictions: (P,) the predicted hand of each.
        missed: labelled hands without a prediction.
        unmatched: predicted hands without a label.
    """

    labels: Array
    predictions: Array
    missed: Array
    unmatched: Array


def match_hands(labels: HandLabels, hands: Hands | Detections) -> Match:
    """Matches one to one by the Hungarian method.

    A pair is allowed if its mean distance over the labelled joints is below `MAX_DISTANCE` x the longer side of the
    label's tight joint box, or the IoU of the boxes is at least `MIN_IOU`. Among the allowed pairs as many as
    possible are matched, and among such matchings the one with the least sum of distances is taken; a label without
    joints, or a detection, which has none, is compared by the centres of the boxes.
    """
    if isinstance(hands, Detections):
        distance = np.full((len(labels), len(hands)), np.nan)
    else:
        distance = mean_distances(labels.keypoints, labels.visible, hands.keypoints)
    near = distance < MAX_DISTANCE * box_sides(labels.joint_boxes)[:, None]
    allowed = near | (box_iou(labels.boxes, hands.boxes) >= MIN_IOU)
    cost = np.where(np.isnan(distance), _center_distances(labels.boxes, hands.boxes), distance)
    forbidden = 1 + cost.sum(where=allowed)
    rows, columns = linear_sum_assignment(np.where(allowed, cost, forbidden))
    kept = allowed[rows, columns]
    rows, columns = rows[kept], columns[kept]
    return Match(
        labels=rows,
        predictions=columns,
        missed=np.setdiff1d(np.arange(len(labels)), rows),
        unmatched=np.setdiff1d(np.arange(len(hands)), columns),
    )


def mean_distances(labelled: Array, visible: Array, predicted: Array) -> Array:
    """(L, K, 2) labels with (L, K) visibility against (P, K, 2) predictions -> (L, P) mean pixels; NaN without any."""
    distance = distances(predicted[None], labelled[:, None], visible[:, None])
    total: Array = np.nansum(distance, -1)
    count = np.count_nonzero(visible, axis=-1)[:, None]
    mean: Array = np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)
    return mean


def _center_distances(a: Array, b: Array) -> Array:
    gap = (a[:, None, :2] + a[:, None, 2:] - b[None, :, :2] - b[None, :, 2:]) / 2
    distance: Array = np.hypot(gap[..., 0], gap[..., 1])
    return distance
