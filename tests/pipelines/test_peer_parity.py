"""The running pipeline against mmpose 1.3.2's own outputs for the same weights, image and boxes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from handkit.detections import Detections
from handkit.geometry import Crop
from handkit.pipelines import pipeline

HRNET = "pipelines/hand_2d_keypoints_hrnetv2_w18_dark"
#: What makes handkit compute as mmpose does: its flip test shifts a whole cell, its DARK step has no limit.
COMPATIBLE = {
    "detector": dict(_delete_=True, type="FullImage"),
    "flip_test": "mmpose",
    "codec.max_offset": None,
}


@pytest.fixture(scope="module")
def reference(peer_data: Path) -> dict[str, np.ndarray]:
    return dict(np.load(peer_data / "peers" / "mmpose_reference.npz"))


@pytest.fixture(scope="module")
def compatible(peer_data: Path) -> Any:
    weights = peer_data / "peers" / "mmpose_reference_state.pth"
    return pipeline(model=HRNET, checkpoint=weights, cfg_options=COMPATIBLE, device="cpu")


def test_crops_differ_by_one_grey_level_in_at_most_a_thousandth(reference: dict[str, np.ndarray]) -> None:
    image = np.ascontiguousarray(reference["img"][:, :, ::-1])
    std = np.array([58.395, 57.12, 57.375])[:, None, None]
    mean = np.array([123.675, 116.28, 103.53])[:, None, None]
    for box, theirs in zip(reference["boxes"], reference["inputs"], strict=True):
        ours = Crop.from_box(box, (256, 256), 1.25).apply_image(image).transpose(2, 0, 1).astype(float)
        difference = np.abs(ours - np.rint(theirs * std + mean))
        assert difference.max() <= 1
        assert (difference > 0).mean() <= 0.001


def test_keypoints_are_mmposes_in_the_compatible_mode(reference: dict[str, np.ndarray], compatible: Any) -> None:
    """Every joint whose map has a peak at all, and whose peak a rounding error of the convolutions does not move.

    The weights are random, so some maps are negative everywhere (mmpose puts those joints outside the crop, handkit at
    its centre with the score 0) and one peak has a nearly singular Hessian, by which DARK divides.
    """
    hands = compatible(reference["img"], boxes=reference["boxes"])
    np.testing.assert_array_equal(hands.boxes, reference["boxes"])
    np.testing.assert_allclose(hands.scores, reference["scores"].clip(0, 1), atol=1e-3)
    seen = reference["scores"] > 0
    centers = (reference["boxes"][:, None, :2] + reference["boxes"][:, None, 2:]) / 2
    np.testing.assert_allclose(hands.keypoints[~seen], np.broadcast_to(centers, (3, 21, 2))[~seen], atol=1e-3)
    stable = seen & _stable(compatible, reference["inputs"])
    assert (seen & ~stable).sum() <= 1
    assert stable.sum() >= 55
    assert np.abs(hands.keypoints - reference["keypoints"])[stable].max() <= 0.05


def _stable(pipe: Any, inputs: np.ndarray) -> np.ndarray:
    """(N, K): noise of a hundred-thousandth of a map's peak moves the decoded joint by less than 0.05 input pixels."""
    net = pipe.finder.net
    with torch.inference_mode():
        maps = net._model(torch.from_numpy(inputs))["heatmaps"].numpy()
    rng = np.random.default_rng(0)
    joints, _ = net._codec.decode({"heatmaps": maps})
    moved = np.zeros(joints.shape[:2])
    for _ in range(8):
        noise = rng.uniform(-1e-5, 1e-5, maps.shape) * np.abs(maps).max((2, 3), keepdims=True)
        noisy, _ = net._codec.decode({"heatmaps": (maps + noise).astype(np.float32)})
        moved = np.maximum(moved, np.abs(noisy - joints).max(-1))
    return moved < 0.05


def test_the_flow_gives_the_net_the_same_inputs(reference: dict[str, np.ndarray], compatible: Any) -> None:
    """Through the transforms of the running pipeline, channel order and all."""
    image = compatible.load({"source": reference["img"], "channel_order": "bgr", "name": "img"})
    given = Detections(reference["boxes"], np.ones(3))
    crops = compatible.finder._crops(image, given)
    net = compatible.finder.net
    batch: dict[str, Any] = {"img": np.stack([crop["img"] for crop in crops])}
    for transform in net._transforms:
        batch = transform(batch)
    grey = 1 / (255 * 0.224)
    difference = np.abs(batch["img"] - reference["inputs"])
    assert difference.max() <= grey * 1.01
    assert (difference > grey / 2).mean() <= 0.001
