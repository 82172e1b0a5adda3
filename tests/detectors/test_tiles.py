"""Tiles of an image: they cover it, cut hands are left to a neighbour, and each hand is found once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from handkit.detections import Detections
from handkit.detectors.onehand import OneHandDetector
from handkit.detectors.tiles import merged, tiles, whole
from handkit.errors import ConfigError

SIDES = st.integers(1, 4000)


@given(width=SIDES, height=SIDES, share=st.floats(0.2, 0.9))
def test_tiles_cover_the_image_and_overlap_by_a_third(width: int, height: int, share: float) -> None:
    side = max(round(share * max(width, height)), 1)
    windows = np.array(tiles((width, height), share))
    assert (windows[:, :2] >= 0).all()
    assert (windows[:, 2:] <= (width, height)).all()
    for axis, length in enumerate((width, height)):
        first, last = np.unique(windows[:, axis]), np.unique(windows[:, axis + 2])
        assert (first[0], last[-1]) == (0, length)
        assert (last - first == min(side, length)).all()
        assert (last[:-1] - first[1:] >= 0.3 * side - 2).all()


def test_three_by_four_has_four_tiles() -> None:
    assert tiles((640, 480), 0.6) == [(0, 0, 384, 384), (256, 0, 640, 384), (0, 96, 384, 480), (256, 96, 640, 480)]


@given(x=st.floats(0, 560), y=st.floats(0, 400), side=st.floats(4, 80))
def test_a_hand_smaller_than_the_overlap_is_whole_in_some_tile(x: float, y: float, side: float) -> None:
    box = np.array([[x, y, x + side, y + side]])
    size = (640, 480)
    assert any(whole(box - np.array(window[:2] * 2), window, size)[0] for window in tiles(size, 0.6))


def test_cut_hands_and_large_ones_are_left_to_others() -> None:
    window, size = (256, 0, 640, 384), (640, 480)
    boxes = np.array([[0, 90, 40, 130], [350, 0, 384, 40], [90, 350, 130, 384], [50, 50, 300, 100], [50, 50, 90, 90]])
    assert whole(boxes, window, size).tolist() == [False, True, False, False, True]


def test_each_hand_is_found_once_and_hands_of_one_window_stay() -> None:
    image = Detections(np.array([[100, 100, 200, 200], [120, 110, 210, 210]]), np.array([0.9, 0.4]))
    tile = Detections(
        np.array([[102, 98, 203, 199], [150, 150, 180, 190], [300, 300, 330, 330]]), np.array([0.8, 0.5, 0.3])
    )
    found = merged([image, tile, Detections.empty()], 0.45)
    np.testing.assert_allclose(found.scores, [0.9, 0.4, 0.3])
    np.testing.assert_allclose(found.boxes, [*image.boxes, tile.boxes[2]])


@given(st.data())
def test_a_higher_threshold_only_leaves_out_the_weaker(data: st.DataObject) -> None:
    """So that thresholds can be swept over one look."""
    numbers = np.random.default_rng(data.draw(st.integers(0, 10**6)))
    parts = []
    for _ in range(3):
        first = numbers.uniform(0, 100, (6, 2))
        parts.append(Detections(np.hstack([first, first + numbers.uniform(5, 60, (6, 2))]), numbers.random(6)))
    few = merged([part[part.scores > 0.5] for part in parts], 0.45)
    many = merged(parts, 0.45)
    np.testing.assert_array_equal(few.boxes, many.boxes[many.scores > 0.5])


class Bright:
    """A net that boxes what is white in its input of 320 x 320."""

    def __init__(self) -> None:
        self.batches: list[int] = []

    def predicting(self, *limits: Any) -> Bright:
        return self

    def prepare(self, model: Any, checkpoint: None, transforms: Sequence[Any], decode: None) -> Bright:
        return self

    def __call__(self, inputs: dict[str, Any]) -> dict[str, Any]:
        images = inputs["img"]
        self.batches.append(len(images))
        boxes, counts = np.zeros((len(images), 1, 4), np.float32), np.zeros(len(images), int)
        for row, image in enumerate(images):
            y, x = np.nonzero(image.max(-1) > 250)
            if len(x) > 100:  # what is smaller goes unseen
                boxes[row, 0], counts[row] = (x.min(), y.min(), x.max() + 1, y.max() + 1), 1
        return {"boxes": boxes, "scores": np.full((len(images), 1), 0.5, np.float32), "counts": counts}


def test_a_detector_with_tiles_finds_what_is_too_small_in_the_whole_image() -> None:
    image = np.zeros((960, 1280, 3), np.uint8)
    image[500:530, 700:730] = 255
    small = np.zeros((240, 310, 3), np.uint8)
    small[100:160, 100:160] = 255
    net = Bright()
    alone = OneHandDetector(net, None, net, (), 0.1)  # type: ignore[arg-type]
    assert len(alone.detect([image])[0]) == 0
    tiled = OneHandDetector(net, None, net, (), 0.1, tile=0.5)  # type: ignore[arg-type]
    found, whole_image = tiled.detect([image, small])
    np.testing.assert_allclose(found.boxes, [[700, 500, 730, 530]], atol=3)
    np.testing.assert_allclose(whole_image.boxes, [[100, 100, 160, 160]], atol=2)
    np.testing.assert_array_equal(whole_image.boxes, alone.detect([small])[0].boxes)
    net.batches.clear()
    tiled.detect([image] * 3)
    assert sum(net.batches) > 20
    assert max(net.batches) <= 16


@pytest.mark.parametrize("options", [{"tile": 0.0}, {"tile": 1.0}, {"tile": 0.5, "tile_from": 0}])
def test_impossible_tiles_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match="tile"):
        OneHandDetector(Bright(), None, Bright(), (), 0.1, **options)  # type: ignore[arg-type]
