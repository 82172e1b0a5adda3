"""Which crops show a hand, and how sure a model is of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class PresenceSamples:
    """C crops of I images, of hands and of none.

    Args:
        hands: (C,) bool.
        probabilities: (C,) predicted.
        images: (C,) the image of each, 0 .. I - 1.
    """

    hands: Array
    probabilities: Array
    images: Array

    def grouped(self, images: Array) -> PresenceSamples:
        """The same crops, where several of the I images are one; `images` (I,) are their new numbers."""
        return replace(self, images=images[self.images])

    @classmethod
    def concatenate(cls, parts: Sequence[PresenceSamples], first_images: Sequence[int]) -> PresenceSamples:
        """Parts with images of their own, one after the other, those of part i numbered from ``first_images[i]`` on."""
        return cls(
            np.concatenate([part.hands for part in parts]),
            np.concatenate([part.probabilities for part in parts]),
            np.concatenate([part.images + first for part, first in zip(parts, first_images, strict=True)]),
        )
