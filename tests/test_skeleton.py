from __future__ import annotations

import numpy as np
import pytest

from handkit.errors import DataError
from handkit.skeleton import HAND, ORDERS, from_order, to_order


def test_the_hand_is_a_tree_of_five_fingers() -> None:
    assert len(HAND) == len(HAND.sigmas) == len(HAND.colors) == 21
    assert len(HAND.edges) == 20
    assert sorted(child for _, child in HAND.edges) == list(range(1, 21))
    assert [child for parent, child in HAND.edges if parent == 0] == [1, 5, 9, 13, 17]


def test_names_follow_coco_wholebody() -> None:
    assert HAND.joints[:6] == ("wrist", "thumb1", "thumb2", "thumb3", "thumb4", "forefinger1")
    assert HAND.joints[-1] == "pinky_finger4"


@pytest.mark.parametrize("source", ORDERS)
def test_orders_are_permutations_and_invert(source: str) -> None:
    assert sorted(ORDERS[source]) == list(range(21))
    points = np.random.default_rng(0).random((4, 21, 3))
    np.testing.assert_array_equal(to_order(from_order(points, source), source), points)
    np.testing.assert_array_equal(from_order(points[..., 0], source, axis=-1), from_order(points, source)[..., 0])


def test_rhd_lists_tips_first_and_interhand_the_wrist_last() -> None:
    rhd = [
        "wrist",
        *(f"{finger}{joint}" for finger in ("thumb", "forefinger", "middle_finger") for joint in (4, 3, 2, 1)),
    ]
    assert [HAND.joints[i] for i in np.argsort(ORDERS["rhd"])[:13]] == rhd
    interhand = np.array(HAND.joints)[np.argsort(ORDERS["interhand"])]
    assert interhand[0] == "thumb4"
    assert interhand[-1] == "wrist"


def test_bad_orders_and_shapes_are_refused() -> None:
    with pytest.raises(DataError, match="did you mean 'rhd'"):
        from_order(np.zeros((21, 2)), "rdh")
    with pytest.raises(DataError, match="expected 21 joints"):
        from_order(np.zeros((20, 2)), "rhd")
