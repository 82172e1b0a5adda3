"""Distances between predicted and labelled joints, and what is made of them: PCK, AUC, EPE, NME.

`distances` is computed once, (N hands, K joints) in the pixels of the original image, and every function reduces it:

* NaN: the joint is not labelled; it counts nowhere.
* inf: it is labelled but the prediction is missing or not finite: wrong at every threshold, and a mean over it is inf
  and says so.

Where nothing is labelled every function gives NaN; mmpose gives 0.0, which for an error reads like perfection.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
#: 'macro': mean over joints of each joint's share, joints never labelled left out (mmpose); 'micro': all joints pooled.
Average = Literal["macro", "micro"]


def distances(predicted: Array, labelled: Array, visible: Array) -> Array:
    """Euclidean distances.

    Args:
        predicted: (..., K, 2) pixels.
        labelled: (..., K, 2) pixels, broadcast against `predicted`.
        visible: (..., K); 0 means not labelled.

    Returns:
        (..., K) float64 pixels; NaN where not labelled, inf where labelled but the prediction is not finite.
    """
    with np.errstate(invalid="ignore"):
        gap = np.asarray(predicted, np.float64) - labelled
        distance = np.hypot(gap[..., 0], gap[..., 1])
    distance[np.isnan(distance)] = np.inf
    return np.where(np.asarray(visible) > 0, distance, np.nan)


def box_sides(boxes: Array) -> Array:
    """(N, 4) xyxy boxes -> (N,) longer sides in pixels."""
    sides: Array = (boxes[..., 2:] - boxes[..., :2]).max(-1)
    return sides


def normalised(distance: Array, normaliser: Array | float) -> Array:
    """(N, K) distances over one length for all or (N,) lengths in pixels.

    A hand whose length is not positive and finite counts nowhere (NaN). mmpose does the same for zero, but takes a
    negative length for 1e6 px, so that such a hand is always right.
    """
    length = np.asarray(normaliser, np.float64)
    length = np.where(np.isfinite(length) & (length > 0), length, np.nan)
    ratio: Array = distance / length[..., None]
    return ratio


def pck(distance: Array, normaliser: Array | float, threshold: float, average: Average = "macro") -> float:
    """Percentage of correct keypoints: the share of labelled joints with distance / normaliser < threshold (strict).

    With 'macro' and the longer side of the box it equals mmpose's `PCKAccuracy(thr, norm_item='bbox')`.

    Args:
        distance: (N, K) from `distances`.
        normaliser: (N,) pixels, or one number for all.
        threshold: share of the normaliser.
        average: over what the mean is taken.

    Returns:
        A share in [0, 1]; NaN where nothing is labelled.
    """
    ratio = normalised(distance, normaliser)
    labelled = np.count_nonzero(~np.isnan(ratio), axis=0)
    return _average(np.count_nonzero(ratio < threshold, axis=0), labelled, average)


def auc(distance: Array, limit: float = 30.0, steps: int = 20, average: Average = "macro") -> float:
    """Area under the PCK curve as mmpose defines it: mean over i = 0 .. steps - 1 of PCK(d < i * limit / steps px).

    The first threshold is 0 and the comparison strict, so perfect predictions give (steps - 1) / steps = 0.95.
    Thresholds are absolute pixels of the original image: values of data sets with other image sizes do not compare.
    """
    return _area(distance, np.arange(steps) * limit / steps, closed=False, average=average)


def auc_closed(distance: Array, limit: float = 30.0, steps: int = 20, average: Average = "macro") -> float:
    """Area under the PCK curve closed at both ends: mean over i = 1 .. steps of PCK(d <= i * limit / steps px).

    Perfect predictions give 1.
    """
    return _area(distance, np.arange(1, steps + 1) * limit / steps, closed=True, average=average)


def epe(distance: Array) -> float:
    """End-point error: mean distance in pixels over all labelled joints, pooled; inf if one prediction is missing."""
    return _mean(distance)


def nme(distance: Array, normaliser: Array | float) -> float:
    """Normalised mean error: mean of distance / normaliser over all labelled joints, pooled."""
    return _mean(normalised(distance, normaliser))


def _area(distance: Array, thresholds: Array, closed: bool, average: Average) -> float:
    """Mean PCK over ascending thresholds from one histogram: a joint is right from its own bin onwards."""
    joints, bins = distance.shape[1], len(thresholds) + 1
    first = np.searchsorted(thresholds, distance, side="left" if closed else "right")
    flat = (first + np.arange(joints) * bins).ravel()
    right = np.bincount(flat, minlength=joints * bins).reshape(joints, bins)[:, :-1].cumsum(1)
    return _average(right.mean(1), np.count_nonzero(~np.isnan(distance), axis=0), average)


def _average(right: Array, labelled: Array, average: Average) -> float:
    """(K,) counts of right and of labelled joints -> a share."""
    if average not in ("macro", "micro"):
        raise ValueError(f"average must be 'macro' or 'micro', not {average!r}")
    if not labelled.any():
        return float("nan")
    if average == "micro":
        return float(right.sum() / labelled.sum())
    seen = labelled > 0
    return float((right[seen] / labelled[seen]).mean())


def _mean(values: Array) -> float:
    counted = values[~np.isnan(values)]
    return float(counted.mean()) if len(counted) else float("nan")
