"""A data set as training sees it: after its transforms, whose randomness depends on three numbers only."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np

from handkit.transforms.base import Sample


class HandDataset(Protocol):
    """What a registered data set offers.

    One whose samples change from epoch to epoch also has ``set_epoch(epoch)``, one that chooses among them by chance
    ``set_seed(seed)``.
    """

    def __len__(self) -> int:
        """How many samples an epoch has."""
        ...

    def __getitem__(self, index: int) -> Sample:
        """A sample with keys of `handkit.transforms.base.SAMPLE_KEYS`."""
        ...


def set_epoch(dataset: HandDataset, epoch: int) -> None:
    """Tells the epoch to a data set that wants to know."""
    if (method := getattr(dataset, "set_epoch", None)) is not None:
        method(epoch)


def set_seed(dataset: HandDataset, seed: int) -> None:
    """Tells a training's seed to a data set that chooses by chance; one that names a seed of its own keeps that."""
    if (method := getattr(dataset, "set_seed", None)) is not None:
        method(seed)


class TrainingView:
    """Samples after a list of transforms; each is a pure function of (seed, epoch, index).

    The sample that the first transform gets holds `rng`, ``np.random.default_rng([seed, epoch, index])``, the only
    source of randomness.

    ``view[index]`` is of the epoch last set; ``view[epoch, index]`` sets it, so that a sampler can tell the epoch to
    worker processes that outlive one.

    Args:
        dataset: the raw samples.
        transforms: applied one after the other, all of them to the single sample.
        seed: another seed, another augmentation and other members of mixtures that name no seed; not negative.
    """

    def __init__(self, dataset: HandDataset, transforms: Sequence[Callable[[Sample], Sample]], seed: int = 0) -> None:
        self.dataset = dataset
        self.transforms = list(transforms)
        self.seed = seed
        set_seed(dataset, seed)
        self.epoch = -1
        self.set_epoch(0)

    def set_epoch(self, epoch: int) -> None:
        """Sets the epoch of the samples to come."""
        if epoch != self.epoch:
            self.epoch = epoch
            set_epoch(self.dataset, epoch)

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, key: int | tuple[int, int]) -> Sample:
        """A sample by its index in the epoch last set (at first 0), or by (epoch, index)."""
        epoch, index = key if isinstance(key, tuple) else (self.epoch, key)
        self.set_epoch(epoch)
        if not -len(self) <= index < len(self):
            raise IndexError(f"sample {index} of {len(self)}")
        index %= len(self)
        sample = {**self.dataset[index], "rng": np.random.default_rng([self.seed, self.epoch, index])}
        for transform in self.transforms:
            sample = transform(sample)
        return sample
