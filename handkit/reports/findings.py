"""What stands out in a measurement, ranked: what looks like a mistake in labels, then what is worse than the rest.

Findings are compared by the share of the whole error that would go away if they were mended, an error being that of
`handkit.reports.statistics.errors`. What a wrong joint order or a wrong side explains comes first, since no training
mends it; then joints that are always found beside their labels; then groups that are worse than all others.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from handkit.metrics.samples import HandSamples
from handkit.reports.statistics import (
    calibration,
    errors,
    joint_name,
    ratios,
    side_groups,
    size_groups,
    visibility_groups,
)
from handkit.skeleton import HAND

Array = NDArray[Any]
Kind = Literal["labels", "definition", "weakness"]
_ORDER: tuple[Kind, ...] = ("labels", "definition", "weakness")
#: An exchange, and all other joints, must fit as well as this, in shares of the hand, and the exchange so many times
#: better than none.
_FITS, _BETTER = 0.1, 2.0
#: Exchanges in fewer hands, or in a smaller share of them, are chance.
_LEAST_HANDS, _LEAST_SHARE = 3, 0.01
#: A joint whose median lies farther beside its label, in shares of the hand, is defined otherwise.
_BESIDE = 0.02
#: A group must hold as much of the error, and have so much larger errors than the rest, to stand out.
_LEAST_GAIN, _WORSE, _SURE = 0.02, 1.2, 2.5
_BLOCK = 2048


@dataclass(frozen=True)
class Finding:
    """One thing that stands out.

    Args:
        kind: a probable mistake in labels, another definition of a joint, or a weakness.
        title: what it is.
        text: the numbers, and what to do.
        gain: share of the whole error that would go away, 0 where it is not one of places.
        hands: the numbers of hands that show it best.
    """

    kind: Kind
    title: str
    text: str
    gain: float
    hands: tuple[int, ...] = ()


def find(samples: HandSamples) -> list[Finding]:
    """All findings, the most important first; none in samples without a labelled joint."""
    error = errors(samples)
    total = float(np.nansum(error))
    if total == 0 or np.isnan(error).all():
        return []
    exchanges, explained = _exchanges(samples, total)
    found = [
        *exchanges,
        *_sides(samples),
        *_shifted(samples, total),
        *_missed(samples, error, total),
        *_weak(samples, np.where(explained, np.nan, error), total),
        *_scores(samples),
    ]
    return sorted(found, key=lambda finding: (_ORDER.index(finding.kind), -finding.gain))


def _exchanges(samples: HandSamples, total: float) -> tuple[list[Finding], Array]:
    """Two fingers, or two joints, whose labels fit the predictions when they are exchanged.

    Returns:
        What was found, and (N, K) bool: the joints of which it explains the errors.
    """
    gaps, count = _gaps(samples), samples.labels.shape[1]
    found = []
    explained = np.zeros(samples.labels.shape[:2], bool)
    fingers = [tuple(range(base, base + 4)) for base in range(1, count, 4)] if count == len(HAND) else []
    for units in (fingers, [(joint,) for joint in range(count)]):
        free = ~explained.any(-1)
        for one, two in combinations(units, 2):
            flagged, before, after, counted = _exchange(gaps, one, two)
            flagged &= free
            if flagged.sum() < max(_LEAST_HANDS, _LEAST_SHARE * counted.sum()):
                continue
            explained[np.ix_(flagged, np.array([*one, *two]))] = True
            saved = 2 * len(one) * (np.minimum(before, 1) - np.minimum(after, 1))[flagged]
            hands = _top(np.where(flagged, before - after, -np.inf), int(flagged.sum()))
            means = [float(values[flagged].mean()) for values in (before, after)]
            title, text = _told(one, two, count, int(flagged.sum()), int(counted.sum()), means)
            found.append(Finding("labels", title, text, float(saved.sum()) / total, hands))
    return found, explained


def _told(
    one: tuple[int, ...], two: tuple[int, ...], count: int, flagged: int, counted: int, means: list[float]
) -> tuple[str, str]:
    """Title and text of an exchange among `count` joints; `means` are the distances before and after."""
    first = [joint_name(unit[0], count) for unit in (one, two)]
    names = [name if len(one) == 1 else name[:-1] for name in first]
    return (
        f"{names[0]} and {names[1]} are exchanged in {100 * flagged / counted:.1f} % of the hands",
        f"In {flagged} of {counted} hands the labels of the two fit the predictions if they change places: the mean "
        f"distance falls from {means[0]:.3f} to {means[1]:.3f} of the hand. Look at these hands: either their labels "
        "have the two the wrong way round (check the joint order of their source), or the model takes one for the "
        "other.",
    )


def _gaps(samples: HandSamples) -> tuple[Array, Array]:
    """(N, K, K) distances of predicted joint i from label j over the hand's size, and of label i; NaN where unknown."""
    known = (samples.visible > 0) & samples.found[:, None]
    size = np.where(samples.box_sides > 0, samples.box_sides, np.nan)[:, None, None]
    labels = np.where(known[..., None], samples.labels, np.nan)
    shape = (len(labels), labels.shape[1], labels.shape[1])
    across, between = np.empty(shape, np.float32), np.empty(shape, np.float32)
    for start in range(0, len(labels), _BLOCK):
        rows = slice(start, start + _BLOCK)
        here, there = labels[rows, None], samples.predicted[rows, :, None]
        across[rows] = np.linalg.norm(there - here, axis=-1) / size[rows]
        between[rows] = np.linalg.norm(labels[rows, :, None] - here, axis=-1) / size[rows]
    return across, between


def _exchange(
    gaps: tuple[Array, Array], one: tuple[int, ...], two: tuple[int, ...]
) -> tuple[Array, Array, Array, Array]:
    """Which hands fit better if two units of joints are exchanged.

    Returns:
        (N,) bool, the (N,) mean distances before and after, and (N,) bool: the hands that were looked at.
    """
    across, between = gaps
    pairs = [*zip(one, one, strict=True), *zip(two, two, strict=True)]
    swapped = [*zip(one, two, strict=True), *zip(two, one, strict=True)]
    before, after = (np.stack([across[:, a, b] for a, b in which], -1) for which in (pairs, swapped))
    apart = np.stack([between[:, a, b] for a, b in zip(one, two, strict=True)], -1)
    counted = np.isfinite(before).all(-1) & np.isfinite(after).all(-1)
    fits = ((after < before).mean(-1) > 0.7) & (after.mean(-1) < _FITS) & (before.mean(-1) > _BETTER * after.mean(-1))
    others = np.delete(np.diagonal(across, axis1=1, axis2=2), [*one, *two], axis=1)
    known = np.isfinite(others)
    rest = np.where(known, others, 0).sum(-1) / np.maximum(known.sum(-1), 1)
    flagged = counted & fits & (apart.mean(-1) > _FITS) & (rest < _FITS)
    return flagged, before.mean(-1), after.mean(-1), counted


def _sides(samples: HandSamples) -> Iterator[Finding]:
    """Sides that are told the other way round."""
    pairs = [(row, *both) for row, both in enumerate(zip(samples.sides, samples.predicted_sides, strict=True))]
    told = [(row, side == answer) for row, side, answer in pairs if side is not None and answer is not None]
    wrong = [row for row, right in told if not right]
    if len(told) >= 10 and len(wrong) > len(told) / 2:
        yield Finding(
            "labels",
            "left and right are the other way round",
            f"{len(wrong)} of {len(told)} hands are called by the other side. A guess is right half of the time: the "
            "pictures are mirrored (selfies), or labels and model mean different things by left and right.",
            0.0,
            tuple(wrong[:4]),
        )


def _shifted(samples: HandSamples, total: float) -> Iterator[Finding]:
    """Joints that lie beside their labels in the same direction, seen from the hand."""
    tail, head = HAND.upright
    if samples.labels.shape[1] != len(HAND):
        return
    known = samples.found & (samples.visible[:, [tail, head]] > 0).all(-1) & (samples.box_sides > 0)
    up = samples.labels[:, head] - samples.labels[:, tail]
    length = np.linalg.norm(up, axis=-1)
    known &= length > 0
    up = up / np.where(length > 0, length, 1)[:, None]
    mirror = np.array([-1.0 if side == "left" else 1.0 for side in samples.sides])
    gap = (samples.predicted - samples.labels) / np.where(samples.box_sides > 0, samples.box_sides, 1)[:, None, None]
    along = (gap * up[:, None]).sum(-1)
    across = (gap * np.stack([-up[:, 1], up[:, 0]], -1)[:, None]).sum(-1) * mirror[:, None]
    for joint in range(len(HAND)):
        rows = known & (samples.visible[:, joint] > 0)
        if rows.sum() < 10 * _LEAST_HANDS:
            continue
        offsets = np.stack([across[rows, joint], along[rows, joint]], -1)
        middle = np.median(offsets, 0)
        before, after = (np.minimum(np.linalg.norm(offsets - move, axis=-1), 1) for move in (np.zeros(2), middle))
        spread = -np.abs(across[:, joint] - middle[0]) - np.abs(along[:, joint] - middle[1])
        if np.linalg.norm(middle) > _BESIDE and after.mean() < 0.75 * before.mean():
            toward = "the fingertips" if middle[1] > 0 else "the arm"
            yield Finding(
                "definition",
                f"{joint_name(joint, len(HAND))} is found beside its label",
                f"In the median of {rows.sum()} hands the prediction lies {abs(middle[1]):.3f} of the hand toward "
                f"{toward} and {abs(middle[0]):.3f} across; without that shift the joint's mean error falls from "
                f"{before.mean():.3f} to {after.mean():.3f}. Labels and model mark different places: compare their "
                "definitions.",
                float((before - after).sum()) / total,
                _top(np.where(rows, spread, -np.inf), 4),
            )


def _missed(samples: HandSamples, error: Array, total: float) -> Iterator[Finding]:
    """Hands that are not found."""
    lost = ~samples.found
    if not lost.any():
        return
    usual = _mean(error[samples.found])
    excess = float(np.nansum(error[lost])) - usual * float((~np.isnan(error[lost])).sum())
    yield Finding(
        "weakness",
        f"{100 * lost.mean():.1f} % of the hands are missed",
        f"{lost.sum()} of {len(samples)} labelled hands are answered by no prediction.",
        max(excess, 0.0) / total,
        tuple(np.flatnonzero(lost)[:4].tolist()),
    )


def _weak(samples: HandSamples, error: Array, total: float) -> Iterator[Finding]:
    """Groups of joints whose errors are larger than those of the rest; missed hands are a finding of their own."""
    counted = ~np.isnan(error) & samples.found[:, None]
    joints = [(joint_name(j, error.shape[1]), (np.arange(error.shape[1]) == j)[None]) for j in range(error.shape[1])]
    for name, mask in (*size_groups(samples), *side_groups(samples), *visibility_groups(samples), *joints):
        inside, rest = counted & mask, counted & ~mask
        if inside.sum() < 20 or not rest.any():
            continue
        here, there = _mean(error[inside]), _mean(error[rest])
        gain = float((here - there) * inside.sum()) / total
        worst, others = (np.where(part, error, 0).sum(-1) / np.maximum(part.sum(-1), 1) for part in (inside, rest))
        if gain >= _LEAST_GAIN and here >= _WORSE * there and _differ(worst[inside.any(-1)], others[rest.any(-1)]):
            yield Finding(
                "weakness",
                f"{name}: {here / max(there, 1e-9):.1f} times the error of the rest",
                f"Mean error {here:.3f} of the hand over {inside.sum()} joints, against {there:.3f} elsewhere.",
                gain,
                _top(worst, 4),
            )


def _differ(one: Array, two: Array) -> bool:
    """Whether the means of hands lie more than `_SURE` of their standard errors apart (Welch)."""
    if min(len(one), len(two)) < 2:
        return False
    error = np.sqrt(one.var(ddof=1) / len(one) + two.var(ddof=1) / len(two))
    return bool(abs(one.mean() - two.mean()) > _SURE * error)


def _scores(samples: HandSamples) -> Iterator[Finding]:
    """Scores that promise more, or less, than joints keep."""
    told = calibration(samples, ratios(samples))
    if told is not None and told["ece"] > 0.1:
        word = "more" if told["score"] > told["share"] else "less"
        yield Finding(
            "weakness",
            f"scores promise {word} than they keep",
            f"The mean score is {told['score']:.2f}, and {told['share']:.2f} of the joints lie "
            f"within {told['threshold']:g} of the hand: the scores are no probabilities of that. "
            "Choose thresholds by the curve.",
            0.0,
        )


def _top(values: Array, most: int) -> tuple[int, ...]:
    """The numbers of the hands of largest value, at most 4."""
    order: Sequence[int] = np.argsort(-values, kind="stable")[: min(most, 4)].tolist()
    return tuple(order)


def _mean(values: Array) -> float:
    values = values[~np.isnan(values)]
    return float(values.mean()) if len(values) else 0.0
