"""The default pipeline: the bundle in the package, offline, with torch and without any extra."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from handkit import hub
from handkit.demo_image import demo_image
from handkit.detectors import HandSegDetector
from handkit.drawing import draw_in_space, write_space_page
from handkit.errors import ConfigError, HubError
from handkit.files import sha256_of
from handkit.geometry import box_iou
from handkit.hands import Hands
from handkit.hub.bundle_card import CARD, BundleCard
from handkit.pipelines import pipeline
from handkit.pipelines.build import DEFAULTS, resolve_config
from handkit.registry.config import load_config

#: Stops every import of LiteRT, and every call of a server, then runs the pipeline.
BLOCKED = """
import sys
sys.modules["ai_edge_litert"] = None
def deny(event, arguments):
    if event == "socket.connect":
        raise RuntimeError(f"called {arguments}")
sys.addaudithook(deny)
import handkit
hands = handkit.pipeline("hand_2d_keypoints")("{image}")
print(len(hands), hands.handedness[0])
"""


@pytest.fixture(scope="module")
def pipe() -> Any:
    return pipeline("hand_2d_keypoints")


@pytest.fixture(scope="module")
def image() -> np.ndarray:
    return np.asarray(Image.open(demo_image()).convert("RGB"))


@pytest.fixture(scope="module")
def hand(pipe: Any) -> Hands:
    hands: Hands = pipe(demo_image())
    return hands


def size_of(hand: Hands) -> float:
    return float(np.ptp(hand.keypoints[0], axis=0).max())


def test_the_demo_hand_is_found_whole_and_right(hand: Hands, image: np.ndarray) -> None:
    assert len(hand) == 1
    assert hand.handedness == ("right",)
    assert hand.image_size == (image.shape[1], image.shape[0])
    assert ((hand.keypoints >= 0) & (hand.keypoints < hand.image_size)).all()
    assert hand.scores.mean() > 0.9
    assert hand["keypoints"].shape == (1, 21, 3)


def test_it_runs_without_a_network_or_an_extra(in_subprocess: Callable[..., str], tmp_path: Path) -> None:
    """And without a cache, and without HANDKIT_OFFLINE."""
    code = BLOCKED.replace("{image}", str(demo_image()))
    shown = in_subprocess(code, HANDKIT_OFFLINE="0", HANDKIT_HOME=str(tmp_path / "none"))
    assert shown.split() == ["1", "right"]
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("kind", ["bytes", "pil", "array", "list"])
def test_every_kind_of_input_gives_the_same_hand(kind: str, pipe: Any, hand: Hands, image: np.ndarray) -> None:
    makers: dict[str, Callable[[], Any]] = {
        "bytes": lambda: pipe(demo_image().read_bytes()),
        "pil": lambda: pipe(Image.open(demo_image())),
        "array": lambda: pipe(image[:, :, ::-1]),
        "list": lambda: pipe([demo_image(), demo_image()], batch_size=2)[1],
    }
    np.testing.assert_allclose(makers[kind]().keypoints, hand.keypoints, atol=0.05)


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_turned_photographs(turns: int, pipe: Any, hand: Hands, image: np.ndarray) -> None:
    turned = pipe(np.ascontiguousarray(np.rot90(image, turns)), channel_order="rgb")
    assert turned.handedness == ("right",)
    points, (width, height) = turned.keypoints[0], turned.image_size
    for _ in range(turns):
        points = np.stack([height - 1 - points[:, 1], points[:, 0]], -1)
        width, height = height, width
    assert np.linalg.norm(points - hand.keypoints[0], axis=1).mean() < 0.06 * size_of(hand)


def test_a_mirrored_photograph_keeps_the_persons_side(pipe: Any, hand: Hands, image: np.ndarray) -> None:
    mirror = np.ascontiguousarray(image[:, ::-1])
    assert pipe(mirror, channel_order="rgb", mirrored=True).handedness == ("right",)
    assert pipe(mirror, channel_order="rgb").handedness == ("left",)


def test_both_hands_are_told_apart(pipe: Any, image: np.ndarray) -> None:
    both = pipe(np.concatenate([image, image[:, ::-1]], axis=1), channel_order="rgb")
    order = np.argsort(both.boxes[:, 0])
    assert [both.handedness[index] for index in order] == ["right", "left"]


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
    assert len(pipe(picture)) == 0


def test_a_box_on_nothing_is_told_from_a_hand(pipe: Any, image: np.ndarray, hand: Hands) -> None:
    given = pipe(image, boxes=np.array([[0, 0, 80, 80], hand.boxes[0]]), channel_order="rgb")
    assert len(given) == 2
    np.testing.assert_allclose(given.keypoints[1], hand.keypoints[0], atol=0.05)


def test_detection_alone(hand: Hands) -> None:
    """The bundle for joints answers by its detector."""
    found = pipeline("hand_detection")(demo_image())
    np.testing.assert_allclose(found.boxes, hand.boxes, atol=0.05)
    assert pipeline("hand-detection", max_hands=0)(demo_image()).boxes.shape == (0, 4)


def test_boxes_alone_have_their_own_threshold() -> None:
    for model in (None, "hand_3d_keypoints"):
        joints, boxes = (resolve_config(task, model) for task in ("hand_2d_keypoints", "hand_detection"))
        assert boxes["box_threshold"] == joints["detection_threshold"] > joints["box_threshold"]
    asked = resolve_config("hand_detection", cfg_options={"box_threshold": 0.125})
    assert asked["box_threshold"] == 0.125
    assert pipeline("hand_detection", box_threshold=0.125).config["box_threshold"] == 0.125


def test_joints_in_space(hand: Hands, image: np.ndarray) -> None:
    """Nearly the same joints in the plane, by an earlier stage of the network; a hand's size around its wrist."""
    pipe = pipeline("hand_3d_keypoints")
    found = pipe(demo_image())
    assert np.linalg.norm(found.keypoints[0] - hand.keypoints[0], axis=1).mean() < 0.02 * size_of(hand)
    assert found.xyz_root is not None
    assert found.xyz_root.shape == (1, 21, 3)
    np.testing.assert_allclose(found.xyz_root, found.extras["xyz_bone"] * 0.032, rtol=1e-4)  # a mean hand's bone
    reach = np.linalg.norm(found.xyz_root[0], axis=1)
    assert reach[0] == 0
    assert 0.05 < reach[12] < 0.25
    assert found.handedness == hand.handedness
    for task in ("hand_2d_keypoints", "hand_gesture"):
        np.testing.assert_array_equal(pipeline(task, "hand_3d_keypoints")(demo_image()).keypoints, found.keypoints)
    np.testing.assert_array_equal(pipeline("hand_detection", "hand_3d_keypoints")(demo_image()).boxes, found.boxes)
    mirrored = pipe(image[:, ::-1], channel_order="rgb")
    assert mirrored.handedness != found.handedness
    np.testing.assert_allclose(mirrored.xyz_root[0] * [-1, 1, 1], found.xyz_root[0], atol=0.01)
    back = mirrored.mirrored()
    np.testing.assert_allclose(back.xyz_root, back.extras["xyz_bone"] * 0.032, rtol=1e-4)


def test_no_hand_in_space_can_be_drawn_and_written(tmp_path: Path) -> None:
    pipe, blank = pipeline("hand_3d_keypoints"), np.zeros((120, 160, 3), np.uint8)
    for hands in (pipe(blank), pipe(blank, boxes=np.zeros((0, 4)))):
        assert (len(hands), hands.xyz_root.shape) == (0, (0, 21, 3))
        assert json.loads(hands.to_json())["xyz_root"] == []
        assert draw_in_space(hands, side=50).shape == (50, 200, 3)
    assert pipeline("hand_2d_keypoints")(blank).xyz_root is None
    pytest.importorskip("plotly", reason="the extra plot is not installed")
    write_space_page(tmp_path / "page.html", hands)
    assert (tmp_path / "page.html").stat().st_size > 0


def test_space_turns_with_the_picture(image: np.ndarray) -> None:
    pipe = pipeline("hand_3d_keypoints")
    upright, turned = (pipe(np.ascontiguousarray(one), channel_order="rgb") for one in (image, np.rot90(image, -1)))
    x, y, z = upright.xyz_root[0].T
    np.testing.assert_allclose(turned.xyz_root[0], np.stack([-y, x, z], 1), atol=0.03)


def test_the_bundles_are_whole_small_and_say_what_they_are() -> None:
    assert set(DEFAULTS.values()) < set(hub.bundle_paths())
    total = 0
    for folder in hub.bundle_paths():
        written = json.loads((folder / CARD).read_text("utf-8"))
        for file in written["files"]:
            assert sha256_of(folder / file["name"]) == file["sha256"]
        if "base" in written:
            assert sha256_of(hub.resolve(written["base"]["name"])) == written["base"]["sha256"], folder.name
        total += sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        card = BundleCard.read(folder / CARD)
        assert card.scores
        assert card.limits
    assert 0 < total < 60e6
    with pytest.raises(HubError, match="did you mean 'hand_detection'"):
        hub.bundle_path("hand_detectio")


@pytest.mark.parametrize("name", sorted(folder.name for folder in hub.bundle_paths()))
def test_every_bundle_finds_the_demo_hand(name: str, hand: Hands) -> None:
    pipe = pipeline("hand_2d_keypoints", name)
    found = pipe(demo_image())
    assert len(found) == 1
    if isinstance(pipe.finder.detector, HandSegDetector):  # a mask of its own, which has fewer of the fingertips
        assert box_iou(found.boxes, hand.boxes)[0, 0] > 0.5
    else:
        np.testing.assert_allclose(found.boxes, hand.boxes, atol=0.05)
    assert np.linalg.norm(found.keypoints[0] - hand.keypoints[0], axis=1).mean() < 0.2 * size_of(hand)


def test_thresholds_yield_to_the_caller(pipe: Any) -> None:
    assert len(pipeline(box_threshold=1.0)(demo_image())) == 0
    for option in ({"mirrored": True}, {"presence_threshold": 0.5}):
        with pytest.raises(ConfigError, match="tells no sides and no presence"):
            pipeline("hand_detection", **option)


def test_a_recipe_finds_hands_by_the_detector_of_the_package(hand: Hands) -> None:
    recipe = "hand_2d_keypoints/hrnetv2_w18_dark_handphotos_hard_192x192"
    weights = hub.bundle_path("hand_2d_keypoints") / "model.safetensors"
    found = pipeline(model=recipe, checkpoint=weights, cfg_options={"flip_test": "aligned", "max_hands": 1})(
        demo_image()
    )
    np.testing.assert_allclose(found.keypoints, hand.keypoints, atol=0.1)
    np.testing.assert_allclose(found.boxes, hand.boxes, atol=0.1)


def test_no_option_is_taken_and_forgotten() -> None:
    with pytest.raises(HubError, match="nowhere"):
        pipeline("hand_detection", checkpoint="nowhere.safetensors")
    with pytest.raises(ConfigError, match=r"detector.score_threshold yields to box_threshold \([0-9.]+\)"):
        pipeline(cfg_options={"detector.score_threshold": 0.9})
    with pytest.raises(ConfigError, match="batch_size must be 1 or more"):
        pipeline(batch_size=0)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (
            "hand_segmentation/handsegnet_handsynth_256x256",
            "marks the pixels of hands; 'hand_detection' takes such a config",
        ),
        ("face_2d_keypoints/hrnetv2_w18_wflw_256x256", "for training and testing only: no pipeline finds faces"),
        ("hand_gesture/gesture_mlp_handsynth", "'hand_gesture' takes its weights as gesture.checkpoint"),
    ],
)
def test_recipes_that_no_pipeline_answers_say_so(name: str, said: str) -> None:
    with pytest.raises(ConfigError, match=rf"{name}: the task .* {said}"):
        pipeline("hand_2d_keypoints", name, checkpoint="best.safetensors")
    task = load_config(name)["task"]
    with pytest.raises(ConfigError, match=rf"the task '{task}' .*{said}"):
        pipeline(task.replace("_", "-"))
