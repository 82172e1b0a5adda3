"""The registered metrics of joints. Functions and edge cases: `handkit.metrics.keypoints`.

Those that go over matched hands only append ``_matched`` to their names, so that both may stand in one table.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from handkit.errors import ConfigError
from handkit.metrics.keypoints import Average, Table, auc_table, error_table, pck_table, reduced
from handkit.metrics.samples import HandSamples, Metric, Over, check_over
from handkit.registry import METRICS

Array = NDArray[Any]


class _JointMetric(Metric):
    """What metrics of joints share: the hands they go over."""

    def __init__(self, over: Over) -> None:
        self.over: Over = check_over(over)

    def _joints(self, samples: HandSamples) -> tuple[Array, Array]:
        """(M, K) distances and (M,) sides of the boxes of the hands that are gone over."""
        rows = samples.rows(self.over)
        return samples.distances[rows], samples.box_sides[rows]

    def _reduced(self, table: Table, average: Average, samples: HandSamples, times: Array) -> Array:
        return reduced(table, average, times[:, samples.images[samples.rows(self.over)]])

    def _name(self, name: str) -> str:
        return f"{name}_matched" if self.over == "matched" else name


@METRICS.register_module()
class PCK(_JointMetric):
    """Share of joints nearer to their label than a share of the hand's size.

    Args:
        threshold: share of the longer side of `HandSamples.boxes`.
        over: all labelled hands, a missed one being wrong, or the matched ones.
        average: 'macro' over joints as in mmpose, or 'micro' (named ``PCK_micro@...``).

    Raises:
        ConfigError: an argument out of its range.
    """

    def __init__(self, threshold: float = 0.2, over: Over = "labelled", average: Average = "macro") -> None:
        super().__init__(over)
        if not threshold > 0 or average not in ("macro", "micro"):
            raise ConfigError(
                f"PCK needs threshold > 0 and average 'macro' or 'micro', got {threshold} and {average!r}"
            )
        self.threshold = threshold
        self.average: Average = average

    def resampled(self, samples: HandSamples, times: Array) -> dict[str, Array]:
        """{'PCK@0.2': shares}."""
        table = pck_table(*self._joints(samples), self.threshold)
        kind = "PCK" if self.average == "macro" else "PCK_micro"
        return {self._name(f"{kind}@{self.threshold:g}"): self._reduced(table, self.average, samples, times)}


@METRICS.register_module()
class AUC(_JointMetric):
    """Area under the PCK curve over absolute pixel thresholds: mmpose's, and the closed one that reaches 1.

    Args:
        limit: the largest threshold in pixels of the original image.
        steps: number of thresholds.
        over: all labelled hands, a missed one being wrong, or the matched ones.

    Raises:
        ConfigError: an argument out of its range.
    """

    def __init__(self, limit: float = 30.0, steps: int = 20, over: Over = "labelled") -> None:
        super().__init__(over)
        if not limit > 0 or steps < 1:
            raise ConfigError(f"AUC needs limit > 0 and steps >= 1, got {limit} and {steps}")
        self.limit = limit
        self.steps = steps

    def resampled(self, samples: HandSamples, times: Array) -> dict[str, Array]:
        """{'AUC': mmpose's, at most (steps - 1) / steps, 'AUC_closed': at most 1}."""
        distance, _ = self._joints(samples)
        return {
            self._name(name): self._reduced(
                auc_table(distance, self.limit, self.steps, closed), "macro", samples, times
            )
            for name, closed in (("AUC", False), ("AUC_closed", True))
        }


@METRICS.register_module()
class EPE(_JointMetric):
    """Mean distance in pixels of the original image.

    Args:
        over: all labelled hands (inf if one is missed), or the matched ones.
    """

    def __init__(self, over: Over = "labelled") -> None:
        super().__init__(over)

    def resampled(self, samples: HandSamples, times: Array) -> dict[str, Array]:
        """{'EPE': pixels}."""
        distance, _ = self._joints(samples)
        return {self._name("EPE"): self._reduced(error_table(distance), "micro", samples, times)}


@METRICS.register_module()
class NME(_JointMetric):
    """Mean distance over the longer side of `HandSamples.boxes`, or over the distance of two labelled joints.

    Args:
        over: all labelled hands (inf if one is missed), or the matched ones.
        joints: the two joints, e.g. (60, 72), the outer corners of the eyes among WFLW's 98 points; a hand or face
            counts nowhere if one of them is not labelled, or both lie on one place. None: the box.

    Raises:
        ConfigError: one joint twice, or a negative one; in a measurement, joints that the labels do not have.
    """

    def __init__(self, over: Over = "labelled", joints: tuple[int, int] | None = None) -> None:
        super().__init__(over)
        if joints is not None and (joints[0] == joints[1] or min(joints) < 0):
            raise ConfigError(f"NME: joints must be two different ones, got {joints}")
        self.joints = joints

    def resampled(self, samples: HandSamples, times: Array) -> dict[str, Array]:
        """{'NME': share of the box or of that distance}."""
        distance, sides = self._joints(samples)
        if self.joints is not None:
            sides = self._lengths(samples)[samples.rows(self.over)]
        return {self._name("NME"): self._reduced(error_table(distance, sides), "micro", samples, times)}

    def _lengths(self, samples: HandSamples) -> Array:
        """(N,) distances of the two joints in pixels, NaN where one is not labelled."""
        one, other = self.joints or (0, 0)
        if max(one, other) >= samples.labels.shape[1]:
            raise ConfigError(f"NME: joints {self.joints} of labels that have {samples.labels.shape[1]} joints")
        both = (samples.visible[:, [one, other]] > 0).all(1)
        return np.where(both, np.linalg.norm(samples.labels[:, one] - samples.labels[:, other], axis=-1), np.nan)


@METRICS.register_module()
class NMEEasyCV(_JointMetric):
    """What EasyCV and ModelScope call NME: a mean over all labelled joints of the distance, divided by 1 (sic).

    EasyCV's `KeyPointEvaluator` leaves the normaliser to subclasses that do not exist, so the number is EPE in pixels:
    the NME of 4.3899 on ModelScope's card is the EPE of 4.39 in EasyCV's table.
    """

    notes: ClassVar[Mapping[str, str]] = {
        "NME_easycv": "what EasyCV and ModelScope's card call NME: nothing normalises it, it is EPE in pixels"
    }

    def __init__(self) -> None:
        super().__init__("labelled")

    def resampled(self, samples: HandSamples, times: Array) -> dict[str, Array]:
        """{'NME_easycv': pixels}."""
        distance, _ = self._joints(samples)
        return {"NME_easycv": self._reduced(error_table(distance), "micro", samples, times)}
