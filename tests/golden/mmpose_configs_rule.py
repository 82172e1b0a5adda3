"""Which of mmpose's configs are run on both sides, and on what; numpy only.

Weights are those of `mmpose_rule.state`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
#: Names of `published_configs.json`, see `make_config_golden.FILES`.
NETS = (
    *("coco_hrnet", "hrnet", "rhd_udp", "coco_resnet", "coco_rtmpose"),
    *("coco_scnet", "coco_hourglass", "hand5"),
)
#: Numbers kept of each output, evenly over the flat array.
SAMPLES = 500


def picture() -> Array:
    """(1, 3, 256, 256) float32: what a network takes, of coarse and fine noise."""
    draw = np.random.default_rng(21)
    coarse = np.repeat(np.repeat(draw.normal(0, 1, (1, 3, 16, 16)), 16, axis=2), 16, axis=3)
    return (coarse + draw.normal(0, 0.3, (1, 3, 256, 256))).astype(np.float32)


def sampled(value: Array) -> Array:
    """`SAMPLES` of its numbers."""
    flat = np.asarray(value).ravel()
    return flat[np.linspace(0, flat.size - 1, SAMPLES).astype(int)]
