"""The order of samples: a pure function of (seed, epoch) that can be entered at any batch, and dealt out."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from torch.utils.data import Sampler

from handkit.engine.processes import ALONE, Processes
from handkit.errors import ConfigError, DataError


class EpochSampler(Sampler[list[tuple[int, int]]]):
    """Batches of (epoch, index): each epoch goes through all samples once, in an order of its own.

    The epoch travels with the index, so that loader processes that live through all epochs augment for the right one.

    Args:
        length: number of samples.
        batch_size: indices per batch.
        seed: of the orders.
        drop_last: leave out a last batch that is smaller than the others.
        processes: of which each gets its share of every batch: together they see what one alone would see.

    Raises:
        ConfigError: a batch is too small for every process to get a sample.
        DataError: not enough samples for one batch.
    """

    def __init__(
        self, length: int, batch_size: int, seed: int, drop_last: bool = True, processes: Processes = ALONE
    ) -> None:
        if length == 0 or (drop_last and length < batch_size):
            raise DataError(f"the training set has {length} samples, which is less than one batch of {batch_size}")
        least = batch_size if drop_last else length % batch_size or batch_size
        if least < processes.size:
            raise ConfigError(
                f"batch_size: a batch of {least} samples cannot be dealt out to {processes.size} processes; it is the "
                "number of samples of all processes together (and drop_last leaves out a small last batch)"
            )
        self.length = length
        self.batch_size = batch_size
        self.seed = seed
        self.drop_last = drop_last
        self._processes = processes
        self._epoch = 0
        self._start = 0

    def seek(self, epoch: int, batch: int = 0) -> None:
        """The next iteration begins with this batch of this epoch."""
        self._epoch = epoch
        self._start = batch

    def __len__(self) -> int:
        """Batches of a whole epoch."""
        return self.length // self.batch_size if self.drop_last else -(-self.length // self.batch_size)

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        epoch = self._epoch
        order = np.random.default_rng([self.seed, epoch]).permutation(self.length)
        for batch in range(self._start, len(self)):
            part = order[batch * self.batch_size : (batch + 1) * self.batch_size]
            yield [(epoch, int(index)) for index in part[self._processes.rank :: self._processes.size]]
