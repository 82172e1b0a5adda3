"""The registered metrics of joints. Functions and edge cases: `handkit.metrics.keypoints`.

Those that go over matched hands only append ``_matched`` to their names, so that both may stand in one table.
"""

from __future__ import annotations

from handkit.metrics.keypoints import Average, auc, auc_closed, epe, nme, pck
from handkit.metrics.samples import HandSamples, Over
from handkit.registry import METRICS


def _name(name: str, over: Over) -> str:
    return f"{name}_matched" if over == "matched" else name


@METRICS.register_module()
class PCK:
    """Share of joints nearer to their label than a share of the hand's size.

    Args:
        threshold: share of the longer side of `HandSamples.boxes`.
        over: all labelled hands, a missed one being wrong, or the matched ones.
        average: 'macro' over joints as in mmpose, or 'micro' (named ``PCK_micro@...``).
    """

    def __init__(self, threshold: float = 0.2, over: Over = "labelled", average: Average = "macro") -> None:
        self.threshold = threshold
        self.over: Over = over
        self.average: Average = average

    def compute(self, samples: HandSamples) -> dict[str, float]:
        """{'PCK@0.2': share}."""
        rows = samples.rows(self.over)
        value = pck(samples.distances[rows], samples.box_sides[rows], self.threshold, self.average)
        kind = "PCK" if self.average == "macro" else "PCK_micro"
        return {_name(f"{kind}@{self.threshold:g}", self.over): value}


@METRICS.register_module()
class AUC:
    """Area under the PCK curve over absolute pixel thresholds: mmpose's, and the closed one that reaches 1.

    Args:
        limit: the largest threshold in pixels of the original image.
        steps: number of thresholds.
        over: all labelled hands, a missed one being wrong, or the matched ones.
    """

    def __init__(self, limit: float = 30.0, steps: int = 20, over: Over = "labelled") -> None:
        self.limit = limit
        self.steps = steps
        self.over: Over = over

    def compute(self, samples: HandSamples) -> dict[str, float]:
        """{'AUC': mmpose's, at most (steps - 1) / steps, 'AUC_closed': at most 1}."""
        distance = samples.distances[samples.rows(self.over)]
        return {
            _name("AUC", self.over): auc(distance, self.limit, self.steps),
            _name("AUC_closed", self.over): auc_closed(distance, self.limit, self.steps),
        }


@METRICS.register_module()
class EPE:
    """Mean distance in pixels of the original image.

    Args:
        over: all labelled hands (inf if one is missed), or the matched ones.
    """

    def __init__(self, over: Over = "labelled") -> None:
        self.over: Over = over

    def compute(self, samples: HandSamples) -> dict[str, float]:
        """{'EPE': pixels}."""
        return {_name("EPE", self.over): epe(samples.distances[samples.rows(self.over)])}


@METRICS.register_module()
class NME:
    """Mean distance over the longer side of `HandSamples.boxes`.

    Args:
        over: all labelled hands (inf if one is missed), or the matched ones.
    """

    def __init__(self, over: Over = "labelled") -> None:
        self.over: Over = over

    def compute(self, samples: HandSamples) -> dict[str, float]:
        """{'NME': share of the box}."""
        rows = samples.rows(self.over)
        return {_name("NME", self.over): nme(samples.distances[rows], samples.box_sides[rows])}
