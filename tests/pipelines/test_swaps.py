"""Every part of the running HRNet pipeline, swapped by one option each. The weights are random."""

from __future__ import annotations

import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from handkit.errors import ConfigError, MissingWeightsError
from handkit.hands import Hands
from handkit.models.heads import HRNetV2Head
from handkit.pipelines import pipeline
from handkit.registry import MODELS, build
from handkit.registry.config import load_config, parse_options

HRNET = "pipelines/hand_2d_keypoints_hrnetv2_w18_dark"
GOLDEN = Path(__file__).parents[1] / "golden"
IMAGE = np.random.default_rng(0).integers(0, 255, (120, 160, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """State dicts of both networks, filled by the rules of the golden arrays."""
    folder, config = tmp_path_factory.mktemp("weights"), load_config(HRNET)
    files = {}
    for name, node, rule in (
        ("keypoints", config["model"], "mmpose_rule.py"),
        ("detector", config["detector"]["net"], "mmdet_rule.py"),
    ):
        shapes = {key: tuple(value.shape) for key, value in build(node).state_dict().items()}
        state = runpy.run_path(str(GOLDEN / rule))["state"](shapes)
        files[name] = folder / f"{name}.pth"
        torch.save({key: torch.from_numpy(np.asarray(value)) for key, value in state.items()}, files[name])
    return files


def few(weights: dict[str, Path]) -> dict[str, Any]:
    """Options that let the random detector answer its two best boxes."""
    return {"detector.checkpoint": str(weights["detector"]), "box_threshold": 0.02, "detector.max_detections": 2}


@pytest.fixture(scope="module")
def run(weights: dict[str, Path]) -> Any:
    def run(*options: str) -> Hands:
        changes = {**few(weights), **parse_options(options)}
        pipe = pipeline(model=HRNET, checkpoint=weights["keypoints"], cfg_options=changes, device="cpu")
        hands: Hands = pipe(IMAGE)
        return hands

    return run


@pytest.fixture
def other_head() -> Iterator[None]:
    @MODELS.register_module(name="NegativeHead")
    class NegativeHead(HRNetV2Head):
        """The same weights, the opposite maps."""

        def forward(self, features: tuple[Tensor, ...]) -> dict[str, Tensor]:
            return {name: -value for name, value in super().forward(features).items()}

    yield
    del MODELS._module_dict["NegativeHead"]


@pytest.fixture(scope="module")
def plain(run: Any) -> Hands:
    hands: Hands = run()
    assert len(hands) == 2
    return hands


@pytest.mark.parametrize(
    "option",
    [
        "test_transforms.1.padding=1.6",
        "test_transforms.1.use_udp=True",
        "test_transforms.3.mean=(0.1, 0.9, 0.1)",
        "codec.dark=False",
        "flip_test=None",
        "flip_test=mmpose",
        "model.head.type=NegativeHead",
    ],
)
def test_joints_change(option: str, run: Any, plain: Hands, other_head: None) -> None:
    changed = run(option)
    np.testing.assert_array_equal(changed.boxes, plain.boxes)
    assert np.abs(changed.keypoints - plain.keypoints).max() > 0.1


def test_the_detector_changes_the_boxes(run: Any, plain: Hands) -> None:
    changed = run("detector={'type': 'FullImage', '_delete_': True}")
    np.testing.assert_array_equal(changed.boxes, [[-0.5, -0.5, 159.5, 119.5]])


def test_collected_keys_come_back_as_columns(run: Any, plain: Hands) -> None:
    assert dict(plain.extras) == {}
    changed = run("test_transforms.4.keys=['img', 'box_score', 'image_size']")
    np.testing.assert_allclose(changed.extras["box_score"], plain.box_scores)
    np.testing.assert_array_equal(changed.extras["image_size"], [[160, 120]] * 2)
    np.testing.assert_array_equal(changed.keypoints, plain.keypoints)
    with pytest.raises(ConfigError, match="must name 'img'"):
        run("test_transforms.4.keys=['box']")


def test_the_size_of_the_input_changes_with_its_codec(weights: dict[str, Path], run: Any, plain: Hands) -> None:
    sizes = ["test_transforms.1.input_size=(128, 128)", "codec.input_size=(128, 128)", "codec.heatmap_size=(32, 32)"]
    assert np.abs(run(*sizes).keypoints - plain.keypoints).max() > 0.1
    with pytest.raises(ConfigError, match="do not fit codec"):
        run(sizes[0])


@pytest.mark.parametrize("word", ["hand_2d_keypoint_pfld", "hand_3d_keypoint"])
def test_a_bundle_whose_name_is_misspelt_is_suggested(word: str) -> None:
    meant = word.replace("keypoint", "keypoints")
    with pytest.raises(ConfigError, match=rf"^no model '{word}': .* did you mean '{meant}'\?$"):
        pipeline(model=word)


def test_random_weights_are_no_pipeline() -> None:
    with pytest.raises(MissingWeightsError, match=r"^detector: .*: name a file as detector\.checkpoint=, by cfg_opt"):
        pipeline(model=HRNET)
    with pytest.raises(MissingWeightsError, match=r"^detector: .* name a file as detector\.checkpoint="):
        pipeline("hand_3d_keypoints", "pipelines/hand_3d_keypoints_poseprior", checkpoint="prior.safetensors")
    with pytest.raises(
        MissingWeightsError, match=r"no hands: name a file as checkpoint=, to `handkit predict` as --checkpoint$"
    ):
        pipeline(model="hand_2d_keypoints/hrnetv2_w18_onehand10k_256x256")


def test_a_bundle_runs_as_its_config(weights: dict[str, Path], tmp_path: Path, plain: Hands) -> None:
    import json

    config = load_config(HRNET, {**few(weights), "detector.checkpoint": "detection/detector.pth"})
    config["checkpoint"] = "keypoints.pth"
    (tmp_path / "detection").mkdir()
    (tmp_path / "keypoints.pth").write_bytes(weights["keypoints"].read_bytes())
    (tmp_path / "detection" / "detector.pth").write_bytes(weights["detector"].read_bytes())
    (tmp_path / "configuration.json").write_text(json.dumps({"task": "hand-2d-keypoints", "handkit": config}))
    hands = pipeline(model=tmp_path, device="cpu")(IMAGE)
    np.testing.assert_allclose(hands.keypoints, plain.keypoints, atol=1e-3)
    np.testing.assert_allclose(hands.boxes, plain.boxes, atol=1e-3)


def test_batched_equals_one_by_one(weights: dict[str, Path]) -> None:
    changes = {"detector.checkpoint": str(weights["detector"])}
    pipe = pipeline(model=HRNET, checkpoint=weights["keypoints"], cfg_options=changes, device="cpu")
    boxes = [np.array([[10, 10, 90, 100.0], [40, 20, 150, 110]]), np.array([[30, 5, 100, 80.0]])]
    images = [IMAGE, IMAGE[:, ::-1]]
    together = pipe(images, boxes=boxes)
    for image, box, hands in zip(images, boxes, together, strict=True):
        np.testing.assert_allclose(pipe(image, boxes=box).scores, hands.scores, atol=1e-4)
