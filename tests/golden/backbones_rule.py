"""What is compared of each backbone with mmpose's, and on what inputs; numpy only."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Arguments = dict[str, Any]
#: Numbers kept of each map, evenly over the flat map.
SAMPLES = 50


def _lite(num_modules: tuple[int, int, int]) -> Arguments:
    channels = ((40, 80), (40, 80, 160), (40, 80, 160, 320))
    stages = dict(
        num_modules=num_modules,
        num_branches=(2, 3, 4),
        num_blocks=(2, 2, 2),
        module_type=("LITE",) * 3,
        with_fuse=(True,) * 3,
        reduce_ratios=(8, 8, 8),
        num_channels=channels,
    )
    stem = dict(stem_channels=32, out_channels=32, expand_ratio=1)
    return {"extra": dict(stem=stem, num_stages=3, stages_spec=stages, with_head=True)}


_M: Arguments = dict(deepen_factor=0.67, widen_factor=0.75, out_indices=(0, 1, 2, 3, 4))
_TINY: Arguments = dict(deepen_factor=0.33, widen_factor=0.25, out_indices=(4,))
_PLAIN: Arguments = dict(norm_cfg=dict(type="BN"))
_STEPPED: Arguments = dict(widen_factor=0.35, out_indices=(7,))
#: By name: the class, mmpose's arguments and handkit's.
NETS: dict[str, tuple[str, Arguments, Arguments]] = {
    **{
        f"resnet{depth}": (
            "ResNet",
            dict(depth=depth, out_indices=(0, 1, 2, 3)),
            dict(depth=depth, out_indices=(0, 1, 2, 3)),
        )
        for depth in (18, 34, 50, 101, 152)
    },
    "mobilenetv2": ("MobileNetV2", dict(out_indices=tuple(range(8))), dict(out_indices=tuple(range(8)))),
    "litehrnet18": ("LiteHRNet", _lite((2, 4, 2)), {}),
    "litehrnet30": ("LiteHRNet", _lite((3, 8, 3)), dict(num_modules=(3, 8, 3))),
    "cspnext_m": ("CSPNeXt", {**_M, **_PLAIN}, _M),
    "cspnext_m_rtmdet": ("CSPNeXt", _M, dict(**_M, bn_eps=1e-3, bn_momentum=0.03)),
}
_HALF: Arguments = dict(num_stages=2, strides=(1, 2), dilations=(1, 1))
#: Nets of a training step; of ResNet its first two stages.
STEPS: dict[str, tuple[str, Arguments, Arguments]] = {
    "resnet18": ("ResNet", dict(depth=18, out_indices=(1,), **_HALF), dict(depth=18, out_indices=(1,))),
    "mobilenetv2": ("MobileNetV2", _STEPPED, _STEPPED),
    "litehrnet18": ("LiteHRNet", _lite((2, 4, 2)), {}),
    "cspnext": ("CSPNeXt", {**_TINY, **_PLAIN}, _TINY),
}


#: By class: gain of the convolutions and mean weight of the batch norms. With these, activations neither explode nor
#: forget the image on their way through the deepest net.
GAINS = {"ResNet": (1.2, 0.7), "MobileNetV2": (1.15, 1.0), "LiteHRNet": (1.15, 0.75), "CSPNeXt": (1.4, 1.0)}


def state(kind: str, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Array]:
    """Weights for every key of a net of the class `kind`, drawn from a generator seeded by the key."""
    return {key: _tensor(key, tuple(shape), *GAINS[kind]) for key, shape in shapes.items()}


def _tensor(key: str, shape: tuple[int, ...], gain: float, scale: float) -> Array:
    draw = np.random.default_rng(zlib.crc32(key.encode()))
    name = key.rpartition(".")[2]
    if name == "num_batches_tracked":
        return np.zeros(shape, np.int64)
    if name == "running_var":
        return draw.uniform(0.5, 1.5, shape).astype(np.float32)
    if name == "weight" and len(shape) == 1:
        return draw.uniform(0.7 * scale, 1.3 * scale, shape).astype(np.float32)
    if name == "weight":
        return draw.standard_normal(shape, np.float32) * np.float32(gain / np.sqrt(np.prod(shape[1:])))
    return draw.normal(0, 0.2, shape).astype(np.float32)


def images() -> Array:
    """(2, 3, 64, 96) float32, of about the spread of normalised photographs."""
    return np.random.default_rng(11).normal(0, 1, (2, 3, 64, 96)).astype(np.float32)


def step_images() -> Array:
    """(4, 3, 64, 64) float64: the batch of one training step."""
    return np.random.default_rng(12).normal(0, 1, (4, 3, 64, 64))


def slope(shape: tuple[int, ...]) -> Array:
    """The gradient of the step's loss at a map of that shape."""
    return np.random.default_rng(13).normal(0, 1, shape) / np.sqrt(np.prod(shape))


def sampled(feature: Array) -> Array:
    """(SAMPLES,) numbers of a map."""
    flat = feature.ravel()
    return flat[np.linspace(0, len(flat) - 1, SAMPLES).astype(int)]
