"""Data sets put together: with weights, evenly from the sources of one, or several times over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from handkit.datasets.view import HandDataset, set_epoch, set_seed
from handkit.errors import DataError
from handkit.registry import DATASETS
from handkit.transforms.base import Sample

Array = NDArray[Any]


class EpochPlan:
    """Which members of several groups an epoch consists of; a pure function of the arguments and the epoch.

    Each group's members stand in an endless row of shuffled passes, of which every epoch takes the next piece. So after
    any number of epochs two members of a group have been seen equally often, give or take one.

    Args:
        sizes: members of each group; none may be empty.
        weights: the groups' shares of an epoch, in any unit; their counts are rounded by the largest remainder.
        length: samples in an epoch.
        seed: of the shuffling; None: 0, until `set_seed` tells another.

    Raises:
        DataError: no group, an empty one, one that would get no sample, weights that are not positive and finite, or
            not one for each group.
    """

    def __init__(self, sizes: Sequence[int], weights: Sequence[float], length: int, seed: int | None) -> None:
        shares = np.asarray(weights, np.float64)
        if not len(sizes) or min(sizes) < 1 or length < 1 or (seed or 0) < 0:
            raise DataError(
                f"a mixture needs groups that are not empty, length >= 1 and seed >= 0, got {sizes}, {length}"
            )
        if shares.shape != (len(sizes),) or not np.isfinite(shares).all() or (shares <= 0).any():
            raise DataError(f"a mixture needs one positive weight for each of {len(sizes)} groups, got {list(weights)}")
        exact = shares / shares.sum() * length
        counts = np.floor(exact).astype(np.int64)
        counts[np.argsort(counts - exact, kind="stable")[: length - counts.sum()]] += 1
        if not counts.all():
            raise DataError(f"a mixture of {length} samples has none of the group with the share {exact.min():.3g}")
        self.sizes = tuple(int(size) for size in sizes)
        self.counts = tuple(counts.tolist())
        self._starts = np.cumsum([0, *self.counts])
        self._own_seed = seed
        self._seed = seed or 0
        self._epoch = 0
        self._members: list[Array] | None = None

    def __len__(self) -> int:
        return int(self._starts[-1])

    def set_epoch(self, epoch: int) -> None:
        """Chooses the members of that epoch."""
        if epoch != self._epoch:
            self._epoch, self._members = epoch, None

    def set_seed(self, seed: int) -> None:
        """Shuffles by that seed, if none was given."""
        if self._own_seed is None and seed != self._seed:
            self._seed, self._members = seed, None

    def locate(self, index: int) -> tuple[int, int]:
        """(group, member) of sample `index`; the groups follow one another."""
        if not -len(self) <= index < len(self):
            raise IndexError(f"sample {index} of {len(self)}")
        if self._members is None:
            self._members = [self._take(group) for group in range(len(self.sizes))]
        index %= len(self)
        group = int(np.searchsorted(self._starts, index, side="right")) - 1
        return group, int(self._members[group][index - self._starts[group]])

    def __getstate__(self) -> dict[str, Any]:
        """Without the members, which follow from the rest."""
        return self.__dict__ | {"_members": None}

    def _take(self, group: int) -> Array:
        size, count = self.sizes[group], self.counts[group]
        begin = self._epoch * count
        passes = range(begin // size, (begin + count - 1) // size + 1)
        row = [np.random.default_rng([self._seed, group, number]).permutation(size) for number in passes]
        return np.concatenate([*row, np.zeros(0, np.int64)])[begin - passes.start * size :][:count]


@DATASETS.register_module()
class WeightedConcat:
    """Several data sets one after the other, each with its share of an epoch.

    Which samples of a data set are taken changes from epoch to epoch (`set_epoch`) until all have been seen; a data set
    whose share exceeds its size is gone through more than once.

    Args:
        datasets: at least one.
        weights: their shares of an epoch, in any unit; None: their sizes, so that an epoch takes each sample once.
        length: samples in an epoch; None: as many as the data sets have together.
        seed: of the choice; None: that of the training, and 0 where there is none.

    Raises:
        DataError: see `EpochPlan`.
    """

    def __init__(
        self,
        datasets: Sequence[HandDataset],
        weights: Sequence[float] | None = None,
        length: int | None = None,
        seed: int | None = None,
    ) -> None:
        sizes = [len(dataset) for dataset in datasets]
        self.datasets = list(datasets)
        self.plan = EpochPlan(
            sizes, sizes if weights is None else weights, sum(sizes) if length is None else length, seed
        )

    def __len__(self) -> int:
        return len(self.plan)

    def __getitem__(self, index: int) -> Sample:
        """Sample `index` of this epoch."""
        dataset, row = self.plan.locate(index)
        return self.datasets[dataset][row]

    def set_epoch(self, epoch: int) -> None:
        """Chooses the samples of that epoch."""
        self.plan.set_epoch(epoch)
        for dataset in self.datasets:
            set_epoch(dataset, epoch)

    def set_seed(self, seed: int) -> None:
        """Chooses by a training's seed, if none was given, and tells the data sets."""
        self.plan.set_seed(seed)
        for dataset in self.datasets:
            set_seed(dataset, seed)


@DATASETS.register_module()
class RepeatDataset:
    """One data set several times over, so that an epoch is longer; each pass is augmented on its own.

    Args:
        dataset: the samples.
        times: passes in an epoch.

    Raises:
        DataError: `times` below 1.
    """

    def __init__(self, dataset: HandDataset, times: int) -> None:
        if times < 1:
            raise DataError(f"RepeatDataset: times must be 1 or more, not {times}")
        self.dataset = dataset
        self.times = times

    def __len__(self) -> int:
        return len(self.dataset) * self.times

    def __getitem__(self, index: int) -> Sample:
        """Sample `index` modulo the data set's length."""
        if not -len(self) <= index < len(self):
            raise IndexError(f"sample {index} of {len(self)}")
        return self.dataset[index % len(self.dataset)]

    def set_epoch(self, epoch: int) -> None:
        """Tells the data set."""
        set_epoch(self.dataset, epoch)

    def set_seed(self, seed: int) -> None:
        """Tells the data set."""
        set_seed(self.dataset, seed)


class GroupedDataset(HandDataset, Protocol):
    """A data set that knows where its samples come from."""

    def groups(self) -> Mapping[str, Array]:
        """The samples of each source, as indices."""
        ...


@DATASETS.register_module()
class SourceBalance:
    """One data set whose sources get other shares of an epoch than their sizes.

    A source of n samples has a share proportional to n ^ (1 - balance).

    Args:
        dataset: a reader with the method `groups`, e.g. HandPhotos.
        balance: 0 leaves the shares as they are, 1 draws equally often from every source.
        length: samples in an epoch; None: as many as the data set has.
        seed: of the choice; None: that of the training, and 0 where there is none.

    Raises:
        DataError: `dataset` does not know its sources, or `balance` is not in [0, 1]; see also `EpochPlan`.
    """

    def __init__(
        self, dataset: GroupedDataset, balance: float = 1.0, length: int | None = None, seed: int | None = None
    ) -> None:
        if not hasattr(dataset, "groups"):
            raise DataError(f"SourceBalance needs a data set that knows its sources, {type(dataset).__name__} does not")
        if not 0 <= balance <= 1:
            raise DataError(f"SourceBalance: balance must lie in [0, 1], not {balance}")
        self.dataset = dataset
        groups = dataset.groups()
        self.sources = tuple(groups)
        self._rows = list(groups.values())
        sizes = [len(rows) for rows in self._rows]
        weights = [size ** (1 - balance) for size in sizes]
        self.plan = EpochPlan(sizes, weights, len(dataset) if length is None else length, seed)

    def __len__(self) -> int:
        return len(self.plan)

    def __getitem__(self, index: int) -> Sample:
        """Sample `index` of this epoch."""
        source, member = self.plan.locate(index)
        return self.dataset[int(self._rows[source][member])]

    def set_epoch(self, epoch: int) -> None:
        """Chooses the samples of that epoch."""
        self.plan.set_epoch(epoch)
        set_epoch(self.dataset, epoch)

    def set_seed(self, seed: int) -> None:
        """Chooses by a training's seed, if none was given, and tells the data set."""
        self.plan.set_seed(seed)
        set_seed(self.dataset, seed)

    def __getstate__(self) -> dict[str, Any]:
        """Without the rows, which the data set knows."""
        return self.__dict__ | {"_rows": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._rows = list(self.dataset.groups().values())
