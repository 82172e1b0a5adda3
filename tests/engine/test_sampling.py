from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handkit.engine.processes import Processes
from handkit.engine.sampling import EpochSampler
from handkit.errors import ConfigError, DataError


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


@given(st.integers(1, 40), st.integers(1, 9), st.integers(1, 4), st.booleans())
def test_processes_share_every_batch(length: int, size: int, processes: int, drop_last: bool) -> None:
    if drop_last and length < size:
        return
    if (size if drop_last else length % size or size) < processes:
        with pytest.raises(ConfigError, match="cannot be dealt out"):
            EpochSampler(length, size, 0, drop_last, Processes(0, processes))
        return
    parts = [list(EpochSampler(length, size, 0, drop_last, Processes(rank, processes))) for rank in range(processes)]
    whole = list(EpochSampler(length, size, 0, drop_last))
    assert [sorted(item for part in batches for item in part) for batches in zip(*parts, strict=True)] == [
        sorted(batch) for batch in whole
    ]
    assert all(batch for part in parts for batch in part)
