"""Whether joints stand in handkit's order, told by the distances between them alone.

Whatever a hand does and wherever it is seen from, joints of one finger are near each other, and fingers have their
neighbours. The mean distance of every pair of joints, in units of the hand's own mean distance, is therefore much the
same in all data sets: that of rendered hands is the yardstick. A file whose distances fit it better after the joints
are reordered has another order, and the reordering that fits best says which.
"""

from __future__ import annotations

import functools
import itertools
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from handkit.skeleton import HAND, ORDERS

Array = NDArray[Any]

#: Joints that must be labelled for a single hand to be judged.
LEAST_JOINTS = 12
#: A single hand is scrambled where another order more than halves its misfit: no hand of 4,100 photographs was.
_HAND_RATIO = 0.5
#: A group of hands is where another order takes away a tenth; a fifth of groups of less than 8.
_GROUP_RATIO, _SMALL_GROUP_RATIO, _SMALL, _LEAST_GROUP = 0.9, 0.8, 8, 3
_BASES = (1, 5, 9, 13, 17)
_FINGERS = ("thumb", "forefinger", "middle finger", "ring finger", "pinky finger")


@functools.cache
def _yardstick() -> tuple[Array, Array]:
    """(21, 21) mean and spread of the distances of rendered hands, from the file beside this one."""
    mean, spread = np.load(Path(__file__).with_name("hand_distances.npy"), allow_pickle=False).astype(np.float64)
    return mean, spread


def measure_yardstick(count: int = 600) -> Array:
    """What that file holds, (2, 21, 21) float32: the distances of the first capsule hands of seed 0."""
    from handkit.datasets.synthetic import HandSynth

    hands = HandSynth("capsule", seed=0, count=count)
    points = np.stack([hands.hands(index).keypoints[0] for index in range(count)])
    distances = pair_distances(points, np.ones(points.shape[:2]))
    return np.stack([distances.mean(0), distances.std(0) + 0.05]).astype(np.float32)


@functools.cache
def _candidates() -> dict[str, Array]:
    """Orders by what a message calls them; ``points[:, order]`` is then in handkit's."""
    orders = {f"the order of {name}": np.array(order) for name, order in ORDERS.items()}
    orders["the fingers from the pinky to the thumb"] = _fingers(_BASES[::-1])
    for a, b in itertools.combinations(range(5), 2):
        bases = list(_BASES)
        bases[a], bases[b] = bases[b], bases[a]
        orders[f"{_FINGERS[a]} and {_FINGERS[b]} in each other's place"] = _fingers(tuple(bases))
    for base, finger in zip(_BASES, _FINGERS, strict=True):
        order = np.arange(len(HAND))
        order[base : base + 4] = order[base : base + 4][::-1]
        orders[f"the {finger} from tip to base"] = order
    return {name: order for name, order in orders.items() if (order != np.arange(len(HAND))).any()}


def _fingers(bases: tuple[int, ...]) -> Array:
    return np.array([0, *(base + joint for base in bases for joint in range(4))])


def pair_distances(points: Array, visible: Array) -> Array:
    """(N, 21, 2), (N, 21) -> (N, 21, 21) distances over the hand's mean distance; NaN where a joint is unlabelled."""
    points = np.asarray(points, np.float64)
    distances = np.linalg.norm(points[:, :, None] - points[:, None], axis=-1)
    known = (visible[:, :, None] > 0) & (visible[:, None] > 0)
    pairs = known & ~np.eye(points.shape[1], dtype=bool)
    mean = np.where(pairs, distances, 0).sum((1, 2), keepdims=True) / np.maximum(pairs.sum((1, 2), keepdims=True), 1)
    scaled: Array = np.where(known, distances, np.nan) / np.maximum(mean, 1e-9)
    return scaled


def misfit(distances: Array, order: Array) -> Array:
    """(..., 21, 21) -> (...) mean squared deviation from the yardstick, in its spreads, after reordering."""
    mean, spread = _yardstick()
    moved = distances[..., order, :][..., order]
    known = np.isfinite(moved)
    squares = np.where(known, ((moved - mean) / spread) ** 2, 0)
    result: Array = squares.sum((-2, -1)) / np.maximum(known.sum((-2, -1)), 1)
    return result


def scrambled_hands(points: Array, visible: Array) -> Array:
    """(N, 21, 2) and (N, 21) -> (N,) bool: single hands whose joints clearly stand in another order."""
    chosen = np.flatnonzero((visible > 0).sum(1) >= LEAST_JOINTS)
    found = np.zeros(len(points), bool)
    for rows in np.array_split(chosen, max(1, len(chosen) // 512)):
        distances = pair_distances(points[rows], visible[rows])
        best = np.min([misfit(distances, order) for order in _candidates().values()], axis=0)
        found[rows] = best < _HAND_RATIO * misfit(distances, np.arange(len(HAND)))
    return found


def scrambled_group(points: Array, visible: Array) -> str | None:
    """What another order most hands of a group clearly stand in, in words; None if in handkit's.

    Args:
        points: (N, 21, 2) joints of hands that were labelled in the same way.
        visible: (N, 21), 0 where a joint is not labelled.
    """
    judged = (visible > 0).sum(1) >= LEAST_JOINTS
    if judged.sum() < _LEAST_GROUP:
        return None
    known = np.flatnonzero(judged)
    known = known[np.linspace(0, len(known) - 1, min(len(known), 2000)).astype(int)]
    distances = pair_distances(points[known], visible[known])
    counts = np.isfinite(distances).sum(0)
    mean = np.where(counts > 0, np.nansum(distances, 0) / np.maximum(counts, 1), np.nan)
    plain = float(misfit(mean, np.arange(len(HAND))))
    named = {name: float(misfit(mean, order)) for name, order in _candidates().items()}
    best = min(named, key=named.__getitem__)
    starts = (np.arange(len(HAND)), _candidates()[best])
    order, least = min((_swapped(mean, start) for start in starts), key=lambda found: found[1])
    ratio = _GROUP_RATIO if len(known) >= _SMALL else _SMALL_GROUP_RATIO
    if min(named[best], least) >= ratio * plain:
        return None
    return best if named[best] <= least + 1e-9 else _in_words(order)


def _swapped(distances: Array, order: Array) -> tuple[Array, float]:
    """The order reached by swapping two joints as long as that lowers the misfit, and the misfit."""
    order, least = order.copy(), float(misfit(distances, order))
    pairs = np.array(list(itertools.combinations(range(len(HAND)), 2)))
    while True:
        tries = np.repeat(order[None], len(pairs), 0)
        rows = np.arange(len(pairs))
        tries[rows, pairs[:, 0]], tries[rows, pairs[:, 1]] = order[pairs[:, 1]], order[pairs[:, 0]]
        costs = np.array([float(misfit(distances, one)) for one in tries])
        if costs.min() >= least - 1e-9:
            return order, least
        order, least = tries[costs.argmin()], float(costs.min())


def _in_words(order: Array) -> str:
    moved = np.flatnonzero(order != np.arange(len(order)))
    parts = [f"{HAND.joints[joint]} at place {order[joint]}" for joint in moved[:6].tolist()]
    more = f" and {len(moved) - len(parts)} more" if len(moved) > len(parts) else ""
    return f"{', '.join(parts)}{more}"
