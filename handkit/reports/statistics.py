"""The numbers of a report, as JSON can hold them: curves, and the same few numbers over group after group of joints.

A joint's error is its distance from the label over the longer side of the hand's box, as PCK and NME take it; of a
missed hand, or beyond the box, it is 1.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from handkit.hands import Side
from handkit.metrics.keypoints import normalised
from handkit.metrics.samples import HandSamples
from handkit.skeleton import HAND

Array = NDArray[Any]
Row = dict[str, Any]
#: Shares of the hand's size at which joints are counted as right.
THRESHOLDS = (0.2, 0.1, 0.05)
#: The one at which scores are held against what they promise.
CALIBRATED = 0.1
#: Where groups of hand sizes end, in pixels of the longer side of the box.
SIZES = (32, 64, 128, 256, 512)
_CURVE = np.linspace(0, 0.3, 61)
_BINS = 10
_NO_ANSWER: dict[bool, str] = {True: "not told", False: "missed"}


def errors(samples: HandSamples) -> Array:
    """(N, K) errors in [0, 1]; NaN where a joint is not labelled or its hand has no size."""
    capped: Array = np.minimum(ratios(samples), 1.0)
    return capped


def ratios(samples: HandSamples) -> Array:
    """(N, K) distances over the longer sides of the boxes; inf where missed, NaN where not labelled."""
    return normalised(samples.distances, samples.box_sides)


def statistics(samples: HandSamples) -> Row:
    """Everything that is counted; keys as in ``report.json``."""
    ratio = ratios(samples)
    return {
        "curve": _curve(ratio, samples.found),
        "joints": joint_rows(samples, ratio),
        "sizes": [group_row(name, samples, ratio, mask) for name, mask in size_groups(samples)],
        "sides": [group_row(name, samples, ratio, mask) for name, mask in side_groups(samples)],
        "visibility": [group_row(name, samples, ratio, mask) for name, mask in visibility_groups(samples)],
        "handedness": confusion(samples.sides, samples.predicted_sides, samples.found),
        "calibration": calibration(samples, ratio),
    }


def group_row(name: str, samples: HandSamples, ratio: Array, mask: Array) -> Row:
    """The numbers of a group of joints.

    Args:
        name: of the group.
        samples: all hands.
        ratio: from `ratios`.
        mask: (N, K) or (N, 1) bool, the group.

    Returns:
        ``hands`` and ``joints`` that are labelled in the group, the share of the hands that is ``found``, of the joints
        ``PCK@...``, and of the found hands' joints their mean ratio ``NME``.
    """
    counted = ~np.isnan(ratio) & mask
    hands = counted.any(-1)
    row: Row = {"name": name, "hands": int(hands.sum()), "joints": int(counted.sum())}
    row["found"] = mean(samples.found[hands])
    for threshold in THRESHOLDS:
        row[f"PCK@{threshold:g}"] = mean(ratio[counted] < threshold)
    row["NME"] = mean(ratio[counted & np.isfinite(ratio)])
    return row


def joint_rows(samples: HandSamples, ratio: Array) -> list[Row]:
    """A row per joint; ``hidden`` is the share of its labels that are not visible."""
    rows = []
    for joint in range(ratio.shape[1]):
        mask = np.arange(ratio.shape[1]) == joint
        row = group_row(joint_name(joint, ratio.shape[1]), samples, ratio, mask[None])
        row["hidden"] = mean(samples.visible[:, joint][samples.visible[:, joint] > 0] == 1)
        rows.append(row)
    return rows


def joint_name(joint: int, count: int) -> str:
    """How a joint of so many is called: those of a hand have names, others, e.g. a face's points, numbers."""
    return HAND.joints[joint] if count == len(HAND) else f"point {joint}"


def size_groups(samples: HandSamples) -> list[tuple[str, Array]]:
    """Names and (N, 1) masks of hands by the longer side of their box; only groups that have hands."""
    ends = (0, *SIZES, math.inf)
    groups = []
    for low, high in pairwise(ends):
        mask = (samples.box_sides >= low) & (samples.box_sides < high)
        name = f"below {high} px" if low == 0 else f"{low} px and more" if math.isinf(high) else f"{low} to {high} px"
        if mask.any():
            groups.append((name, mask[:, None]))
    return groups


def side_groups(samples: HandSamples) -> list[tuple[str, Array]]:
    """The same by the labelled side."""
    groups = [
        (side or "unknown", np.array([s == side for s in samples.sides], bool)) for side in ("left", "right", None)
    ]
    return [
        (f"{name} hands" if name != "unknown" else "side unknown", mask[:, None]) for name, mask in groups if mask.any()
    ]


def visibility_groups(samples: HandSamples) -> list[tuple[str, Array]]:
    """Names and (N, K) masks of joints by whether they are seen."""
    groups = [("visible joints", samples.visible == 2), ("hidden joints", samples.visible == 1)]
    return [(name, mask) for name, mask in groups if mask.any()]


def confusion(labelled: Sequence[Side | None], predicted: Sequence[Side | None], found: Array) -> dict[str, Row]:
    """How often a hand of a labelled side was called what: counts of left, right, not told and missed."""
    counts: dict[str, Row] = {}
    for side, answer, seen in zip(labelled, predicted, found.tolist(), strict=True):
        row = counts.setdefault(side or "unknown", dict.fromkeys(("left", "right", *_NO_ANSWER.values()), 0))
        row[answer or _NO_ANSWER[seen]] += 1
    return {name: counts[name] for name in ("left", "right", "unknown") if name in counts}


def calibration(samples: HandSamples, ratio: Array, threshold: float = CALIBRATED) -> Row | None:
    """Joints of found hands by their score: do as many lie within the threshold as the scores promise?

    Returns:
        ``bins`` of a tenth each with ``count``, mean ``score`` and ``share`` of right joints, and ``ece``, the expected
        calibration error: the mean gap of both over all joints (Guo et al., ICML 2017). None without scores.
    """
    scores = np.full(ratio.shape, np.nan) if samples.joint_scores is None else samples.joint_scores
    counted = np.isfinite(scores) & ~np.isnan(ratio) & samples.found[:, None]
    if not counted.any():
        return None
    score, right = scores[counted], ratio[counted] < threshold
    places = np.minimum((score * _BINS).astype(int), _BINS - 1)
    bins, gap = [], 0.0
    for place in range(_BINS):
        inside = places == place
        row = {"low": place / _BINS, "high": (place + 1) / _BINS, "count": int(inside.sum())}
        bins.append({**row, "score": mean(score[inside]), "share": mean(right[inside])})
        if inside.any():
            gap += float(abs(score[inside].sum() - right[inside].sum()))
    return {
        "threshold": threshold,
        "bins": bins,
        "ece": gap / len(score),
        "score": mean(score),
        "share": mean(right),
    }


def mean(values: Array) -> float | None:
    """The mean, or None of nothing."""
    return float(np.mean(values)) if len(values) else None


def _curve(ratio: Array, found: Array) -> Row:
    """PCK over thresholds, of all labelled joints and of those of found hands."""
    out: Row = {"thresholds": _CURVE.round(4).tolist()}
    for name, rows in (("labelled", np.ones(len(found), bool)), ("matched", found)):
        values = np.sort(ratio[rows][~np.isnan(ratio[rows])])
        shares = np.searchsorted(values, _CURVE, side="left") / max(len(values), 1)
        out[name] = shares.tolist() if len(values) else [None] * len(_CURVE)
    return out
