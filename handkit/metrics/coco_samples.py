"""What boxes and joints of whole images have in common: labels and predictions, each of an image, paired by COCO."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from handkit.errors import DataError
from handkit.metrics.coco_evaluation import CocoEvaluation

if TYPE_CHECKING:
    from typing_extensions import Self

Array = NDArray[Any]


class CocoSamples:
    """Columns of N labelled and P predicted things of I images: the methods of dataclasses that hold them.

    Attributes:
        label_columns: names of the columns with N rows.
        prediction_columns: names of those with P rows.
        label_images: (N,) the image of each, 0 .. I - 1.
        predicted_images: (P,) the same.
        images: I.
    """

    label_columns: ClassVar[tuple[str, ...]]
    prediction_columns: ClassVar[tuple[str, ...]]
    label_images: Array
    predicted_images: Array
    images: int

    def __post_init__(self) -> None:
        for names in (self.label_columns, self.prediction_columns):
            rows = {name: len(getattr(self, name)) for name in names}
            if len(set(rows.values())) > 1:
                raise DataError(f"{type(self).__name__} needs as many rows in each of these columns, got {rows}")

    @classmethod
    def concatenate(cls, parts: Sequence[Self]) -> Self:
        """Parts with images of their own, one after the other."""
        first = np.cumsum([0, *(part.images for part in parts)])
        names = (*cls.label_columns, *cls.prediction_columns)
        columns: dict[str, Any] = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
        for name in ("label_images", "predicted_images"):
            columns[name] = np.concatenate(
                [getattr(part, name) + start for part, start in zip(parts, first[:-1], strict=True)]
            )
        columns["images"] = int(first[-1])
        return cls(**columns)

    def accumulate(self, images: Sequence[int]) -> tuple[Array, Array]:
        """COCO's numbers over a list of images, in which one may stand more than once.

        Returns:
            (10, 101) precision at recalls 0, 0.01 .. 1 and (10,) recall, at the thresholds 0.5, 0.55 .. 0.95 of the
            boxes' intersection over union or the joints' similarity; NaN without a label that counts.
        """
        return self.evaluation.accumulate(images)

    @property
    def evaluation(self) -> CocoEvaluation:
        """The pairs of all images, found once."""
        raise NotImplementedError
