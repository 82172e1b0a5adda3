"""What hands do, and what they are said to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class GestureSamples:
    """Gestures of N hands.

    Args:
        labelled: (N,) indices into `classes`.
        predicted: (N,) likewise.
        classes: the gestures' names.
    """

    labelled: Array
    predicted: Array
    classes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.labelled)

    def confusion(self) -> Array:
        """(C, C) how many hands of a class (row) were taken for which (column)."""
        counts = np.zeros((len(self.classes), len(self.classes)), np.int64)
        np.add.at(counts, (self.labelled, self.predicted), 1)
        return counts

    @classmethod
    def concatenate(cls, parts: Sequence[GestureSamples]) -> GestureSamples:
        """Parts with the same classes, one after the other."""
        labelled, predicted = (np.concatenate([getattr(part, key) for part in parts]) for key in _COLUMNS)
        return cls(labelled, predicted, parts[0].classes)


_COLUMNS = ("labelled", "predicted")
