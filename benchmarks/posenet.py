"""OffsetPoseNet's stride against accuracy and milliseconds, as the table of docs/posenet.md.

    python benchmarks/posenet.py WEIGHTS_8 WEIGHTS_16 WEIGHTS_32 [--threads 1]

The weights are those of configs/hand_2d_keypoints/posenet_mobilenetv2_s{8,16,32}_handsynth_193x193. Accuracy is
measured on each config's val_dataset with its flip test; milliseconds are medians of one crop through network and
codec, without flip test, the three in turns.
"""

from __future__ import annotations

import argparse
import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from _timing import alternate, pin_threads, print_machine

from handkit.engine.testing import measure
from handkit.registry.config import load_config
from handkit.runtime.build import build_net

STRIDES = (8, 16, 32)
CONFIG = "hand_2d_keypoints/posenet_mobilenetv2_s{}_handsynth_193x193"


def timed(config: dict[str, Any], weights: str) -> Callable[[], object]:
    """A call that sends one crop through a config's network and codec."""
    net = build_net({**config, "checkpoint": weights, "runtime": {"type": "TorchRuntime"}, "flip_test": None})
    width, height = config["codec"]["input_size"]
    crop = np.random.default_rng(0).integers(0, 256, (1, height, width, 3), np.uint8)
    return functools.partial(net, {"img": crop})


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", nargs=len(STRIDES), help="of the strides 8, 16 and 32")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device")
    options = parser.parse_args(arguments)
    pin_threads(options.threads)
    print_machine(options.threads, ("torch", "numpy"))
    configs = {stride: load_config(CONFIG.format(stride)) for stride in STRIDES}
    weights = dict(zip(STRIDES, options.weights, strict=True))
    times = alternate({str(stride): timed(configs[stride], weights[stride]) for stride in STRIDES})
    print("| output_stride | cells | PCK@0.2 | PCK@0.1 | NME | ms |")
    print("| --- | --- | --- | --- | --- | --- |")
    for stride in STRIDES:
        cells = (configs[stride]["codec"]["input_size"][0] - 1) // stride + 1
        values = measure(configs[stride], weights[stride], options.device).values
        scores = " | ".join(f"{values[name]:.3f}" for name in ("PCK@0.2", "PCK@0.1", "NME"))
        print(f"| {stride} | {cells} x {cells} | {scores} | {times[str(stride)] * 1e3:.1f} |")


if __name__ == "__main__":
    main()
