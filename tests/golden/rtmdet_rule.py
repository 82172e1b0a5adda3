"""The rules by which RTMDet's weights and inputs are made on both sides of the comparison with mmdet; numpy only."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
#: Keeps activations near 1 on their way through the net.
_GAIN = 1.4
#: Bias of the logits, so that about a tenth of the points score above .05.
_LOGIT = -5.5
#: Of a second net, with shared convolutions and exponentials: arguments of both sides' neck and head, and the maps.
SHARED_NECK: dict[str, Any] = dict(in_channels=(8, 12, 16), out_channels=8, num_csp_blocks=2)
SHARED_HEAD: dict[str, Any] = dict(
    in_channels=8, feat_channels=12, stacked_convs=2, share_conv=True, exp_on_reg=True, pred_kernel_size=3
)


def state(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Array]:
    """Weights for every key, drawn from a generator seeded by the key; those of shared layers by the first level's."""
    return {key: _tensor(key, tuple(shape)) for key, shape in shapes.items()}


def _tensor(key: str, shape: tuple[int, ...]) -> Array:
    draw = np.random.default_rng(zlib.crc32(key.encode()))
    name = key.rpartition(".")[2]
    if name == "num_batches_tracked":
        return np.zeros(shape, np.int64)
    if name == "running_var":
        return draw.uniform(0.5, 1.5, shape).astype(np.float32)
    if name == "weight" and len(shape) == 1:
        return draw.uniform(0.7, 1.3, shape).astype(np.float32)
    if name == "weight":
        return (_GAIN / np.sqrt(np.prod(shape[1:])) * draw.standard_normal(shape)).astype(np.float32)
    shift = _LOGIT if "rtm_cls" in key else 3.0 if "rtm_reg" in key else 0.0
    return draw.normal(shift, 0.3, shape).astype(np.float32)


def maps() -> list[Array]:
    """Inputs of the second net's neck: (2, C, H, W) float32 of three levels."""
    draw = np.random.default_rng(21)
    sides = zip(SHARED_NECK["in_channels"], (12, 6, 3), (16, 8, 4), strict=True)
    return [draw.normal(0, 1, (2, *shape)).astype(np.float32) for shape in sides]
