from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handkit.engine.sampling import EpochSampler
from handkit.errors import DataError


@given(st.integers(1, 60), st.integers(1, 9), st.integers(0, 5), st.integers(0, 3), st.data())
def test_an_epoch_is_a_permutation_that_can_be_entered_anywhere(
    length: int, size: int, seed: int, epoch: int, data: st.DataObject
) -> None:
    sampler = EpochSampler(length, size, seed, drop_last=False)
    sampler.seek(epoch)
    batches = list(sampler)
    assert len(batches) == len(sampler)
    assert sorted(index for batch in batches for _, index in batch) == list(range(length))
    assert {number for batch in batches for number, _ in batch} == {epoch}
    start = data.draw(st.integers(0, len(batches)))
    sampler.seek(epoch, start)
    assert list(sampler) == batches[start:]
    assert len(sampler) == len(batches)


def test_a_small_last_batch_is_left_out() -> None:
    sampler = EpochSampler(10, 4, 0)
    assert [len(batch) for batch in sampler] == [4, 4]
    assert len(sampler) == 2
    for length in (3, 0):
        with pytest.raises(DataError, match="less than one batch of 4"):
            EpochSampler(length, 4, 0)


def test_epochs_and_seeds_have_orders_of_their_own() -> None:
    orders = []
    for seed, epoch in ((0, 0), (0, 1), (1, 0), (1, 1)):
        sampler = EpochSampler(50, 50, seed)
        sampler.seek(epoch)
        orders.append([index for _, index in next(iter(sampler))])
    assert all(a != b for a, b in pairwise(sorted(orders)))
