"""Pipelines without a detector: all hands of an image from one run of the network."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest

from handkit import pipeline
from handkit.codecs.hand_offsets import HandOffsets
from handkit.errors import ConfigError, DataError, MissingWeightsError
from handkit.hands import Hands
from handkit.pipelines.bottom_up import BottomUp
from handkit.pipelines.build import resolve_config
from handkit.pipelines.keypoints import HandKeypoints
from handkit.registry.config import load_config
from handkit.transforms import BottomUpResize, LoadImage

SIZE = (257, 193)
RECIPE = "hand_2d_keypoints/posenet_mobilenetv2_s16_multihand_handsynth_321x321"


def hand(x: float, y: float, length: float) -> Any:
    """(21, 2) a hand with its wrist at (x, y), five rays of four joints."""
    rays = [(np.sin(a), -np.cos(a)) for a in np.linspace(-0.7, 0.7, 5)]
    far = np.array([1.0, 1.4, 1.7, 2.0]) * length
    return np.concatenate([[[x, y]], *(np.array([x, y]) + np.outer(far, ray) for ray in rays)])


class Net:
    """Sees the wrist of a hand in every blue spot of the input, as long as the spot is wide."""

    def __init__(self) -> None:
        self.codec = HandOffsets(SIZE, 16)
        self.runs: list[int] = []

    def __call__(self, batch: Any) -> dict[str, Any]:
        self.runs.append(len(batch["img"]))
        found = [self.hands(img) for img in batch["img"]]
        points = np.full((len(found), max(map(len, found)) or 1, 21, 2), np.nan)
        for row, hands in enumerate(found):
            points[row, : len(hands)] = np.reshape(hands, (-1, 21, 2))
        made = self.codec.encode(points, np.isfinite(points).all(-1))
        joints, scores, hand_scores = self.codec.decode(made)
        return {"keypoints": joints, "scores": scores * 0.9, "hand_scores": hand_scores * 0.8}

    @staticmethod
    def hands(img: Any) -> list[Any]:
        blue = (img[..., 2] > 120) & (img[..., 0] < 90)
        _, _, boxes, centers = cv2.connectedComponentsWithStats(blue.astype(np.uint8))
        return [hand(x, y, 2 * box[2]) for (x, y), box in zip(centers[1:], boxes[1:], strict=True)]


def photo(*places: tuple[int, int, int], size: tuple[int, int] = (640, 480)) -> Any:
    """RGB, a blue disc of that radius at every place."""
    img = np.full((size[1], size[0], 3), 110, np.uint8)
    for x, y, radius in places:
        cv2.circle(img, (x, y), radius, (0, 0, 255), -1)
    return img


def made(**options: Any) -> HandKeypoints:
    return HandKeypoints(LoadImage(), BottomUp([BottomUpResize(SIZE)], Net(), **options), {})


def test_all_hands_come_back_in_pixels_of_the_image() -> None:
    places = (170, 300, 25), (470, 400, 26)
    found = made()(photo(*places), channel_order="rgb")
    assert isinstance(found, Hands)
    assert len(found) == 2
    order = found.keypoints[:, 0, 0].argsort()
    for row, (x, y, radius) in zip(order, places, strict=True):
        np.testing.assert_allclose(found.keypoints[row, 0], [x, y], atol=2)
        width, height = np.ptp(found.keypoints[row], axis=0)
        assert height == pytest.approx(4 * (2 * radius + 1), rel=0.1)
        x1, y1, x2, y2 = found.boxes[row]
        assert [x2 - x1, y2 - y1] == pytest.approx([1.15 * width, 1.15 * height], rel=0.01)
    np.testing.assert_allclose(found.scores, 0.9, atol=1e-6)
    np.testing.assert_allclose(found.box_scores, 0.8, atol=1e-6)
    assert found.handedness == (None, None)
    assert found.image_size == (640, 480)


@pytest.mark.parametrize("size", [(200, 500), (900, 100), (64, 64)])
def test_images_of_any_shape(size: tuple[int, int]) -> None:
    place = (size[0] // 2, size[1] // 2, min(size) // 20)
    found = made()(photo(place, size=size), channel_order="rgb")
    assert len(found) == 1
    np.testing.assert_allclose(found.keypoints[0, 0], place[:2], atol=max(size) / 200)


def test_nothing_found_is_empty_and_batches_keep_the_order() -> None:
    pipe = made(batch_size=2)
    pictures = [photo(), photo((150, 300, 25)), photo(size=(50, 70)), photo((100, 200, 15), (400, 300, 15)), photo()]
    found = pipe(pictures, channel_order="rgb")
    assert [len(hands) for hands in found] == [0, 1, 0, 2, 0]
    assert found[2].image_size == (50, 70)
    assert pipe.finder.net.runs == [2, 2, 1]  # type: ignore[union-attr]
    assert [len(hands) for hands in pipe(pictures, channel_order="rgb", batch_size=5)] == [0, 1, 0, 2, 0]
    assert pipe.finder.net.runs == [2, 2, 1, 5]  # type: ignore[union-attr]
    assert pipe([]) == []


def test_channels_mirrors_and_limits() -> None:
    picture = photo((150, 300, 25), (480, 400, 35))
    swapped = np.ascontiguousarray(picture[..., ::-1])
    assert len(made()(swapped, channel_order="rgb")) == 0
    assert len(made()(swapped)) == 2
    mirrored = made()(np.ascontiguousarray(picture[:, ::-1]), channel_order="rgb", mirrored=True)
    usual = made()(np.ascontiguousarray(picture[:, ::-1]), channel_order="rgb")
    assert len(mirrored) == len(usual) == 2
    wrists = [hands.keypoints[hands.keypoints[:, 0, 0].argsort(), 0] for hands in (mirrored, usual)]
    np.testing.assert_allclose(*wrists, atol=2)
    assert len(made(max_hands=1)(picture, channel_order="rgb")) == 1
    assert len(made(box_threshold=0.85)(picture, channel_order="rgb")) == 0


@pytest.mark.parametrize("boxes", [np.array([[10.0, 10, 200, 200]]), "full"])
def test_boxes_are_refused(boxes: Any) -> None:
    with pytest.raises(DataError, match="finds all hands of an image by their joints: leave boxes out"):
        made()(photo(), boxes)


def test_hands_of_joints_alone() -> None:
    points = np.stack([hand(60, 90, 20), hand(160, 90, 20), hand(-90, -90, 20), hand(60, 60, 9)])
    scores, hand_scores = np.tile([[0.6], [0.6], [0.9], [0.0]], 21), np.array([0.5, 0.8, 0.9, 0.0])
    found = Hands.of_joints(points, scores, hand_scores, (200, 100))
    np.testing.assert_allclose(found.box_scores, [0.8, 0.5], atol=1e-6)  # one is outside, one scores 0
    np.testing.assert_allclose(found.keypoints, points[[1, 0]], atol=1e-4)
    assert (found.boxes <= [199, 99, 199, 99]).all()
    assert len(Hands.of_joints(points[:0], scores[:0], hand_scores[:0], (200, 100))) == 0


def test_the_recipe_is_a_pipeline_that_needs_weights() -> None:
    config = resolve_config("hand_2d_keypoints", RECIPE)
    assert "detector" not in config
    with pytest.raises(MissingWeightsError, match=r"has no weights yet.*: name a file as checkpoint="):
        pipeline(model=RECIPE)
    with pytest.raises(ConfigError, match="finds hands by their joints, without a detector: ask for"):
        pipeline("hand_detection", RECIPE)
    with pytest.raises(ConfigError, match="presence_threshold: HandOffsets finds all hands"):
        pipeline(model=RECIPE, presence_threshold=0.5)
    assert load_config(RECIPE)["codec"]["type"] == "HandOffsets"
