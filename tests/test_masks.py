"""Masks as COCO writes them."""

from __future__ import annotations

import numpy as np
import pytest
from faster_coco_eval.core import mask as coco
from hypothesis import given
from hypothesis.extra.numpy import array_shapes, arrays

from handkit.errors import DataError
from handkit.masks import checked_masks, run_lengths


@given(arrays(bool, array_shapes(min_dims=3, max_dims=3, max_side=12)))
def test_run_lengths_are_those_of_coco(masks: np.ndarray) -> None:
    for mask, ours in zip(masks, run_lengths(masks), strict=True):
        theirs = coco.encode(np.asfortranarray(mask, np.uint8))
        assert ours == {"size": theirs["size"], "counts": theirs["counts"].decode()}


def test_long_runs_and_large_masks() -> None:
    masks = np.zeros((2, 700, 900), bool)
    masks[0, 100:600, 300:800], masks[1, 3, 4] = True, True
    for mask, ours in zip(masks, run_lengths(masks), strict=True):
        np.testing.assert_array_equal(coco.decode({**ours, "counts": ours["counts"].encode()}), mask)


def test_masks_are_checked_and_copied() -> None:
    given_masks = np.ones((2, 3, 4))
    made = checked_masks(given_masks, 2, (4, 3))
    given_masks[:] = 0
    assert made.all()
    assert (made.dtype, made.flags.writeable) == (bool, False)
    assert checked_masks(np.zeros((0, 3, 4)), 0).shape == (0, 3, 4)
    with pytest.raises(DataError, match=r"the shape \(2, 3, 4\), got \(2, 4, 3\)"):
        checked_masks(np.ones((2, 4, 3)), 2, (4, 3))
    with pytest.raises(DataError, match=r"the shape \(1, 'H', 'W'\), got \(4, 3\)"):
        checked_masks(np.ones((4, 3)), 1)
    with pytest.raises(DataError, match="must be of one size"):
        checked_masks([np.ones((3, 4)), np.ones((4, 3))], 2)
    with pytest.raises(DataError, match="must be bool, or 0 and 1"):
        checked_masks(np.full((1, 2, 2), 0.5), 1)
