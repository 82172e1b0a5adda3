"""The rules by which heads, codecs and losses are fed on both sides of the comparison with mmpose; numpy only.

Weights are those of `mmpose_rule.state`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

INPUT_SIZE, MAP_SIZE = (48, 64), (6, 8)  # (width, height) of the input, and of the features at stride 8
CHANNELS, JOINTS = 12, 5
#: Heads: the class's name on both sides, and the arguments that differ from mmpose's defaults.
SIMCC = {"input_size": INPUT_SIZE, "in_featuremap_size": MAP_SIZE}
GAU = {"hidden_dims": 24, "s": 10, "expansion_factor": 2, "dropout_rate": 0.0, "drop_path": 0.0}
HEADS: dict[str, tuple[str, dict[str, Any]]] = {
    "heatmap": ("HeatmapHead", {"deconv_out_channels": (8, 6), "deconv_kernel_sizes": (4, 4)}),
    "heatmap_small_kernels": ("HeatmapHead", {"deconv_out_channels": (8, 6), "deconv_kernel_sizes": (3, 2)}),
    "heatmap_plain": ("HeatmapHead", {"deconv_out_channels": (), "deconv_kernel_sizes": ()}),
    "simcc": ("SimCCHead", {**SIMCC, "deconv_out_channels": (8, 6), "deconv_kernel_sizes": (4, 4)}),
    "simcc_plain": ("SimCCHead", {**SIMCC, "simcc_split_ratio": 3.0, "deconv_out_channels": ()}),
    "rtmcc": ("RTMCCHead", {**SIMCC, "final_layer_kernel_size": 7, "act_fn": "SiLU"}),
    "rtmcc_relu": ("RTMCCHead", {**SIMCC, "final_layer_kernel_size": 1, "act_fn": "ReLU"}),
    "regression": ("RegressionHead", {}),
}
#: Codecs on both sides: SimCC's arguments.
CODECS: dict[str, dict[str, Any]] = {
    "simcc": {"sigma": 6.0},
    "simcc_rtm": {"sigma": (4.9, 5.66), "normalize": False},
    "simcc_fine": {"sigma": 2.5, "simcc_split_ratio": 3.0},
}
#: Losses: the class's name on both sides, and its arguments.
LOSSES: dict[str, tuple[str, dict[str, Any]]] = {
    "kl": ("KLDiscretLoss", {}),
    "kl_rtm": ("KLDiscretLoss", {"beta": 10.0, "label_softmax": True}),
    "kl_label_beta": ("KLDiscretLoss", {"beta": 2.0, "label_softmax": True, "label_beta": 3.0}),
    "smooth_l1": ("SmoothL1Loss", {}),
    "wing": ("WingLoss", {}),
    "wing_narrow": ("WingLoss", {"omega": 0.5, "epsilon": 0.1}),
    "ohkm": ("KeypointOHKMMSELoss", {"topk": 3}),
}


def features() -> Array:
    """(2, 12, 8, 6) float32, as of the last map of a backbone."""
    return np.random.default_rng(11).normal(0, 1, (2, CHANNELS, MAP_SIZE[1], MAP_SIZE[0])).astype(np.float32)


def joints() -> tuple[Array, Array]:
    """(4, 5, 2) float32 in input pixels, some far beyond the border, and (4, 5) float32, 1 where labelled."""
    draw = np.random.default_rng(12)
    places = draw.uniform((-25, -25), (73, 89), (4, JOINTS, 2)).astype(np.float32)
    return places, (draw.uniform(0, 1, (4, JOINTS)) < 0.8).astype(np.float32)


def distributions(bins: tuple[int, int], sigma: tuple[float, float]) -> tuple[Array, Array]:
    """Two (4, 5, bins) float32: gaussians of sum 1 about random places, over a rough floor."""
    draw = np.random.default_rng(13)
    made = []
    for count, width in zip(bins, sigma, strict=True):
        centers = draw.uniform(-2, count + 2, (4, JOINTS, 1))
        peaks = np.exp(-((np.arange(count) - centers) ** 2) / (2 * width**2)) + draw.uniform(
            0, 0.02, (4, JOINTS, count)
        )
        made.append((peaks / peaks.sum(-1, keepdims=True)).astype(np.float32))
    return made[0], made[1]


def outputs(name: str) -> tuple[list[Array], list[Array], Array]:
    """What a loss judges: outputs, targets (both lists of one or two arrays) and weights (4, 5), float64."""
    draw = np.random.default_rng(14)
    shapes = {"kl": [(96,), (128,)], "smooth": [(2,)], "wing": [(2,)], "ohkm": [(16, 12)]}[name.split("_")[0]]
    made = [draw.normal(0, 1, (4, JOINTS, *shape)) for shape in shapes]
    asked = [draw.uniform(0, 1, (4, JOINTS, *shape)) for shape in shapes]
    if name.startswith("kl"):
        made = [0.1 * one for one in made]
        asked = [np.where(one > 0.9, one, 0) for one in asked]
    return made, asked, joints()[1].astype(np.float64)


def maps() -> Array:
    """(4, 5, 16, 12) float32: gaussian peaks anywhere, also at the border, under noise."""
    draw = np.random.default_rng(15)
    x, y = draw.uniform((-1, -1), (12, 16), (4, JOINTS, 2)).transpose(2, 0, 1)[..., None, None]
    columns, rows = np.arange(12.0), np.arange(16.0)[:, None]
    peaks = np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 8) * draw.uniform(0.2, 1.5, (4, JOINTS, 1, 1))
    return (peaks + draw.normal(0, 0.01, peaks.shape)).astype(np.float32)
