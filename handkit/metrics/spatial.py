"""Distances of joints in space, as they are or after a similarity transform, and the registered metrics of them.

Labels and predictions are in metres, numbers in millimetres. A joint without a label counts nowhere; a labelled joint
of a hand that was missed, or for which the model gives no number, is infinitely far.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from handkit.errors import ConfigError
from handkit.metrics.keypoints import Table, error_table, reduced
from handkit.metrics.samples import HandSamples, Metric, Over, check_over
from handkit.registry import METRICS

Array = NDArray[Any]
#: 'xyz_root': relative to the wrist; 'xyz_cam': in the camera's frame; 'xyz_bone': relative to the wrist, a prediction
#: in lengths of the forefinger's proximal bone times the true one, as Zimmermann and Brox measure.
Frame = Literal["xyz_root", "xyz_cam", "xyz_bone"]
#: 'none', or 'procrustes': the best scale, rotation and translation of every hand first.
Alignment = Literal["none", "procrustes"]
#: A similarity transform fits any two joints exactly, so that a hand with fewer says nothing.
LEAST_ALIGNED = 3


def spatial_distances(predicted: Array, labelled: Array) -> Array:
    """Euclidean distances of (N, K, 3) metres -> (N, K) millimetres; NaN without a label, inf without a prediction."""
    gap = 1000 * np.linalg.norm(np.asarray(predicted, np.float64) - labelled, axis=-1)
    gap = np.where(np.isnan(gap), np.inf, gap)
    return np.where(np.isfinite(labelled).all(-1), gap, np.nan)


def procrustes(predicted: Array, labelled: Array, counted: Array) -> Array:
    """Moves every hand onto its label by the best scale, rotation and translation, without a reflection.

    The least squares solution of Umeyama (PAMI 1991).

    Args:
        predicted: (N, K, 3).
        labelled: (N, K, 3).
        counted: (N, K) bool: the joints that are fitted, finite in both; all joints are moved.

    Returns:
        (N, K, 3). A prediction whose counted joints are one point is moved onto the middle of its label's.
    """
    weights = counted[..., None].astype(np.float64)
    number = np.maximum(weights.sum(1, keepdims=True), 1)
    source, target = (np.where(counted[..., None], points, 0.0) for points in (predicted, labelled))
    middles = [points.sum(1, keepdims=True) / number for points in (source, target)]
    source, target = ((points - middle) * weights for points, middle in zip((source, target), middles, strict=True))
    left, stretch, right = np.linalg.svd(np.einsum("nki,nkj->nij", source, target))
    proper = np.ones((len(source), 3))
    proper[:, 2] = np.sign(np.linalg.det(left) * np.linalg.det(right))
    turn = np.einsum("nij,nj,njk->nik", left, proper, right)
    spread = (source**2).sum((1, 2))
    scale = np.divide((stretch * proper).sum(1), spread, out=np.zeros(len(spread)), where=spread > 0)
    moved: Array = scale[:, None, None] * ((predicted - middles[0]) @ turn) + middles[1]
    return moved


def aligned_distances(predicted: Array, labelled: Array) -> Array:
    """`spatial_distances` after `procrustes`.

    NaN for all joints of a hand of which fewer than `LEAST_ALIGNED` are labelled, inf for one with a labelled joint
    that has no prediction.
    """
    known = np.asarray(np.isfinite(labelled).all(-1))
    whole = np.asarray((np.isfinite(predicted).all(-1) | ~known).all(-1))
    counted = known & whole[:, None]
    moved = procrustes(np.where(np.isfinite(predicted), predicted, 0.0), np.nan_to_num(labelled), counted)
    distance = np.where(whole[:, None], spatial_distances(moved, labelled), np.where(known, np.inf, np.nan))
    return np.where(known.sum(-1)[:, None] >= LEAST_ALIGNED, distance, np.nan)


def curve_area_table(distance: Array, low: float, high: float, steps: int) -> Table:
    """The area under each joint's curve of the share within a threshold, from `low` to `high`, over its width.

    As Zimmermann and Brox (ICCV 2017) measure it: of `steps` thresholds spread evenly over 0 .. `high` those from `low`
    on count, a joint is right at d <= threshold, and the area is that of trapezoids.
    """
    thresholds = np.linspace(0, high, steps)
    thresholds = thresholds[thresholds >= low]
    widths = np.diff(thresholds)
    weights = np.concatenate([widths, [0.0]]) / 2 + np.concatenate([[0.0], widths]) / 2
    with np.errstate(invalid="ignore"):
        area = (distance[..., None] <= thresholds) @ (weights / widths.sum())
    return area, ~np.isnan(distance)


class _SpatialMetric(Metric):
    """What metrics of joints in space share: their frame, their alignment and the hands they go over."""

    spatial: ClassVar[bool] = True

    def __init__(self, frame: Frame, alignment: Alignment, over: Over) -> None:
        if frame not in get_args(Frame):
            raise ConfigError(f"frame must be 'xyz_root', 'xyz_cam' or 'xyz_bone', not {frame!r}")
        if alignment not in ("none", "procrustes"):
            raise ConfigError(f"alignment must be 'none' or 'procrustes', not {alignment!r}")
        self.frame: Frame = frame
        self.alignment: Alignment = alignment
        self.over: Over = check_over(over)

    def _distances(self, samples: HandSamples) -> Array:
        """(M, K) millimetres of the hands that are gone over; NaN where labels or the model have no such joints."""
        rows = samples.rows(self.over)
        predicted, labelled = (columns[rows] for columns in samples.spatial(self.frame))
        return (aligned_distances if self.alignment == "procrustes" else spatial_distances)(predicted, labelled)

    def _reduced(self, table: Table, average: Literal["macro", "micro"], samples: HandSamples, times: Array) -> Array:
        return reduced(table, average, times[:, samples.images[samples.rows(self.over)]])

    def _name(self, name: str) -> str:
        name = f"PA_{name}" if self.alignment == "procrustes" else name
        name += {"xyz_root": "", "xyz_cam": "_cam", "xyz_bone": "_true_bone"}[self.frame]
        return f"{name}_matched" if self.over == "matched" else name


@METRICS.register_module()
class MPJPE(_SpatialMetric):
    """Mean distance of joints in space, in millimetres.

    Args:
        frame: 'xyz_root' compares hands relative to their wrists, which thus count with a distance of 0, as in mmpose
            and FreiHAND; 'xyz_cam' in the camera's frame; 'xyz_bone' see `Frame`.
        over: all labelled hands (inf if one is missed), or the matched ones.

    Raises:
        ConfigError: an argument out of its range.
    """

    def __init__(self, frame: Frame = "xyz_root", over: Over = "labelled") -> None:
        super().__init__(frame, "none", over)

    def resampled(self, samples: HandSamples, times: Array) -> dict[str, Array]:
        """{'MPJPE_mm': millimetres}."""
        return {self._name("MPJPE_mm"): self._reduced(error_table(self._distances(samples)), "micro", samples, times)}


@METRICS.register_module()
class PAMPJPE(_SpatialMetric):
    """Mean distance of joints in space after the best scale, rotation and translation of each hand, in millimetres.

    Args:
        frame: of which column; both give the same for one prediction.
        over: all labelled hands (inf if one is missed), or the matched ones.

    Raises:
        ConfigError: an argument out of its range.
    """

    def __init__(self, frame: Frame = "xyz_root", over: Over = "labelled") -> None:
        super().__init__(frame, "procrustes", over)

    def resampled(self, samples: HandSamples, times: Array) -> dict[str, Array]:
        """{'PA_MPJPE_mm': millimetres}."""
        return {self._name("MPJPE_mm"): self._reduced(error_table(self._distances(samples)), "micro", samples, times)}


@METRICS.register_module()
class AUC3D(_SpatialMetric):
    """Area under the 3D PCK curve, and the mean error beside it, as Zimmermann and Brox (ICCV 2017) report them.

    Args:
        low: where the curve begins, in millimetres.
        high: where it ends.
        steps: thresholds over 0 .. `high`, of which those from `low` on count.
        frame: see `Frame`.
        alignment: 'none', or 'procrustes' for the best scale, rotation and translation of each hand first.
        over: all labelled hands, a missed one being wrong, or the matched ones.

    Raises:
        ConfigError: an argument out of its range.
    """

    def __init__(
        self,
        low: float = 20.0,
        high: float = 50.0,
        steps: int = 20,
        frame: Frame = "xyz_root",
        alignment: Alignment = "none",
        over: Over = "labelled",
    ) -> None:
        super().__init__(frame, alignment, over)
        if not 0 <= low < high or (np.linspace(0, high, max(steps, 2)) >= low).sum() < 2 or steps < 2:
            raise ConfigError(
                f"AUC3D needs 0 <= low < high and two of steps thresholds between, got {low}, {high}, {steps}"
            )
        self.low = low
        self.high = high
        self.steps = steps

    def resampled(self, samples: HandSamples, times: Array) -> dict[str, Array]:
        """{'AUC3D_20_50mm': share in [0, 1], 'EPE3D_mm': mean over joints of their mean distances}."""
        distance = self._distances(samples)
        area = curve_area_table(distance, self.low, self.high, self.steps)
        return {
            self._name(f"AUC3D_{self.low:g}_{self.high:g}mm"): self._reduced(area, "macro", samples, times),
            self._name("EPE3D_mm"): self._reduced(error_table(distance), "macro", samples, times),
        }
