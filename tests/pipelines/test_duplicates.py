"""Non-maximum suppression by joints."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from handkit.pipelines.duplicates import distinct_poses

POSE = np.random.default_rng(0).uniform(0, 100, (21, 2))
SIZE = np.ptp(POSE, axis=0).max()


def moved(share: float, scale: float = 1.0) -> np.ndarray:
    return POSE * scale + np.array([share * SIZE, 0])


def test_the_better_of_two_near_poses_is_left() -> None:
    assert distinct_poses(np.stack([moved(0), moved(0.19), moved(0.5), moved(0.6)]), 0.2) == [0, 2]
    assert distinct_poses(np.stack([moved(0.21), moved(0)]), 0.2) == [0, 1]


def test_what_was_dropped_drops_nothing() -> None:
    assert distinct_poses(np.stack([moved(0), moved(0.15), moved(0.3)]), 0.2) == [0, 2]


def test_the_smaller_hand_gives_the_measure() -> None:
    centre = POSE.mean(axis=0)
    small = (POSE - centre) * 0.1 + centre
    assert distinct_poses(np.stack([POSE, small]), 0.5) == [0, 1]
    assert distinct_poses(np.stack([small, small + 0.04 * SIZE]), 0.5) == [0, 1]
    assert distinct_poses(np.stack([POSE, POSE + 0.04 * SIZE]), 0.5) == [0]


def test_none_and_one() -> None:
    assert distinct_poses(np.zeros((0, 21, 2)), 0.2) == []
    assert distinct_poses(np.zeros((1, 21, 2)), 0.2) == [0]


@given(arrays(np.float64, (6, 5, 2), elements=st.integers(0, 40)), st.integers(0, 10), st.sampled_from((0.25, 4.0)))
def test_every_pose_is_left_or_near_a_better_one_that_is(points: np.ndarray, tenths: int, scale: float) -> None:
    least = tenths / 10
    kept = distinct_poses(points, least)
    sizes = np.ptp(points, axis=1).max(axis=1)

    def near(one: int, other: int) -> bool:
        apart = np.linalg.norm(points[one] - points[other], axis=1).mean()
        return bool(apart < least * min(sizes[one], sizes[other]))

    for row in range(len(points)):
        assert (row not in kept) == any(near(row, better) for better in kept if better < row)
    assert distinct_poses(points * scale - 7, least) == kept
