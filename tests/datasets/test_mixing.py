"""Shares of an epoch: exact, without favour, and a function of the epoch alone."""

from __future__ import annotations

import pickle
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handkit.datasets import HandPhotos, RepeatDataset, SourceBalance, TrainingView, WeightedConcat
from handkit.datasets.mixing import EpochPlan
from handkit.datasets.view import set_seed
from handkit.errors import DataError


class Numbers:
    """Samples that know their place."""

    def __init__(self, name: str, count: int) -> None:
        self.name = name
        self.count = count
        self.epoch = 0

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> dict[str, Any]:
        assert 0 <= index < self.count
        return {"sample_id": (self.name, index)}

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def groups(self) -> dict[str, Any]:
        return {"few": np.arange(3), "many": np.arange(3, self.count)}


def ids(dataset: Any) -> list[tuple[str, int]]:
    return [dataset[index]["sample_id"] for index in range(len(dataset))]


def test_without_weights_an_epoch_takes_each_sample_once() -> None:
    mixed = WeightedConcat([Numbers("a", 5), Numbers("b", 3)])
    for epoch in (0, 1, 7):
        mixed.set_epoch(epoch)
        assert sorted(ids(mixed)) == [("a", i) for i in range(5)] + [("b", i) for i in range(3)]


def test_weights_are_shares_of_the_epoch_and_data_sets_hear_of_it() -> None:
    parts = [Numbers("a", 10), Numbers("b", 1000)]
    mixed = WeightedConcat(parts, weights=[3, 1], length=40)
    mixed.set_epoch(2)
    assert Counter(name for name, _ in ids(mixed)) == {"a": 30, "b": 10}
    assert Counter(ids(mixed))["a", 4] == 3
    assert [part.epoch for part in parts] == [2, 2]


@settings(deadline=None, max_examples=60)
@given(
    sizes=st.lists(st.integers(1, 20), min_size=1, max_size=4),
    length=st.integers(4, 60),
    seed=st.integers(0, 9),
    epochs=st.integers(1, 12),
    data=st.data(),
)
def test_members_are_seen_equally_often(
    sizes: list[int], length: int, seed: int, epochs: int, data: st.DataObject
) -> None:
    weights = data.draw(st.lists(st.floats(1, 3), min_size=len(sizes), max_size=len(sizes)))
    length = max(length, 4 * len(sizes))
    plan = EpochPlan(sizes, weights, length, seed)
    assert len(plan) == sum(plan.counts) == length
    assert np.abs(np.array(plan.counts) - np.array(weights) / sum(weights) * length).max() < 1
    seen: Counter[tuple[int, int]] = Counter()
    for epoch in range(epochs):
        plan.set_epoch(epoch)
        seen.update(plan.locate(index) for index in range(length))
    for group, size in enumerate(sizes):
        times = [seen[group, member] for member in range(size)]
        assert max(times) - min(times) <= 1
        assert sum(times) == plan.counts[group] * epochs


def test_an_epoch_does_not_depend_on_those_before_it() -> None:
    straight, jumped = (WeightedConcat([Numbers("a", 50)], length=20, seed=3) for _ in range(2))
    for epoch in range(4):
        straight.set_epoch(epoch)
    jumped.set_epoch(3)
    assert ids(straight) == ids(jumped)
    assert ids(pickle.loads(pickle.dumps(jumped))) == ids(jumped)
    other = WeightedConcat([Numbers("a", 50)], length=20, seed=4)
    other.set_epoch(3)
    assert ids(other) != ids(jumped)


def nested(own: int | None = None) -> RepeatDataset:
    """A balanced data set within a mixture within a repetition."""
    balanced = SourceBalance(Numbers("a", 50), seed=own)
    return RepeatDataset(WeightedConcat([balanced, Numbers("b", 50)], length=20, seed=own), 2)


def taken(seed: int, own: int | None = None) -> list[tuple[str, int]]:
    view = TrainingView(nested(own), [], seed)
    return [view[3, index]["sample_id"] for index in range(len(view))]


def test_a_mixture_without_a_seed_takes_the_trainings() -> None:
    mixed = nested()
    mixed.set_epoch(3)
    assert taken(0) == ids(mixed) == taken(5, own=0)
    assert taken(5) == taken(5) != taken(6)
    assert taken(5) == taken(0, own=5)
    inner = SourceBalance(Numbers("a", 50), length=20)
    first = ids(inner)
    set_seed(RepeatDataset(WeightedConcat([inner]), 2), 7)
    assert ids(inner) == ids(SourceBalance(Numbers("a", 50), length=20, seed=7)) != first


@pytest.mark.parametrize(("balance", "few"), [(0.0, 3), (1.0, 15), (0.5, 8)])
def test_sources_are_balanced(balance: float, few: int) -> None:
    # 0.5: sqrt(3) / (sqrt(3) + sqrt(27)) = 1 / 4 of 30, to the nearest whole
    balanced = SourceBalance(Numbers("a", 30), balance)
    assert len(balanced) == 30
    count = sum(index < 3 for _, index in ids(balanced))
    assert abs(count - few) <= 1
    balanced.set_epoch(5)
    assert balanced.dataset.epoch == 5  # type: ignore[attr-defined]


def test_a_balanced_reader_survives_a_pickle(files: Path) -> None:
    balanced = SourceBalance(HandPhotos(files / "handphotos.json", max_disagreement=None), length=40)
    again = pickle.loads(pickle.dumps(balanced))
    assert balanced.sources == ("garden", "kitchen")
    assert ids(again) == ids(balanced)
    assert sum("image 7" in name for name in ids(balanced)) == 20


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"datasets": []}, "groups that are not empty"),
        ({"datasets": [Numbers("a", 0)]}, "groups that are not empty"),
        ({"datasets": [Numbers("a", 5)], "weights": [1, 2]}, "one positive weight for each of 1 groups"),
        ({"datasets": [Numbers("a", 5)], "weights": [-1]}, "one positive weight"),
        ({"datasets": [Numbers("a", 5)], "weights": [float("nan")]}, "one positive weight"),
        ({"datasets": [Numbers("a", 5)], "length": 0}, "length >= 1"),
        ({"datasets": [Numbers("a", 5), Numbers("b", 5)], "weights": [1, 1e6]}, "has none of the group"),
    ],
)
def test_mixtures_that_make_no_sense_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        WeightedConcat(**arguments)


def test_balance_needs_sources_and_a_share() -> None:
    with pytest.raises(DataError, match="WeightedConcat does not"):
        SourceBalance(WeightedConcat([Numbers("a", 5)]))  # type: ignore[arg-type]
    with pytest.raises(DataError, match=r"balance must lie in \[0, 1\], not 2"):
        SourceBalance(Numbers("a", 5), 2)


def test_places_outside_are_refused() -> None:
    mixed = WeightedConcat([Numbers("a", 5)])
    assert mixed[-1] == mixed[4]
    with pytest.raises(IndexError, match="sample 5 of 5"):
        mixed[5]
