"""Makes metrics.npz: values of mmpose 1.3.2's metrics on drawn joints, edge cases included.

Run in an environment with mmpose: ``python make_metrics_golden.py metrics.npz``. Every case has its inputs
(``CASE_predicted``, ``CASE_labelled``, ``CASE_visible``, ``CASE_boxes``) and mmpose's values
(``CASE_pck@T``, ``CASE_auc``, ``CASE_epe``, ``CASE_nme``).
"""

import sys
import warnings

import numpy as np
from mmpose.evaluation.functional import keypoint_auc, keypoint_epe, keypoint_nme, keypoint_pck_accuracy

THRESHOLDS = (0.05, 0.1, 0.2)


def drawn(seed, hands=12, joints=21, noise=8.0):
    """Joints of hands of many sizes, 30 % unlabelled, predictions off by gaussian noise."""
    rng = np.random.default_rng(seed)
    sizes = rng.uniform(20, 250, (hands, 1, 1))
    labelled = (rng.uniform(0, 300, (hands, 1, 2)) + rng.uniform(0, 1, (hands, joints, 2)) * sizes).round(2)
    predicted = labelled + rng.normal(0, noise, labelled.shape).round(2)
    visible = rng.uniform(size=(hands, joints)) > 0.3
    boxes = np.concatenate([labelled.min(1), labelled.max(1)], -1)
    return {"predicted": predicted, "labelled": labelled, "visible": visible, "boxes": boxes}


def cases():
    """Name -> inputs."""
    made = {"plain": drawn(0), "coarse": drawn(1, noise=40.0), "one_hand": drawn(2, hands=1)}
    made["perfect"] = drawn(3)
    made["perfect"]["predicted"] = made["perfect"]["labelled"].copy()
    made["unlabelled_joint"] = drawn(4)
    made["unlabelled_joint"]["visible"][:, [0, 7]] = False
    made["nothing_labelled"] = drawn(5, hands=3)
    made["nothing_labelled"]["visible"][:] = False
    made["nan_prediction"] = drawn(6)
    made["nan_prediction"]["predicted"][3, 4] = np.nan
    made["nan_prediction"]["visible"][3, 4] = True
    made["empty_box"] = drawn(7)
    made["empty_box"]["boxes"][2] = 10.0
    made["on_the_threshold"] = drawn(8)
    steps = np.arange(12)[:, None] + np.arange(21)
    made["on_the_threshold"]["labelled"][:] = 0.0
    made["on_the_threshold"]["predicted"] = np.stack([1.5 * (steps % 22), 0.0 * steps], -1)
    made["on_the_threshold"]["boxes"] = np.tile([0.0, 0.0, 60.0, 30.0], (12, 1))
    return made


def values(case):
    """mmpose's numbers; it writes into its arguments, hence the copies."""
    predicted, labelled, visible = case["predicted"], case["labelled"], case["visible"]
    sides = (case["boxes"][:, 2:] - case["boxes"][:, :2]).max(-1)
    normaliser = np.stack([sides, sides], -1)
    out = {
        "auc": keypoint_auc(predicted, labelled, visible, 30),
        "epe": keypoint_epe(predicted, labelled, visible),
        "nme": keypoint_nme(predicted, labelled, visible, normaliser.copy()),
    }
    for threshold in THRESHOLDS:
        out[f"pck@{threshold}"] = keypoint_pck_accuracy(predicted, labelled, visible, threshold, normaliser.copy())[1]
    return out


def main():
    """Writes the file named on the command line."""
    arrays = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        for name, case in cases().items():
            arrays |= {f"{name}_{key}": value for key, value in {**case, **values(case)}.items()}
    np.savez_compressed(sys.argv[1], **arrays)


if __name__ == "__main__":
    main()
