"""Where a second hand is, so that two hands meet without running through each other."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from handkit.datasets.synthetic.shading import unit
from handkit.hands import Side

Array = NDArray[Any]

#: The least distance of two hands' points: about two fingers' radii.
NEAREST = 19e-3
#: Of the points of `limbs`, those of the hand: its bones', 100, and the forearm's first 5, at the wrist.
OF_THE_HAND = slice(105)
# Of two hands that clasp each other: palms are thicker than fingers.
_CLASPED = 23e-3
_TRIES = 8


def limbs(joints: Array, wrist: Array, elbow: Array) -> Array:
    """(N, 3) points along fingers, palm and forearm, one a finger's breadth from the next.

    Args:
        joints: (21, 3).
        wrist: (3,) where the forearm ends.
        elbow: (3,).
    """
    chains = joints[1:].reshape(5, 4, 3)
    roots = np.concatenate([np.broadcast_to(joints[0], (5, 1, 3)), chains], 1)
    steps = np.linspace(0, 1, 5)[:, None]
    fingers = [start + steps * (end - start) for chain in roots for start, end in pairwise(chain)]
    forearm = wrist + np.linspace(0, 1, 20)[:, None] * (elbow - wrist)
    # The forearm is thicker than a finger: points around its axis.
    around = np.concatenate([forearm + offset for offset in 0.025 * np.vstack([np.eye(3), -np.eye(3)])])
    return np.concatenate([*fingers, forearm, around])


def meeting(rng: np.random.Generator, first: Array, second: Array) -> Array | None:
    """(3,) move of the second hand's (N, 3) points after which it is beside, before, behind or at the first's (M, 3).

    None where every place that was tried is taken.
    """
    extent = float(np.ptp(first[OF_THE_HAND], axis=0).max())
    start = first[OF_THE_HAND].mean(0) - second[OF_THE_HAND].mean(0)
    for _ in range(_TRIES):
        angle = rng.uniform(0, 2 * np.pi)
        reach = extent * rng.uniform(0.7, 1.3)
        aside = np.array([np.cos(angle), np.sin(angle), rng.normal(0, 0.35)]) * reach
        touching = rng.random() < 0.6
        if gap(first, second + start + aside) < NEAREST:
            continue
        return _closed(first, second, start, aside, NEAREST) if touching else np.asarray(start + aside)
    return None


def facing(rng: np.random.Generator, first: Array, side: Side, second: Array, second_side: Side) -> tuple[Array, Array]:
    """How to turn a second hand so that it clasps the first: its palm looks at the first.

    It comes from the side of the first's palm or back, or, one time in four, from any direction.

    Args:
        rng: chooses where, and how the fingers of both cross.
        first: (21, 3) joints, in the same frame as the second's.
        side: the first's.
        second: (21, 3) joints.
        second_side: the second's.

    Returns:
        (3, 3) the turn, and (3,) the unit direction from the first hand in which the second lies.
    """
    out = palm(first, side)
    where = rng.random()
    away = unit((out if where < 0.45 else -out if where < 0.75 else 0) + rng.normal(0, 0.3, 3))
    wanted = unit(-away + rng.normal(0, 0.2, 3))
    roll = Rotation.from_rotvec(wanted * rng.uniform(0, 2 * np.pi))
    turn = roll * Rotation.align_vectors([wanted], [palm(second, second_side)])[0]
    return np.asarray(turn.as_matrix()), away


def clasping(rng: np.random.Generator, first: Array, second: Array, away: Array) -> Array | None:
    """(3,) move of the second hand's (N, 3) points after which it lies at the first's (M, 3), in direction `away`.

    None where it would lie in the first's forearm.
    """
    start = first[OF_THE_HAND].mean(0) - second[OF_THE_HAND].mean(0) + rng.normal(0, 0.02, 3)
    aside = 0.3 * away
    return _closed(first, second, start, aside, _CLASPED) if gap(first, second + start + aside) >= _CLASPED else None


def palm(joints: Array, side: Side) -> Array:
    """(3,) unit vector out of the palm of (21, 3) joints."""
    across = np.cross(joints[5] - joints[0], joints[17] - joints[0])
    return unit(across if side == "right" else -across)


def _closed(first: Array, second: Array, start: Array, aside: Array, nearest: float) -> Array:
    """(3,) `start` and as little of `aside`, in steps of a 25th, as leaves the hands `nearest` apart."""
    share = 1.0
    while share > 0.05 and gap(first, second + start + (share - 0.04) * aside) >= nearest:
        share -= 0.04
    return np.asarray(start + share * aside)


def gap(first: Array, second: Array) -> float:
    """The least distance of (M, 3) and (N, 3) points."""
    apart = (first**2).sum(1)[:, None] + (second**2).sum(1) - 2 * first @ second.T
    return float(np.sqrt(max(apart.min(), 0.0)))
