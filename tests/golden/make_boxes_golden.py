"""Makes boxes.npz: what pycocotools says about a few sets of boxes.

    PEERS/bin/python tests/golden/make_boxes_golden.py

where PEERS is an environment with pycocotools. Per case NAME: NAME_labels (N, 4) xyxy, NAME_ignored (N,),
NAME_label_images (N,), NAME_predicted (P, 4), NAME_scores (P,), NAME_predicted_images (P,), NAME_images, and
NAME_values: AP, AP50 and the largest recall at 0.5, -1 where pycocotools has none.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

Case = dict[str, Any]


def scene(seed: int, images: int, hands: int, crowds: float = 0.0, ties: bool = False) -> Case:
    """Up to `hands` labels per image; four fifths are found more or less, and some predictions are nowhere near one."""
    rng = np.random.default_rng(seed)
    label_images = np.repeat(np.arange(images), rng.integers(0, hands + 1, images))
    corner, size = rng.uniform(0, 400, (len(label_images), 2)), rng.uniform(20, 150, (len(label_images), 2))
    labels = np.concatenate([corner, corner + size], 1)
    near = np.flatnonzero(rng.uniform(size=len(labels)) < 0.8)
    near = np.concatenate([near, near[rng.uniform(size=len(near)) < 0.2]])
    stray = rng.uniform(0, 400, (images // 3, 2))
    predicted = np.concatenate(
        [labels[near] + rng.normal(0, 8, (len(near), 4)), np.concatenate([stray, stray + rng.uniform(20, 90)], 1)]
    )
    predicted_images = np.concatenate([label_images[near], rng.integers(0, images, len(stray))])
    scores = rng.uniform(size=len(predicted))
    return {
        "labels": labels,
        "ignored": rng.uniform(size=len(labels)) < crowds,
        "label_images": label_images,
        "predicted": predicted,
        "scores": scores.round(1) if ties else scores,
        "predicted_images": predicted_images,
        "images": images,
    }


def without(case: Case, part: str) -> Case:
    """The case without its labels or without its predictions."""
    names = {
        "labels": ("labels", "ignored", "label_images"),
        "predictions": ("predicted", "scores", "predicted_images"),
    }
    return {key: value[:0] if key in names[part] else value for key, value in case.items()}


CASES = {
    "one_hand": scene(0, 12, 1),
    "several_hands": scene(1, 30, 4),
    "ignored": scene(2, 30, 3, crowds=0.3),
    "equal_scores": scene(3, 30, 3, ties=True),
    "all_ignored": scene(4, 5, 2, crowds=2.0),
    "no_predictions": without(scene(5, 6, 2), "predictions"),
    "no_labels": without(scene(6, 6, 2), "labels"),
}


def records(boxes: np.ndarray, images: np.ndarray) -> list[dict[str, Any]]:
    return [
        {
            "id": row + 1,
            "image_id": int(image),
            "category_id": 1,
            "bbox": [*box[:2], *(box[2:] - box[:2])],
            "area": float(np.prod(box[2:] - box[:2])),
            "iscrowd": 0,
        }
        for row, (box, image) in enumerate(zip(boxes, images, strict=True))
    ]


def values(case: Case) -> np.ndarray:
    truth, found = COCO(), COCO()
    images = [{"id": image} for image in range(case["images"])]
    labels, predictions = (
        records(case[n], case[m]) for n, m in (("labels", "label_images"), ("predicted", "predicted_images"))
    )
    for row, ignored in zip(labels, case["ignored"], strict=True):
        row["iscrowd"] = int(ignored)
    for row, score in zip(predictions, case["scores"], strict=True):
        row["score"] = float(score)
    for dataset, rows in ((truth, labels), (found, predictions)):
        dataset.dataset = {"images": images, "annotations": rows, "categories": [{"id": 1, "name": "hand"}]}
        dataset.createIndex()
    evaluation = COCOeval(truth, found, "bbox")
    evaluation.evaluate()
    evaluation.accumulate()
    precision, recall = evaluation.eval["precision"][:, :, 0, 0, -1], evaluation.eval["recall"][:, 0, 0, -1]
    return np.array([precision.mean(), precision[0].mean(), recall[0]])


if __name__ == "__main__":
    arrays = {f"{name}_{key}": value for name, case in CASES.items() for key, value in case.items()}
    arrays |= {f"{name}_values": values(case) for name, case in CASES.items()}
    np.savez_compressed(Path(__file__).with_name("boxes.npz"), **arrays)
    print({name: arrays[f"{name}_values"].round(4).tolist() for name in CASES})
