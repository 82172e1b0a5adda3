"""Targets of 32 hands x 21 joints, maps of 64x64: handkit's batched codec against mmpose 1.3.2's.

    PYTHONPATH=. PEERS/bin/python benchmarks/encode.py

where PEERS is an environment with mmpose 1.3.2. Exits with 1 unless handkit is 4 times as fast, from numpy and from
torch, and all values agree to 1e-6.
"""

from __future__ import annotations

import argparse
import sys
from typing import Any

import numpy as np
import torch
from _timing import alternate, pin_threads, print_expected, print_machine, print_ratio

HANDS, JOINTS = 32, 21
#: Seconds that mmpose takes for the 32 hands on one core of a Xeon (Sapphire Rapids).
KNOWN_PEER_SECONDS = 0.0159


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

    joints = np.random.default_rng(0).uniform(0, 255, (HANDS, JOINTS, 2)).astype(np.float32)
    visible = np.ones((HANDS, JOINTS), np.float32)
    ours = GaussianHeatmap()
    theirs = MSRAHeatmap(input_size=(256, 256), heatmap_size=(64, 64), sigma=2, unbiased=True)

    def encode_ours() -> Any:
        return ours.encode(joints, visible)["heatmaps"]

    def encode_torch() -> Any:
        return ours.encode(torch.from_numpy(joints), torch.from_numpy(visible))["heatmaps"]

    def encode_theirs() -> Any:
        hands = zip(joints[:, None], visible[:, None], strict=True)
        return [theirs.encode(*hand)["heatmaps"] for hand in hands]

    print_machine(threads, ["torch", "numpy", "mmpose"])
    wanted = np.stack(encode_theirs())
    difference = max(np.abs(encode_ours() - wanted).max(), np.abs(encode_torch().numpy() - wanted).max())
    medians = alternate({"handkit": encode_ours, "handkit on torch": encode_torch, "mmpose": encode_theirs})
    ratios = [print_ratio(medians, name, "mmpose") for name in ("handkit", "handkit on torch")]
    print_expected("mmpose", medians["mmpose"], KNOWN_PEER_SECONDS)
    print(f"largest difference of a value: {difference:.1e}")
    return int(min(ratios) < 4 or difference > 1e-6)


if __name__ == "__main__":
    sys.exit(main())
