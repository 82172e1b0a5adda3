"""The networks that a config runs, by their weights."""

from __future__ import annotations

from pathlib import Path

import pytest

from handkit.errors import HubError
from handkit.files import sha256_of
from handkit.pipelines.build import resolve_config
from handkit.pipelines.nets import used_nets

HRNET = "pipelines/hand_2d_keypoints_hrnetv2_w18_dark"


def test_the_nets_of_a_config_with_its_weights(tmp_path: Path) -> None:
    (tmp_path / "hands.safetensors").write_bytes(b"a")
    (tmp_path / "boxes.safetensors").write_bytes(b"b")
    config = resolve_config(
        "hand_2d_keypoints",
        HRNET,
        tmp_path / "hands.safetensors",
        {"detector.checkpoint": str(tmp_path / "boxes.safetensors")},
    )
    detector, model = used_nets(config)
    assert (detector.part, detector.component, detector.net) == ("detector", "OneHandDetector", "SSDLite")
    assert (model.part, model.net, model.runtime) == ("model", "TopDownEstimator", "TorchRuntime")
    assert (detector.name, model.name) == ("SSDLite with MobileNetV2", "TopDownEstimator with HRNet (width 18)")
    assert detector.sha256() == sha256_of(tmp_path / "boxes.safetensors")
    assert model.path() == tmp_path / "hands.safetensors"
    (tmp_path / "hands.safetensors").unlink()
    with pytest.raises(HubError, match=r"hands\.safetensors"):
        model.sha256()


def test_parts_without_a_net_or_weights() -> None:
    options = {"detector": {"type": "FullImage", "_delete_": True}}
    (model,) = used_nets(resolve_config("hand_2d_keypoints", HRNET, cfg_options=options))
    assert (model.path(), model.sha256()) == (None, None)
    names = [net.part for net in used_nets(resolve_config("hand_detection", "pipelines/hand_detection_mediapipe"))]
    assert names == ["detector"]


def test_bundles_are_told_apart() -> None:
    ends = ("", "_pfld", "_posenet")
    nets = [used_nets(resolve_config("hand_2d_keypoints", f"hand_2d_keypoints{end}")) for end in ends]
    assert {detector.name for detector, _ in nets} == {"SSDLite with EfficientNetLite0"}
    assert [model.name for _, model in nets] == [
        "TopDownEstimator with HRNet (width 18)",
        "TopDownEstimator with PFLDNet",
        "TopDownEstimator with MobileNetV2",
    ]
    palm = used_nets(resolve_config("hand_2d_keypoints", "pipelines/hand_2d_keypoints_mediapipe"))[0]
    assert (palm.backbone, palm.name) == ("", "MediaPipePalm")
