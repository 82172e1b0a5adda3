"""Distances between predicted and labelled joints, and what is made of them: PCK, AUC, EPE, NME.

`distances` is computed once, (N hands, K joints) in the pixels of the original image, and turned into a table: a value
per joint of each hand, and whether it counts. `reduced` averages tables, for many weightings of the hands at once.

In distances:

* NaN: the joint is not labelled; it counts nowhere.
* inf: it is labelled but the prediction is missing or not finite: wrong at every threshold, and a mean over it is inf
  and says so.

Where nothing is labelled every function gives NaN; mmpose gives 0.0, which for an error reads like perfection.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from handkit.errors import ConfigError

Array = NDArray[Any]
#: 'macro': mean over joints of each joint's share, joints never labelled left out (mmpose); 'micro': all joints pooled.
Average = Literal["macro", "micro"]
#: (N, K) values, and (N, K) bool: which of them count.
Table: TypeAlias = tuple[Array, Array]


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


def pck_table(distance: Array, normaliser: Array | float, threshold: float) -> Table:
    """1 where distance / normaliser < threshold (strict), else 0; arguments as in `pck`."""
    ratio = normalised(distance, normaliser)
    return ratio < threshold, ~np.isnan(ratio)


def auc_table(distance: Array, limit: float, steps: int, closed: bool) -> Table:
    """Under how many thresholds a joint is right, as a share: those of `auc_closed` or of `auc`."""
    thresholds = (np.arange(steps) + closed) * limit / steps
    first = np.searchsorted(thresholds, distance, side="left" if closed else "right")
    return (steps - first) / steps, ~np.isnan(distance)


def error_table(distance: Array, normaliser: Array | float = 1.0) -> Table:
    """distance / normaliser."""
    ratio = normalised(distance, normaliser)
    return ratio, ~np.isnan(ratio)


def reduced(table: Table, average: Average, weights: Array | None = None) -> Array:
    """Averages a table.

    Args:
        table: (N, K) values and which of them count.
        average: over what the mean is taken.
        weights: (B, N) how many times each hand is taken; None takes each once (B = 1).

    Returns:
        (B,) means; NaN where nothing counts, inf where a value that counts is.
    """
    if average not in ("macro", "micro"):
        raise ConfigError(f"average must be 'macro' or 'micro', not {average!r}")
    values, counted = table
    weights = np.ones((1, len(values))) if weights is None else weights.astype(np.float64)
    lost = counted & np.isinf(values)
    total, number = weights @ np.where(counted & ~lost, values, 0.0), weights @ counted.astype(np.float64)
    if lost.any():
        total[weights @ lost > 0] = np.inf
    if average == "micro":
        return _ratio(total.sum(-1), number.sum(-1))
    seen = number > 0
    shares = np.divide(total, number, out=np.zeros(total.shape), where=seen)
    return _ratio(shares.sum(-1), seen.sum(-1))


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
    return float(reduced(pck_table(distance, normaliser, threshold), average)[0])


def auc(distance: Array, limit: float = 30.0, steps: int = 20, average: Average = "macro") -> float:
    """Area under the PCK curve as mmpose defines it: mean over i = 0 .. steps - 1 of PCK(d < i * limit / steps px).

    The first threshold is 0 and the comparison strict, so perfect predictions give (steps - 1) / steps = 0.95.
    Thresholds are absolute pixels of the original image: values of data sets with other image sizes do not compare.
    """
    return float(reduced(auc_table(distance, limit, steps, closed=False), average)[0])


def auc_closed(distance: Array, limit: float = 30.0, steps: int = 20, average: Average = "macro") -> float:
    """Area under the PCK curve closed at both ends: mean over i = 1 .. steps of PCK(d <= i * limit / steps px).

    Perfect predictions give 1.
    """
    return float(reduced(auc_table(distance, limit, steps, closed=True), average)[0])


def epe(distance: Array) -> float:
    """End-point error: mean distance in pixels over all labelled joints, pooled; inf if one prediction is missing."""
    return float(reduced(error_table(distance), "micro")[0])


def nme(distance: Array, normaliser: Array | float) -> float:
    """Normalised mean error: mean of distance / normaliser over all labelled joints, pooled."""
    return float(reduced(error_table(distance, normaliser), "micro")[0])


def _ratio(above: Array, below: Array) -> Array:
    """(B,) quotients; NaN over zero."""
    quotient: Array = np.divide(above, below, out=np.full(above.shape, np.nan), where=below > 0)
    return quotient
