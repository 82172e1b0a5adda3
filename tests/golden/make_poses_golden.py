"""Makes poses.npz: what pycocotools says about a few sets of hands, and mmpose about a few in space.

    PEERS/bin/python tests/golden/make_poses_golden.py

where PEERS is an environment with pycocotools and mmpose. Per case NAME: the columns of `PoseSamples` as NAME_labels,
NAME_visible .., and NAME_values: AP, AP50, AP75 and AR, -1 where pycocotools has none. For space: xyz_predicted,
xyz_labelled (N, 21, 3) metres, and xyz_mpjpe, xyz_pa_mpjpe in millimetres; the first hand is the
mirror image of its label.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from mmpose.evaluation.functional import keypoint_mpjpe
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

Case = dict[str, Any]
SIGMAS = (
    *(0.029, 0.022, 0.035, 0.037, 0.047, 0.026, 0.025, 0.024, 0.035, 0.018, 0.024),
    *(0.022, 0.026, 0.017, 0.021, 0.021, 0.032, 0.02, 0.019, 0.022, 0.031),
)
LABELS = ("labels", "visible", "boxes", "ignored", "label_images")
PREDICTIONS = ("predicted", "scores", "predicted_images")


def scene(seed: int, images: int, hands: int, hidden: float = 0.0, crowds: float = 0.0, ties: bool = False) -> Case:
    """Up to `hands` labels per image; four fifths are found more or less, some twice, and some are nowhere."""
    rng = np.random.default_rng(seed)
    label_images = np.repeat(np.arange(images), rng.integers(0, hands + 1, images))
    size = rng.uniform(40, 200, (len(label_images), 1, 1))
    labels = rng.uniform(0, 400, (len(label_images), 1, 2)) + size * rng.uniform(size=(len(label_images), 21, 2))
    near = np.flatnonzero(rng.uniform(size=len(labels)) < 0.8)
    near = np.concatenate([near, near[rng.uniform(size=len(near)) < 0.2]])
    error = rng.uniform(0.002, 0.05, (len(near), 1, 1)) * size[near]
    stray = rng.uniform(0, 500, (images // 3, 21, 2))
    scores = rng.uniform(size=len(near) + len(stray))
    return {
        "labels": labels.round(2),
        "visible": (rng.uniform(size=labels.shape[:2]) >= hidden).astype(np.uint8),
        "boxes": np.concatenate([labels.min(1), labels.max(1)], 1).round(2),
        "ignored": rng.uniform(size=len(labels)) < crowds,
        "label_images": label_images,
        "predicted": np.concatenate([labels[near] + rng.normal(size=(len(near), 21, 2)) * error, stray]).round(2),
        "scores": scores.round(1) if ties else scores.round(5),
        "predicted_images": np.concatenate([label_images[near], rng.integers(0, images, len(stray))]),
        "images": images,
    }


def without(case: Case, names: tuple[str, ...]) -> Case:
    return {key: value[:0] if key in names else value for key, value in case.items()}


CASES = {
    "one_hand": scene(0, 12, 1),
    "several_hands": scene(1, 30, 4),
    "hidden_joints": scene(2, 30, 3, hidden=0.4),
    "nothing_visible": scene(3, 6, 2, hidden=2.0),
    "ignored": scene(4, 30, 3, crowds=0.3),
    "equal_scores": scene(5, 30, 3, ties=True),
    "no_predictions": without(scene(6, 6, 2), PREDICTIONS),
    "no_labels": without(scene(7, 6, 2), LABELS),
    "crowded": scene(8, 3, 40),
}


def values(case: Case) -> np.ndarray:
    flags = case["visible"] * 2
    labels = [
        {
            "id": row + 1,
            "image_id": int(case["label_images"][row]),
            "category_id": 1,
            "bbox": [*box[:2], *(box[2:] - box[:2])],
            "area": float(np.prod(box[2:] - box[:2])),
            "iscrowd": int(case["ignored"][row]),
            "keypoints": np.column_stack([case["labels"][row], flags[row]]).ravel().tolist(),
            "num_keypoints": int((flags[row] > 0).sum()),
        }
        for row, box in enumerate(case["boxes"])
    ]
    predictions = [
        {
            "id": row + 1,
            "image_id": int(case["predicted_images"][row]),
            "category_id": 1,
            "score": float(case["scores"][row]),
            "keypoints": np.column_stack([points, np.ones(21)]).ravel().tolist(),
            "area": float(np.prod(np.ptp(points, axis=0))),
            "bbox": [*points.min(0), *np.ptp(points, axis=0)],
            "iscrowd": 0,
        }
        for row, points in enumerate(case["predicted"])
    ]
    truth, found = COCO(), COCO()
    images = [{"id": image} for image in range(case["images"])]
    for dataset, rows in ((truth, labels), (found, predictions)):
        dataset.dataset = {"images": images, "annotations": rows, "categories": [{"id": 1, "name": "hand"}]}
        dataset.createIndex()
    evaluation = COCOeval(truth, found, "keypoints")
    evaluation.params.kpt_oks_sigmas = np.array(SIGMAS)
    evaluation.params.areaRng, evaluation.params.areaRngLbl = [[0, 1e10]], ["all"]
    evaluation.evaluate()
    evaluation.accumulate()
    precision, recall = evaluation.eval["precision"][:, :, 0, 0, -1], evaluation.eval["recall"][:, 0, 0, -1]
    return np.array([precision.mean(), precision[0].mean(), precision[5].mean(), recall.mean()])


def space() -> Case:
    """Hands of 10 cm, their predictions turned, scaled, moved and wrong by some millimetres."""
    rng = np.random.default_rng(9)
    labelled = rng.normal(0, 0.05, (12, 21, 3))
    turns = np.linalg.qr(rng.normal(size=(12, 3, 3)))[0]
    turns *= np.sign(np.linalg.det(turns))[:, None, None]
    turns[0] = np.diag([-1.0, 1.0, 1.0])
    predicted = rng.uniform(0.7, 1.3, (12, 1, 1)) * labelled @ turns + rng.normal(0, 0.1, (12, 1, 3))
    predicted += rng.normal(0, 0.006, predicted.shape)
    everything = np.ones((12, 21), bool)
    return {
        "predicted": predicted,
        "labelled": labelled,
        "mpjpe": 1000 * keypoint_mpjpe(predicted, labelled, everything),
        "pa_mpjpe": 1000 * keypoint_mpjpe(predicted, labelled, everything, "procrustes"),
    }


if __name__ == "__main__":
    arrays = {f"{name}_{key}": value for name, case in CASES.items() for key, value in case.items()}
    arrays |= {f"{name}_values": values(case) for name, case in CASES.items()}
    arrays |= {f"xyz_{key}": value for key, value in space().items()}
    np.savez_compressed(Path(__file__).with_name("poses.npz"), **arrays)
    print({name: arrays[f"{name}_values"].round(4).tolist() for name in CASES})
    print({key: float(arrays[f"xyz_{key}"]) for key in ("mpjpe", "pa_mpjpe")})
