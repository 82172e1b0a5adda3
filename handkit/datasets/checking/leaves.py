"""The single data sets that a config's mixtures are made of, and what their samples say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from handkit.datasets.reader import HandReader
from handkit.datasets.view import HandDataset


@dataclass(frozen=True, eq=False)
class Leaf:
    """A data set that holds no other.

    Args:
        where: how findings call it, e.g. ``train_dataset, hands/train.json``.
        dataset: it.
        count: its length; of mixtures it may be taken in part.
    """

    where: str
    dataset: HandDataset
    count: int

    @property
    def reader(self) -> HandReader | None:
        """The data set, if it reads an annotation file."""
        return self.dataset if isinstance(self.dataset, HandReader) else None

    def indices(self, limit: int) -> list[int]:
        """At most so many places of samples, spread evenly."""
        return spread(self.count, limit)


def spread(count: int, limit: int) -> list[int]:
    """At most `limit` of the numbers below `count`, spread evenly."""
    places: list[int] = np.unique(np.linspace(0, count - 1, min(count, limit)).astype(int)).tolist()
    return places


def leaves(role: str, dataset: HandDataset) -> list[Leaf]:
    """The leaves of a data set; one that reads the same labels as another counts once."""
    found: dict[Any, Leaf] = {}
    for leaf in _walk(dataset):
        reader = leaf if isinstance(leaf, HandReader) else None
        settings = None if reader is None else (reader.index.path, reader.sources, reader.max_disagreement)
        name = type(leaf).__name__ if reader is None else str(reader.index.path)
        found.setdefault(id(leaf) if settings is None else settings, Leaf(f"{role}, {name}", leaf, len(leaf)))
    return list(found.values())


def _walk(dataset: HandDataset) -> Iterator[HandDataset]:
    inner = getattr(dataset, "datasets", None) or [getattr(dataset, "dataset", None)]
    if inner == [None]:
        yield dataset
        return
    for part in inner:
        yield from _walk(part)
