"""What a measurement leaves for whoever wants more than its numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from numpy.typing import NDArray

from handkit.errors import DataError
from handkit.metrics.samples import HandSamples
from handkit.metrics.scores import Scores


@dataclass(frozen=True, eq=False)
class Measurement:
    """N labelled hands, what was predicted for them, and the numbers of that.

    Args:
        scores: the numbers.
        samples: the hands.
        names: per hand a name that stays the same from run to run.
        picture: the number of a hand -> (H, W, 3) uint8 RGB, the image that its joints lie in.
        options: what was measured on what, and how.

    Raises:
        DataError: another number of names than hands.
    """

    scores: Scores
    samples: HandSamples
    names: tuple[str, ...]
    picture: Callable[[int], NDArray[Any]]
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(self.names) != len(self.samples):
            raise DataError(f"a Measurement of {len(self.samples)} hands needs as many names, got {len(self.names)}")


#: Takes a measurement when it is done.
Listener: TypeAlias = "Callable[[Measurement], None]"
