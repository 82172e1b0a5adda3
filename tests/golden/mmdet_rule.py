"""The rules by which weights and images are made on both sides of the comparison with mmdet; numpy only."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np

IMAGE_COUNT = 20
#: Keeps activations near 1. From 1.25 on the random net amplifies the last bits of a float32 to whole pixels.
_GAIN = 1.15
#: Of the last convolutions: spread of the logits and of the deltas.
_HEAD_GAINS = {"cls_convs": 0.9, "reg_convs": 0.6}
#: Bias against the hand, so that about a tenth of the anchors score above .02.
_BACKGROUND = 3.25


def state(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, np.ndarray[Any, Any]]:
    """Weights for every key of a MobileNetV2-SSDLite, drawn from a generator seeded by the key.

    Even channels of the class convolutions' biases belong to the hand, odd ones to the background.
    """
    return {key: _tensor(key, tuple(shape)) for key, shape in shapes.items()}


def _tensor(key: str, shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
    draw = np.random.default_rng(zlib.crc32(key.encode()))
    name = key.rpartition(".")[2]
    if name == "num_batches_tracked":
        return np.zeros(shape, np.int64)
    if name == "running_var":
        return draw.uniform(0.5, 1.5, shape).astype(np.float32)
    if name == "weight" and len(shape) == 1:
        return draw.uniform(0.7, 1.3, shape).astype(np.float32)
    if name == "weight":
        head = next((gain for branch, gain in _HEAD_GAINS.items() if branch in key and shape[1] > 1), None)
        gain = _GAIN if head is None else head
        return (gain / np.sqrt(np.prod(shape[1:])) * draw.standard_normal(shape)).astype(np.float32)
    shift = np.resize([-_BACKGROUND, _BACKGROUND], shape) if "cls_convs" in key and ".bn." not in key else 0.0
    return draw.normal(shift, 0.3, shape).astype(np.float32)


def step_images() -> np.ndarray[Any, Any]:
    """(6, 3, 320, 320) float32: the batch of one training step, coloured blocks under a grain."""
    draw = np.random.default_rng(100)
    blocks = draw.normal(0, 1, (6, 3, 16, 16)).repeat(20, axis=2).repeat(20, axis=3)
    return (blocks + draw.normal(0, 0.2, blocks.shape)).astype(np.float32)


#: xyxy in pixels of `step_images`. In turn: one hand; none; two that overlap and want the same anchors; one too small
#: and one too thin for any anchor to overlap half of it; one in a corner; four.
STEP_BOXES: tuple[list[list[float]], ...] = (
    [[60.5, 80.25, 180.0, 210.5]],
    [],
    [[100.0, 100.0, 200.0, 200.0], [104.0, 98.0, 206.0, 203.0]],
    [[33.0, 41.0, 45.0, 52.0], [10.0, 200.0, 310.0, 212.0]],
    [[240.0, 250.0, 320.0, 320.0]],
    [[5.0, 5.0, 90.0, 60.0], [120.0, 8.0, 220.0, 150.0], [12.0, 170.0, 150.0, 300.0], [180.0, 180.0, 300.0, 310.0]],
)


def images(count: int = IMAGE_COUNT) -> list[np.ndarray[Any, Any]]:
    """(H, W, 3) uint8 RGB images of 40 to 700 pixels a side: coloured blocks under a grain."""
    made = []
    for index in range(count):
        draw = np.random.default_rng(index)
        height, width = draw.integers(40, 700, 2)
        blocks = draw.integers(0, 256, (*draw.integers(2, 12, 2), 3))
        rows = np.arange(height) * blocks.shape[0] // height
        columns = np.arange(width) * blocks.shape[1] // width
        grain = draw.integers(-20, 21, (height, width, 3))
        made.append(np.clip(blocks[rows][:, columns] + grain, 0, 255).astype(np.uint8))
    return made
