"""Training data, 640x480 JPEG files to a normalised batch with targets: handkit against mmpose 1.3.2.

    PYTHONPATH=. PEERS/bin/python benchmarks/loading.py

where PEERS is an environment with mmpose 1.3.2. Both sides run the published recipe of HRNetV2-W18 DARK for hands:
decode, scale 0.7-1.3, turn by 180 degrees with p = 0.6, shift by 0.16 with p = 0.3, mirror with p = 0.5, cut to
256x256, gaussian targets of 64x64 with sigma 2, mean and std; 32 hands, one process. The pictures are blurred noise
that takes about 100 kB as JPEG. Exits with 1 unless handkit makes 1.3 times as many samples per second, or if inputs or
targets without augmentation differ.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from _timing import alternate, pin_threads, print_machine, print_ratio

HANDS, SIZE = 32, (256, 256)
MEAN, STD = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)


def write_photos(folder: Path, count: int = HANDS) -> list[dict[str, Any]]:
    """640x480 pictures with a hand box and joints in each, as samples of handkit."""
    draw = np.random.default_rng(0)
    samples = []
    for index in range(count):
        fine = cv2.GaussianBlur(draw.normal(128, 300, (480, 640, 3)), (0, 0), 2.5) + draw.normal(0, 4, (480, 640, 3))
        path = folder / f"{index}.jpg"
        cv2.imwrite(str(path), fine.clip(0, 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 90])
        low, side = draw.uniform(40, 200, 2), draw.uniform(100, 240)
        joints = (low + draw.uniform(0.06, 0.94, (21, 2)) * side).astype(np.float32)
        box = np.array([*low, *(low + side)], np.float32)
        samples.append({"source": str(path), "box": box, "keypoints": joints, "visible": np.full(21, 2, np.uint8)})
    return samples


def handkit_side(samples: list[dict[str, Any]], random: bool) -> Callable[[], Any]:
    """A function that makes one batch (img, heatmaps), every time with other draws."""
    from handkit.codecs.gaussian_heatmap import GaussianHeatmap
    from handkit.datasets.view import TrainingView
    from handkit.engine.loading import stack
    from handkit.transforms import (
        LoadImage,
        MMToTensor,
        NormalizeTensor,
        PoseCollect,
        TopDownAffine,
        TopDownGenerateTarget,
        TopDownGetRandomScaleRotation,
        TopDownRandomFlip,
        TopDownRandomShift,
    )

    drawn = [TopDownGetRandomScaleRotation(), TopDownRandomShift(), TopDownRandomFlip()] if random else []
    view = TrainingView(samples, [LoadImage(), *drawn, TopDownAffine(SIZE, hide_outside=False)])
    normalize = NormalizeTensor([value / 255 for value in MEAN], [value / 255 for value in STD])
    collect = PoseCollect(("img", "heatmaps", "target_weight"))
    tensor_part = [MMToTensor(), normalize, TopDownGenerateTarget(GaussianHeatmap()), collect]
    epochs = iter(range(10**9))

    def batch() -> Any:
        epoch = next(epochs)
        made = stack([view[epoch, index] for index in range(len(samples))])
        for transform in tensor_part:
            made = transform(made)
        return made["img"], made["heatmaps"]

    return batch


def mmpose_side(samples: list[dict[str, Any]], random: bool) -> Callable[[], Any]:
    """The same with mmpose's own transforms and data preprocessor."""
    from mmengine.dataset import Compose, pseudo_collate
    from mmpose.models.data_preprocessors import PoseDataPreprocessor
    from mmpose.utils import register_all_modules

    register_all_modules()
    codec = dict(type="MSRAHeatmap", input_size=SIZE, heatmap_size=(64, 64), sigma=2, unbiased=True)
    drawn = [
        dict(type="RandomBBoxTransform", rotate_factor=180, scale_factor=(0.7, 1.3)),
        dict(type="RandomFlip", direction="horizontal"),
    ]
    pipeline = Compose(
        [
            dict(type="LoadImage"),
            dict(type="GetBBoxCenterScale"),
            *(drawn if random else []),
            dict(type="TopdownAffine", input_size=SIZE),
            dict(type="GenerateTarget", encoder=codec),
            dict(type="PackPoseInputs"),
        ]
    )
    preprocess = PoseDataPreprocessor(mean=list(MEAN), std=list(STD), bgr_to_rgb=True)
    infos = [
        {
            "img_path": sample["source"],
            "bbox": sample["box"][None],
            "bbox_score": np.ones(1, np.float32),
            "keypoints": sample["keypoints"][None],
            "keypoints_visible": np.ones((1, 21), np.float32),
            "flip_indices": list(range(21)),
        }
        for sample in samples
    ]

    def batch() -> Any:
        made = preprocess(pseudo_collate([pipeline(dict(info)) for info in infos]), training=True)
        return made["inputs"], torch.stack([sample.gt_fields.heatmaps for sample in made["data_samples"]])

    return batch


def main() -> int:
    """Runs the comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=1)
    threads = parser.parse_args().threads
    pin_threads(threads)
    with tempfile.TemporaryDirectory() as folder:
        samples = write_photos(Path(folder))
        size = sum(os.path.getsize(sample["source"]) for sample in samples) / len(samples)
        try:
            plain = [side(samples, False)() for side in (handkit_side, mmpose_side)]
        except ImportError as error:
            sys.exit(f"this comparison needs mmpose 1.3.2 in the environment it runs in: {error}")
        inputs, targets = (float((ours - theirs).abs().max()) for ours, theirs in zip(*plain, strict=True))
        print_machine(threads, ["torch", "numpy", "opencv-python-headless", "pillow", "mmpose"])
        print(f"{len(samples)} JPEG files of 640x480 pixels, {size / 1e3:.0f} kB on average")
        print(f"without augmentation, largest difference: inputs {inputs:.3f}, targets {targets:.1e}")
        medians = alternate({"handkit": handkit_side(samples, True), "mmpose": mmpose_side(samples, True)})
    ratio = print_ratio(medians, "handkit", "mmpose")
    for name, seconds in medians.items():
        print(f"{name}: {len(samples) / seconds:.0f} samples per second")
    return int(ratio < 1.3 or inputs > 0.05 or targets > 1e-4)


if __name__ == "__main__":
    sys.exit(main())
