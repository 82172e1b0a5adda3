"""OneHandDetector with RTMDet-nano: mmdet's predict from the image to the boxes."""

from __future__ import annotations

import json
import runpy
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from handkit.detectors.onehand import OneHandDetector
from handkit.registry import DETECTORS, build
from handkit.registry.config import load_config

FOLDER = Path(__file__).parents[1] / "golden"
RULE = SimpleNamespace(**runpy.run_path(str(FOLDER / "rtmdet_rule.py")))
IMAGES = SimpleNamespace(**runpy.run_path(str(FOLDER / "mmdet_rule.py")))
GOLDEN = np.load(FOLDER / "mmdet_rtmdet.npz")


def test_predicts_what_mmdet_predicts(tmp_path: Path) -> None:
    """Boxes to 1e-2 px, scores, and their order, on 20 images at mmdet's threshold of .05, from mmdet's checkpoint."""
    import torch

    keys = json.loads((FOLDER / "mmdet_rtmdet_keys.json").read_text())
    weights = RULE.state({key: tuple(shape) for key, shape in keys.items()})
    path = tmp_path / "epoch_300.pth"
    torch.save({"state_dict": {k: torch.from_numpy(np.asarray(v)) for k, v in weights.items()}, "meta": {}}, path)
    node = load_config("pipelines/hand_2d_keypoints_rtmdet_nano")["detector"]
    node |= {"runtime": dict(type="TorchRuntime", device="cpu"), "score_threshold": 0.05}
    made: OneHandDetector = build(node, DETECTORS, checkpoint=path)
    found = made.detect(IMAGES.images())
    assert [len(item) for item in found] == GOLDEN["counts"].tolist()
    for item, boxes, scores in zip(found, GOLDEN["boxes"], GOLDEN["scores"], strict=True):
        np.testing.assert_allclose(item.boxes, boxes[: len(item)], rtol=0, atol=1e-2)
        np.testing.assert_allclose(item.scores, scores[: len(item)], rtol=0, atol=1e-4)
