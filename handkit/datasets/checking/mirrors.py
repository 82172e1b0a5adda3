"""Whether joints are mirrored against their picture, and sides against their hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from handkit.skeleton import HAND

Array = NDArray[Any]

_EDGES = np.array(HAND.edges)
#: One of two places fits clearly better where it stands out this much more.
_CLEAR = 1.5
#: Decided hands that a group needs, the share of them that must speak against the labels, and joints per hand.
_LEAST_VOTES, _SHARE, _LEAST_JOINTS = 5, 0.65, 15
_FINGERTIPS, _KNUCKLES = (8, 12, 16, 20), (5, 9, 13, 17)


def mirror_votes(picture: Array, points: Array, visible: Array) -> tuple[int, int]:
    """Whether a hand's joints stand out from their surroundings more at their mirrored places.

    A hand has other colours than what is around it: colours along the bones are compared with those around the joints'
    box, by the squared distance of their means over their variances (Fisher's criterion, in CIELAB).

    Args:
        picture: (H, W, 3) uint8 RGB.
        points: (21, 2) joints in its pixels.
        visible: (21,) 0 where a joint is not labelled.

    Returns:
        Votes about joints mirrored with the picture, and about joints mirrored in their own box: 1 mirrored, -1 not,
        0 undecided.
    """
    if (visible > 0).sum() < _LEAST_JOINTS or np.ptp(points, axis=0).max() < 8:
        return 0, 0
    shown = visible > 0
    colours = cv2.cvtColor(cv2.blur(picture, (3, 3)), cv2.COLOR_RGB2LAB)
    low, high = points[shown].min(0), points[shown].max(0)
    votes = []
    plain = _contrast(colours, points, shown)
    for total in (picture.shape[1] - 1, low[0] + high[0]):
        mirrored = np.stack([total - points[:, 0], points[:, 1]], -1)
        other = _contrast(colours, mirrored, shown)
        votes.append(int(other > _CLEAR * plain) - int(plain > _CLEAR * other))
    return votes[0], votes[1]


def _contrast(colours: Array, points: Array, shown: Array) -> float:
    """How much a skeleton stands out; NaN where too little of it, or of its surroundings, is in the picture."""
    bones = _EDGES[shown[_EDGES].all(-1)]
    steps = np.linspace(0.05, 0.95, 6)[:, None, None]
    inside = (points[bones[:, 0]] * (1 - steps) + points[bones[:, 1]] * steps).reshape(-1, 2)
    low, high = points[shown].min(0), points[shown].max(0)
    center, half = (low + high) / 2, (high - low).max() / 2 * 1.35
    side = np.linspace(-1, 1, 12)
    one = np.ones_like(side)
    ring = np.concatenate([np.stack(pair, 1) for pair in ((side, -one), (side, one), (-one, side), (one, side))])
    arm = (points[0] - points[9]) / max(float(np.linalg.norm(points[0] - points[9])), 1e-6)
    around = center + half * ring[ring @ arm < 0.3]  # the arm has the hand's colours
    on, share = _taken(colours, inside)
    off, _ = _taken(colours, around)
    if share < 0.6 or len(off) < 8:
        return float("nan")
    difference = on.mean(0) - off.mean(0)
    return float(difference @ difference / (on.var(0).sum() + off.var(0).sum() + 20))


def _taken(colours: Array, points: Array) -> tuple[Array, float]:
    """The colours at the points that lie in the picture, and the share of those."""
    within = ((points >= 0) & (points <= np.array(colours.shape[1::-1]) - 1)).all(-1)
    places = np.rint(points[within]).astype(int)
    return colours[places[:, 1], places[:, 0]].astype(np.float64), float(within.mean())


def against(votes: Sequence[int]) -> bool:
    """Whether enough votes (1 against the labels, -1 for them, 0 undecided) speak clearly against a group's labels."""
    wrong, right = sum(vote > 0 for vote in votes), sum(vote < 0 for vote in votes)
    return wrong + right >= _LEAST_VOTES and wrong >= _SHARE * (wrong + right)


def side_vote(xyz: Array, right: float) -> int:
    """Whether a hand's 3D joints are those of the other side: 1 yes, -1 no, 0 undecided.

    Fingers bend towards the palm, and which side of the knuckles' plane that is tells left from right.

    Args:
        xyz: (21, 3) x right, y down, z forward.
        right: 1 right, 0 left, NaN unknown.
    """
    xyz = np.asarray(xyz, np.float64)
    normal = np.cross(xyz[5] - xyz[0], xyz[17] - xyz[0])
    length = float(np.linalg.norm(normal))
    if not np.isfinite(right) or not np.isfinite(xyz).all() or length <= 0:
        return 0
    rise = (xyz[list(_FINGERTIPS)] - xyz[list(_KNUCKLES)]) @ (normal / length)
    bend = float(rise.mean()) / float(np.linalg.norm(xyz[9] - xyz[0]))
    if abs(bend) < 0.15:
        return 0
    return -1 if (bend > 0) == (right > 0.5) else 1
