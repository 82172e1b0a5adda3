"""Images -> one batch -> the joints of all their hands -> `Hands`, without a detector."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from handkit.detections import Detections
from handkit.errors import DataError
from handkit.hands import Hands
from handkit.runtime.base import Net
from handkit.skeleton import HAND, Skeleton
from handkit.transforms import ImageTransform, Sample

Array = NDArray[Any]


@dataclass(frozen=True)
class BottomUp:
    """Finds the joints of all hands of an image at once, and puts them back into it.

    Args:
        image_transforms: the image transforms behind `LoadImage`; one of them notes the `crop`, as `BottomUpResize`.
        net: batch of images -> ``keypoints`` (N, M, K, 2) in input pixels, ``scores`` (N, M, K) and ``hand_scores``
            (N, M), rows beyond an image's own hands scoring 0.
        box_threshold: hands that score less are dropped; None keeps what the codec has found.
        max_hands: most hands per image, the best kept; None for all.
        batch_size: images per run of the net.
        skeleton: the joints the net answers.
    """

    image_transforms: Sequence[ImageTransform]
    net: Net
    box_threshold: float | None = None
    max_hands: int | None = None
    batch_size: int = 8
    skeleton: Skeleton = HAND

    def __call__(self, images: Sequence[Sample], given: Sequence[Detections | None]) -> list[Hands]:
        """Answers images in order.

        Args:
            images: samples with `img` and `image_size`.
            given: None for each.

        Raises:
            DataError: the caller gave boxes.
        """
        if any(boxes is not None for boxes in given):
            raise DataError(
                "boxes are for pipelines that cut hands out; this one finds all hands of an image by their joints: "
                "leave boxes out"
            )
        found: list[Hands] = []
        for start in range(0, len(images), self.batch_size):
            found += self._answer(images[start : start + self.batch_size])
        return found

    def _answer(self, images: Sequence[Sample]) -> list[Hands]:
        fitted = []
        for sample in images:
            for transform in self.image_transforms:
                sample = transform(sample)
            fitted.append(sample)
        outputs = self.net({"img": np.stack([sample["img"] for sample in fitted])})
        answers = []
        columns = (outputs[name] for name in ("keypoints", "scores", "hand_scores"))
        for sample, points, scores, hand_scores in zip(fitted, *columns, strict=True):
            points = sample["crop"].inverse_points(points)
            hands = Hands.of_joints(points, scores, hand_scores, sample["image_size"], self.skeleton)
            answers.append(hands[hands.box_scores >= (self.box_threshold or 0)][: self.max_hands])
        return answers
