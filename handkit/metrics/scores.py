"""From samples to the rows of a table: the numbers of metrics, with bootstrap intervals on request."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from handkit.errors import ConfigError
from handkit.metrics.gesture_samples import GestureSamples
from handkit.metrics.samples import HandSamples, Metric

#: Resampled sets that are reduced together.
_BLOCK = 128
#: What stands in the names of errors; all other numbers are better the larger they are.
_ERRORS = ("EPE", "NME", "MPJPE", "false_hands")


@dataclass(frozen=True)
class Scores:
    """Numbers by name, in the order of the table; NaN where nothing was measured.

    Args:
        values: of the metrics.
        intervals: 95 % intervals of the same names, or none.
        counts: over what was measured, e.g. ``images`` and ``hands``.
        baseline: numbers of the same names that a guess without a look at the picture has; see
            `handkit.metrics.baseline`.
        weights: of every network that was measured, by its place in the config, the sha256 of its weights.
        notes: what a reader must know of a number, by its name.
        details: lines that stand below the numbers.
    """

    values: Mapping[str, float]
    intervals: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    baseline: Mapping[str, float] = field(default_factory=dict)
    weights: Mapping[str, str] = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=dict)
    details: Sequence[str] = ()

    def __getitem__(self, name: str) -> float:
        return self.values[name]

    def rows(self) -> list[str]:
        """One line per number: ``PCK@0.2 0.9312``.

        An interval and the baseline stand behind it: ``PCK@0.2 0.9312 [0.9101, 0.9500] (mean pose 0.4872)``; notes
        and details stand at the end.
        """
        lines = [f"{part} sha256:{digest}" for part, digest in self.weights.items()]
        lines += [f"{name} {count}" for name, count in self.counts.items()]
        for name, value in self.values.items():
            low, high = self.intervals.get(name, (math.nan, math.nan))
            interval = f" [{low:.4f}, {high:.4f}]" if name in self.intervals else ""
            guess = f" (mean pose {self.baseline[name]:.4f})" if name in self.baseline else ""
            lines.append(f"{name} {value:.4f}{interval}{guess}")
        notes = (f"{name}: {note}" for name, note in self.notes.items() if name in self.values)
        return [*lines, *notes, *self.details]

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it: null where nothing was measured or an error is infinite."""
        out: dict[str, Any] = {
            "weights": dict(self.weights),
            **self.counts,
            "metrics": {name: _finite(v) for name, v in self.values.items()},
        }
        if self.baseline:
            out["mean_pose"] = {name: _finite(value) for name, value in self.baseline.items()}
        if self.intervals:
            out["intervals"] = {name: [_finite(low), _finite(high)] for name, (low, high) in self.intervals.items()}
        return out


def score(metrics: Sequence[Metric], samples: HandSamples, bootstrap: int = 0, seed: int = 0) -> Scores:
    """All numbers of all metrics.

    Args:
        metrics: what is measured.
        samples: on what.
        bootstrap: so many resampled sets make the intervals; 0: no intervals.
        seed: of the resampling.

    Raises:
        ConfigError: a negative number of sets, or two metrics with one name.
    """
    if bootstrap < 0:
        raise ConfigError(f"a bootstrap needs a positive number of resampled sets, not {bootstrap}")
    values: dict[str, float] = {}
    for metric in metrics:
        own = metric.compute(samples)
        for name in filter(values.__contains__, own):
            raise ConfigError(f"metrics: two of them give the number {name!r}; measure one of the two at a time")
        values |= own
    return Scores(
        values=values,
        intervals=bootstrap_intervals(metrics, samples, bootstrap, seed) if bootstrap else {},
        counts={"images": len(samples.unmatched), "hands": len(samples)},
        notes={name: note for metric in metrics for name, note in metric.notes.items()},
        details=[line for metric in metrics for line in metric.details(samples)],
    )


def names_of(metrics: Sequence[Metric], joints: int = 21) -> list[str]:
    """What metrics call their numbers, told by what they say of no samples of so many joints.

    Raises:
        ConfigError: two numbers of one name.
    """
    nothing = HandSamples.of_masks(np.zeros((0, 2), int), joints)
    gestures = GestureSamples(np.zeros(0, int), np.zeros(0, int), ())
    return list(score(metrics, replace(nothing, gestures=gestures)).values)


def lower_is_better(name: str) -> bool:
    """Whether a number, by its name in the table, is an error."""
    return any(part in name for part in _ERRORS)


def bootstrap_intervals(
    metrics: Sequence[Metric], samples: HandSamples, resamples: int, seed: int = 0, coverage: float = 0.95
) -> dict[str, tuple[float, float]]:
    """Percentile bootstrap (Efron, 1979): the metrics on sets of as many images, drawn with replacement.

    Images are drawn, not hands, since the hands of one photograph have much in common. The interval spans the middle
    `coverage` of the sets in which there was something to measure, and is NaN where that is none. A share that is 0 or
    1 in the data is so in every set: its interval has no width and claims too much.
    """
    images = len(samples.unmatched)
    if not images:
        return {name: (math.nan, math.nan) for metric in metrics for name in metric.compute(samples)}
    rng = np.random.default_rng(seed)
    drawn: dict[str, list[NDArray[Any]]] = {}
    for start in range(0, resamples, _BLOCK):
        size = min(_BLOCK, resamples - start)
        times = rng.multinomial(images, np.full(images, 1 / images), size=size).astype(np.float64)
        for name, values in {k: v for metric in metrics for k, v in metric.resampled(samples, times).items()}.items():
            drawn.setdefault(name, []).append(values)
    return {name: _middle(np.concatenate(values), coverage) for name, values in drawn.items()}


def _middle(values: NDArray[Any], coverage: float) -> tuple[float, float]:
    """The quantiles that leave out as much on either side; infinite values are larger than all others."""
    measured = np.sort(values[~np.isnan(values)])
    if not len(measured):
        return math.nan, math.nan
    low, high = np.quantile(np.arange(len(measured)), [(1 - coverage) / 2, (1 + coverage) / 2], method="nearest")
    return float(measured[int(low)]), float(measured[int(high)])


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
