"""What a detector returns: where hands may be in one image."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from handkit.errors import DataError
from handkit.masks import checked_masks, run_lengths

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Detections:
    """N candidate hands of one image, best first. Arrays are float32, masks bool, and read-only.

    Args:
        boxes: (N, 4) xyxy in pixels of the image, integers at pixel centres. With `rotations`, each is a rectangle that
            is to be turned about its own centre.
        scores: (N,) in [0, 1].
        rotations: (N,) radians, clockwise on the screen, by which the hand's upright (wrist below the middle finger) is
            turned; None for a detector that does not know.
        masks: (N, H, W) bool, which pixels of the image show each; None for a detector that tells none.

    Raises:
        DataError: shapes that disagree or values that are not finite.
    """

    boxes: Array
    scores: Array
    rotations: Array | None = None
    masks: Array | None = None

    def __post_init__(self) -> None:
        count = len(self.scores)
        for name, shape in (("boxes", (count, 4)), ("scores", (count,)), ("rotations", (count,))):
            if getattr(self, name) is None:
                continue
            value = np.array(getattr(self, name), np.float32)
            if value.shape != shape or not np.isfinite(value).all():
                raise DataError(f"Detections.{name} needs {shape} finite numbers, got the shape {value.shape}")
            value.setflags(write=False)
            object.__setattr__(self, name, value)
        if self.masks is not None:
            object.__setattr__(self, "masks", checked_masks(self.masks, count, name="Detections.masks"))

    @classmethod
    def empty(cls) -> Detections:
        """No candidate."""
        return cls(np.zeros((0, 4)), np.zeros(0))

    def __len__(self) -> int:
        return len(self.scores)

    def __getitem__(self, key: Any) -> Detections:
        """The rows an index, a slice, a mask or an array of indices picks."""
        rows = np.atleast_1d(np.arange(len(self))[key])
        known = (None if value is None else value[rows] for value in (self.rotations, self.masks))
        return Detections(self.boxes[rows], self.scores[rows], *known)

    def __iter__(self) -> Iterator[Detections]:
        """The candidates one by one."""
        return (self[row] for row in range(len(self)))

    def to_dict(self) -> dict[str, Any]:
        """Plain lists under the field names; masks as COCO's compressed run lengths."""
        out: dict[str, Any] = {"boxes": self.boxes.tolist(), "box_scores": self.scores.tolist()}
        if self.rotations is not None:
            out["rotations"] = self.rotations.tolist()
        if self.masks is not None:
            out["masks"] = run_lengths(self.masks)
        return out
