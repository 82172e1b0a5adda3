"""DARK decoding of 32 hands x 21 maps of 64x64: handkit's batched codec against mmpose 1.3.2's.

    PYTHONPATH=. PEERS/bin/python benchmarks/decode.py

where PEERS is an environment with mmpose 1.3.2. The maps are gaussians of differing height under noise, so that no
denormal numbers slow either side. Exits with 1 unless handkit is 10 times as fast and all joints agree to 1e-3 px.
"""

from __future__ import annotations

import argparse
import sys
from typing import Any

import numpy as np
from _timing import alternate, pin_threads, print_expected, print_machine, print_ratio

HANDS, JOINTS = 32, 21
#: Seconds that mmpose takes for the 32 hands on one core of a Xeon (Sapphire Rapids).
KNOWN_PEER_SECONDS = 0.034


def noisy_maps(seed: int = 0) -> Any:
    """(32, 21, 64, 64) float32 maps of joints anywhere in the crop."""
    draw = np.random.default_rng(seed)
    x, y = draw.uniform(1, 62, (2, HANDS, JOINTS, 1, 1))
    cells = np.arange(64.0)
    peaks = np.exp(-((cells - x) ** 2 + (cells[:, None] - y) ** 2) / 8) * draw.uniform(0.3, 1, x.shape)
    return (peaks + draw.normal(0, 0.01, peaks.shape)).astype(np.float32)


def main() -> int:
    """Runs the comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=1)
    threads = parser.parse_args().threads
    pin_threads(threads)
    try:
        from mmpose.codecs import MSRAHeatmap
    except ImportError as error:
        sys.exit(f"this comparison needs mmpose 1.3.2 in the environment it runs in: {error}")
    from handkit.codecs.gaussian_heatmap import GaussianHeatmap

    maps = noisy_maps()
    ours = GaussianHeatmap(max_offset=None)
    theirs = MSRAHeatmap(input_size=(256, 256), heatmap_size=(64, 64), sigma=2, unbiased=True)

    def decode_ours() -> Any:
        return ours.decode({"heatmaps": maps})[0]

    def decode_theirs() -> Any:
        return np.concatenate([theirs.decode(hand)[0] for hand in maps])

    print_machine(threads, ["torch", "numpy", "opencv-python-headless", "mmpose"])
    difference = np.abs(decode_ours() - decode_theirs()).max()
    medians = alternate({"handkit": decode_ours, "mmpose": decode_theirs})
    ratio = print_ratio(medians, "handkit", "mmpose")
    print_expected("mmpose", medians["mmpose"], KNOWN_PEER_SECONDS)
    print(f"largest difference of a joint: {difference:.1e} px of the 256 input")
    return int(ratio < 10 or difference > 1e-3)


if __name__ == "__main__":
    sys.exit(main())
