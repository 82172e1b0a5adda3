"""PCK, AUC and EPE of 8,000 hands x 21 joints: handkit's registered metrics against mmpose 1.3.2's functions.

    OMP_NUM_THREADS=1 PYTHONPATH=. PEERS/bin/python benchmarks/metrics.py

where PEERS is an environment with mmpose 1.3.2. Exits with 1 unless handkit is 10 times as fast and all values agree to
1e-6.
"""

from __future__ import annotations

import argparse
import sys

import numpy as np
from _timing import alternate, pin_threads, print_expected, print_machine, print_ratio

HANDS, JOINTS = 8000, 21
#: Seconds that mmpose takes for the three on one core of a Xeon (Sapphire Rapids).
KNOWN_PEER_SECONDS = 0.3


def main() -> int:
    """Runs the comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=20)
    turns = parser.parse_args().turns
    pin_threads(1)
    try:
        from mmpose.evaluation.functional import keypoint_auc, keypoint_epe, keypoint_pck_accuracy
    except ImportError as error:
        sys.exit(f"this comparison needs mmpose 1.3.2 in the environment it runs in: {error}")
    from handkit.metrics import AUC, EPE, PCK, HandSamples

    rng = np.random.default_rng(0)
    labels = rng.uniform(0, 300, (HANDS, JOINTS, 2))
    predicted = labels + rng.normal(0, 9, labels.shape)
    visible = rng.uniform(size=(HANDS, JOINTS)) < 0.8
    corners = rng.uniform(0, 100, (HANDS, 2))
    boxes = np.concatenate([corners, corners + rng.uniform(50, 200, (HANDS, 2))], 1)
    sides = np.repeat((boxes[:, 2:] - boxes[:, :2]).max(1)[:, None], 2, axis=1)

    def ours() -> tuple[float, float, float]:
        samples = HandSamples(
            labels=labels,
            visible=visible.astype(np.uint8),
            boxes=boxes,
            sides=(None,) * HANDS,
            predicted=predicted,
            predicted_sides=(None,) * HANDS,
            found=np.ones(HANDS, bool),
            images=np.arange(HANDS),
            unmatched=np.zeros(HANDS, int),
        )
        return PCK().compute(samples)["PCK@0.2"], AUC().compute(samples)["AUC"], EPE().compute(samples)["EPE"]

    def theirs() -> tuple[float, float, float]:
        pck = keypoint_pck_accuracy(predicted, labels, visible, 0.2, sides)[1]
        auc = keypoint_auc(predicted, labels, visible, 30, 20)
        return pck, auc, keypoint_epe(predicted, labels, visible)

    print_machine(1, ["numpy", "mmpose"])
    difference = max(abs(a - b) for a, b in zip(ours(), theirs(), strict=True))
    medians = alternate({"handkit": ours, "mmpose": theirs}, turns)
    ratio = print_ratio(medians, "handkit", "mmpose")
    print_expected("mmpose", medians["mmpose"], KNOWN_PEER_SECONDS)
    print(f"largest difference of a value: {difference:.1e}")
    return int(ratio < 10 or difference > 1e-6)


if __name__ == "__main__":
    sys.exit(main())
