"""MaskIoU: by hand, over images drawn several times, and what has no masks."""

from __future__ import annotations

import math

import numpy as np
import pytest

from handkit.errors import ConfigError, DataError
from handkit.metrics import EPE, HandSamples, MaskIoU
from handkit.metrics.masks import mask_pixels

LABELS = np.array([[[1, 1], [2, 0]], [[0, 0], [2, 0]], [[1, 1], [1, 1]]], np.uint8)
TOLD = np.array([[[0.9, 0.1], [0.6, 0.2]], [[0.1, 0.2], [0.3, 0.4]], [[0.5, 0.7], [0.8, 0.9]]])


def test_pixels_are_counted_and_other_things_are_no_hand() -> None:
    assert mask_pixels(TOLD, LABELS).tolist() == [[1, 3], [0, 0], [4, 4]]


def test_pooled_and_per_image() -> None:
    samples = HandSamples.of_masks(mask_pixels(TOLD, LABELS))
    assert MaskIoU().compute(samples) == {"IoU": pytest.approx(5 / 7), "IoU_image": pytest.approx((1 / 3 + 1) / 2)}
    parts = [HandSamples.of_masks(mask_pixels(TOLD[i : i + 1], LABELS[i : i + 1])) for i in range(3)]
    joined = HandSamples.concatenate(parts)
    assert MaskIoU().compute(joined) == MaskIoU().compute(samples)
    twice = MaskIoU().resampled(joined, np.array([[2.0, 1, 1], [0, 1, 0]]))
    assert twice["IoU"][0] == pytest.approx(6 / 10)
    assert math.isnan(twice["IoU"][1])
    assert math.isnan(EPE().compute(joined)["EPE"])


def test_other_sizes_and_samples_without_masks_are_refused() -> None:
    with pytest.raises(DataError, match="do not fit predictions"):
        mask_pixels(TOLD, LABELS[:, :1])
    with pytest.raises(ConfigError, match="task='hand_segmentation'"):
        MaskIoU().compute(HandSamples.of_negatives([()]))
    with pytest.raises(DataError, match="masks are whole"):
        HandSamples.of_masks(mask_pixels(TOLD, LABELS)).grouped(np.zeros(3, int))
