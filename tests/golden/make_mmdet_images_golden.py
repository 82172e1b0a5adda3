"""Makes mmdet_images.npz by running mmdet's steps on whole images with the random numbers of mmdet_images_rule.py.

    python tests/golden/make_mmdet_images_golden.py

needs mmdet 3.3.0 (with mmcv 2.1) in the environment of that python, not handkit. For each seed and step: ``NAME_boxes``
and ``NAME_img`` of all seeds, flattened one after the other, and their ``NAME_shapes``; pictures in RGB.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mmdet_images_rule as rule
import numpy as np
import torch
from mmdet.datasets.transforms import transforms
from mmdet.structures.bbox import HorizontalBoxes

HERE = Path(__file__).resolve().parent


class Mirrored(transforms.RandomFlip):
    """Always."""

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        results["flip_direction"] = "horizontal"
        self._flip(results)
        return results


STEPS = {
    "Expand": transforms.Expand(mean=[123.675, 116.28, 103.53], to_rgb=True, ratio_range=(1, 2), prob=0.7),
    "MinIoURandomCrop": transforms.MinIoURandomCrop(),
    "Resize": transforms.Resize(scale=rule.RESIZED, keep_ratio=False),
    "RandomFlip": Mirrored(prob=1.0),
    "PhotoMetricDistortion": transforms.PhotoMetricDistortion(),
}


def run(name: str, seed: int) -> tuple[Any, Any]:
    transforms.random = rule.Draws(seed, first=name == "Expand")
    img = np.ascontiguousarray(rule.image(seed)[..., ::-1])
    boxes = HorizontalBoxes(torch.from_numpy(rule.boxes(seed)))
    done = STEPS[name].transform({"img": img, "img_shape": img.shape[:2], "gt_bboxes": boxes})
    return done["img"][..., ::-1], done["gt_bboxes"].tensor.numpy()


def main() -> None:
    made: dict[str, Any] = {}
    for name in STEPS:
        images, boxes = zip(*(run(name, seed) for seed in rule.SEEDS), strict=True)
        made[f"{name}_img"] = np.concatenate([image.ravel() for image in images])
        made[f"{name}_shapes"] = np.array(
            [(*image.shape[:2], len(rows)) for image, rows in zip(images, boxes, strict=True)]
        )
        made[f"{name}_boxes"] = np.concatenate(boxes)
    made["PhotoMetricDistortion_img"] = made["PhotoMetricDistortion_img"].reshape(-1, 3)[::7]
    np.savez_compressed(HERE / "mmdet_images.npz", **made)


if __name__ == "__main__":
    main()
