"""What a detector is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from numpy.typing import NDArray

from handkit.detections import Detections


class Detector(Protocol):
    """Answers where hands may be."""

    def detect(self, images: Sequence[NDArray[Any]]) -> list[Detections]:
        """(H, W, 3) uint8 RGB images -> as many `Detections`, above the detector's threshold, best first."""
        ...
