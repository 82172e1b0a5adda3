"""MediaPipe's nets on the demo picture, for every kind of input."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from handkit.demo_image import demo_image
from handkit.errors import ConfigError
from handkit.hands import Hands
from handkit.pipelines import pipeline
from handkit.registry.keys import PIPELINE_KEYS

MEDIAPIPE = "pipelines/hand_2d_keypoints_mediapipe"
#: Stops every import of torch, then runs the pipeline.
TORCH_BLOCKED = """
import sys
class Block:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "torch":
            raise ImportError("torch is blocked")
sys.meta_path.insert(0, Block())
import handkit
hands = handkit.pipeline("hand_2d_keypoints", model="pipelines/hand_2d_keypoints_mediapipe")("{image}")
print(len(hands), hands.handedness[0])
"""


@pytest.fixture(scope="module")
def pipe(mediapipe_files: dict[str, Path]) -> Any:
    return pipeline("hand_2d_keypoints", MEDIAPIPE)


@pytest.fixture(scope="module")
def image() -> np.ndarray:
    return np.asarray(Image.open(demo_image()).convert("RGB"))


@pytest.fixture(scope="module")
def hand(pipe: Any) -> Hands:
    hands: Hands = pipe(demo_image())
    return hands


def test_the_demo_hand_is_found_whole_and_right(hand: Hands, image: np.ndarray) -> None:
    assert len(hand) == 1
    assert hand.handedness == ("right",)
    assert hand.box_scores[0] > 0.9
    assert hand.image_size == (image.shape[1], image.shape[0])
    inside = (hand.keypoints >= 0) & (hand.keypoints < hand.image_size)
    assert inside.all()
    assert hand.xyz_root is not None
    np.testing.assert_allclose(hand.xyz_root[0, 0], 0, atol=1e-6)
    lengths = np.linalg.norm(hand.xyz_root[0, 9])
    assert 0.05 < lengths < 0.15


def test_it_runs_where_torch_cannot_be_imported(mediapipe_files: Any, in_subprocess: Callable[..., str]) -> None:
    assert in_subprocess(TORCH_BLOCKED.replace("{image}", str(demo_image()))).split() == ["1", "right"]


@pytest.mark.parametrize("kind", ["path", "str", "bytes", "pil", "array", "rgb", "list", "generator"])
def test_every_kind_of_input_gives_the_same_hand(kind: str, pipe: Any, hand: Hands, image: np.ndarray) -> None:
    path = demo_image()
    makers: dict[str, Callable[[], Any]] = {
        "path": lambda: pipe(path),
        "str": lambda: pipe(str(path)),
        "bytes": lambda: pipe(path.read_bytes()),
        "pil": lambda: pipe(Image.open(path)),
        "array": lambda: pipe(image[:, :, ::-1]),
        "rgb": lambda: pipe(image, channel_order="rgb"),
        "list": lambda: pipe([path, path], batch_size=2)[1],
        "generator": lambda: next(pipe(path for _ in range(3))),
    }
    np.testing.assert_allclose(makers[kind]().keypoints, hand.keypoints, atol=1e-4)


def test_a_quarter_turn_turns_the_joints(pipe: Any, hand: Hands, image: np.ndarray) -> None:
    turned = pipe(np.ascontiguousarray(np.rot90(image)), channel_order="rgb")
    back = np.stack([image.shape[1] - 1 - turned.keypoints[0, :, 1], turned.keypoints[0, :, 0]], -1)
    size = float(np.ptp(hand.keypoints[0], axis=0).max())
    assert np.abs(back - hand.keypoints[0]).mean() < 0.03 * size
    assert turned.handedness == ("right",)


def test_a_hand_that_fills_the_picture_is_found(pipe: Any, hand: Hands, image: np.ndarray) -> None:
    """The palm net overlooks it at full size and finds it at half; without the second look the result is empty."""
    points = hand.keypoints[0]
    (x1, y1), (x2, y2) = np.add(points.min(0).astype(int), [40, 0]), np.subtract(points.max(0).astype(int), [40, 20])
    close = np.ascontiguousarray(image[y1:y2, x1:x2])
    assert len(pipeline(model=MEDIAPIPE, cfg_options={"retry_detector": None})(close, channel_order="rgb")) == 0
    found = pipe(close, channel_order="rgb")
    assert found.handedness == ("right",)
    assert np.abs(found.keypoints[0] + [x1, y1] - points).mean() < 0.05 * np.ptp(points, axis=0).max()


def test_a_large_noisy_photograph_is_averaged_before_it_is_shrunk(pipe: Any, hand: Hands, image: np.ndarray) -> None:
    """11 megapixels with a grain: sampled pixel by pixel, its hand drowns."""
    large = np.asarray(Image.fromarray(image).resize((3840, 2880), Image.Resampling.BICUBIC)).astype(np.float32)
    grain = np.random.default_rng(0).normal(0, 40, large.shape[:2]).astype(np.float32)
    noisy = np.clip(large + grain[..., None], 0, 255).astype(np.uint8)
    found = pipe(noisy, channel_order="rgb")
    assert found.handedness == ("right",)
    error = np.abs((found.keypoints[0] + 0.5) / 6 - 0.5 - hand.keypoints[0]).mean()
    assert error < 0.03 * np.ptp(hand.keypoints[0], axis=0).max()


def test_a_mirrored_photograph_keeps_the_persons_side(pipe: Any, hand: Hands, image: np.ndarray) -> None:
    mirrored = pipe(np.ascontiguousarray(image[:, ::-1]), channel_order="rgb", mirrored=True)
    assert mirrored.handedness == hand.handedness
    np.testing.assert_allclose(mirrored.keypoints, hand.mirrored().keypoints, atol=1e-3)
    np.testing.assert_allclose(mirrored.scores, hand.scores)
    assert pipe(np.ascontiguousarray(image[:, ::-1]), channel_order="rgb").handedness == ("left",)


@pytest.mark.parametrize(
    "picture",
    [
        np.zeros((480, 640, 3), np.uint8),
        np.full((480, 640, 3), 200, np.uint8),
        np.random.default_rng(0).integers(0, 255, (480, 640, 3), dtype=np.uint8),
        np.zeros((1, 1, 3), np.uint8),
        np.zeros((1, 900, 3), np.uint8),
    ],
    ids=["black", "grey", "noise", "one pixel", "one line"],
)
def test_no_hand_is_invented(picture: np.ndarray, pipe: Any) -> None:
    hands = pipe(picture)
    assert len(hands) == 0
    assert hands["keypoints"].shape == (0, 21, 3)


def test_given_boxes_in_any_turn(pipe: Any, hand: Hands, image: np.ndarray) -> None:
    """The caller's box, without a word about rotation, is tried in eight turns."""
    size = float(np.ptp(hand.keypoints[0], axis=0).max())
    for turns in range(4):
        turned = np.ascontiguousarray(np.rot90(image, turns))
        found = pipe(turned, channel_order="rgb")
        given = pipe(turned, boxes=found.boxes, channel_order="rgb")
        np.testing.assert_array_equal(given.boxes, found.boxes)
        assert np.abs(given.keypoints - found.keypoints).mean() < 0.05 * size


def test_a_box_on_nothing_keeps_its_row_with_low_scores(pipe: Any, image: np.ndarray, hand: Hands) -> None:
    boxes = np.array([[0, 0, 80, 80], hand.boxes[0]])
    given = pipe(image, boxes=boxes, channel_order="rgb")
    assert len(given) == 2
    assert given.scores[0].max() < 0.5 < given.scores[1].min()


def test_thresholds_come_from_the_card_and_yield_to_the_caller(pipe: Any) -> None:
    assert (pipe.config["box_threshold"], pipe.config["presence_threshold"]) == (0.25, 0.5)
    strict = pipeline(model=MEDIAPIPE, presence_threshold=0.9999)
    assert len(strict(demo_image())) == 0
    assert len(pipeline(model=MEDIAPIPE, box_threshold=1.0)(demo_image())) == 0
    assert len(pipeline(model=MEDIAPIPE, cfg_options={"presence_threshold": 0.9999})(demo_image())) == 0


def test_a_bundle_of_its_config(pipe: Any, hand: Hands, tmp_path: Path) -> None:
    config = {key: value for key, value in pipe.config.items() if key in PIPELINE_KEYS}
    (tmp_path / "configuration.json").write_text(json.dumps({"task": "hand-2d-keypoints", "handkit": config}))
    np.testing.assert_allclose(pipeline("hand-2d-keypoints", model=tmp_path)(demo_image()).keypoints, hand.keypoints)


def test_detection_alone(mediapipe_files: Any, hand: Hands) -> None:
    alone = "pipelines/hand_detection_mediapipe"
    found = pipeline("hand_detection", alone)(demo_image())
    assert len(found) == 1
    center = (found.boxes[0, :2] + found.boxes[0, 2:]) / 2
    assert (center > hand.boxes[0, :2]).all()
    assert (center < hand.boxes[0, 2:]).all()
    assert pipeline("hand_detection", alone, max_hands=0)(demo_image()).boxes.shape == (0, 4)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (dict(task="hand_2d_keypoint"), "did you mean 'hand_2d_keypoints'"),
        (dict(model="pipelines/hand_detection_mediapipe"), "answers 'hand_detection', not 'hand_2d_keypoints'"),
        (dict(model=MEDIAPIPE, device="cuda"), "runs on the CPU only"),
        (dict(task="hand_detection", model=MEDIAPIPE, mirrored=True), "tells no sides"),
        (dict(model="damo/cv_hrnetw18_hand-pose-keypoints_coco-wholebody"), "neither a file nor one of handkit's own"),
        (dict(model=MEDIAPIPE, box_threshold=1.5), "box_threshold: 1.5 is not a number"),
    ],
)
def test_wrong_arguments(arguments: dict[str, Any], message: str, mediapipe_files: Any) -> None:
    with pytest.raises(ConfigError, match=message):
        pipeline(**arguments)


def test_memory_stays_constant_over_a_generator(pipe: Any, image: np.ndarray) -> None:
    """No image is held once its result is out."""
    import weakref

    alive: list[weakref.ref[np.ndarray]] = []

    def images() -> Any:
        for _ in range(12):
            copy = image[::4, ::4].copy()
            alive.append(weakref.ref(copy))
            yield copy

    most = 0
    for _ in pipe(images(), batch_size=2, channel_order="rgb"):
        most = max(most, sum(ref() is not None for ref in alive))
    assert most <= 4


def test_joints_in_space_are_a_task_of_their_own(mediapipe_files: dict[str, Path]) -> None:
    flat = pipeline("hand_2d_keypoints", "pipelines/hand_2d_keypoints_mediapipe")(demo_image())
    hands = pipeline("hand-3d-keypoints", "pipelines/hand_2d_keypoints_mediapipe")(demo_image())
    np.testing.assert_array_equal(hands.keypoints, flat.keypoints)
    assert hands.xyz_root is not None
    assert hands.xyz_root.shape == (1, 21, 3)
    assert (
        0.05 < float(np.linalg.norm(hands.xyz_root[0, 12])) < 0.25
    )  # metres from the wrist to the middle finger's tip
    with pytest.raises(ConfigError, match="tells no joints in space"):
        pipeline("hand_3d_keypoints", "hand_2d_keypoints")
