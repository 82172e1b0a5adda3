"""GivenBoxes and FullImage: nothing is dropped, reordered or guessed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from handkit.detectors.given import FullImage, GivenBoxes
from handkit.errors import DataError

IMAGE = np.zeros((48, 64, 3), np.uint8)
BOX = [4.0, 5.0, 20.0, 30.0]


@given(st.lists(st.tuples(*[st.floats(0, 40, width=32)] * 2, *[st.floats(0.5, 20, width=32)] * 2), max_size=6))
def test_row_i_answers_box_i(parts: list[tuple[float, float, float, float]]) -> None:
    boxes = [[x, y, x + w, y + h] for x, y, w, h in parts]
    (found,) = GivenBoxes(boxes).detect([IMAGE])
    np.testing.assert_array_equal(found.boxes, np.array(boxes, np.float32).reshape(-1, 4))
    assert found.scores.tolist() == [1.0] * len(boxes)
    assert found.rotations is None


@pytest.mark.parametrize(
    ("boxes", "counts"),
    [
        ([BOX, BOX], [2]),
        (np.array([BOX, BOX, BOX]), [3]),
        ((tuple(BOX), np.array(BOX)), [2]),
        ([[BOX], [BOX, BOX]], [1, 2]),
        ([np.array([BOX]), np.zeros((0, 4))], [1, 0]),
        (np.array([[BOX], [BOX]]), [1, 1]),
        ([[], [BOX]], [0, 1]),
        ([[], []], [0, 0]),
        ([], [0]),
        (np.zeros((0, 4)), [0]),
    ],
)
def test_one_image_takes_rows_and_several_take_a_list_of_them(boxes: Any, counts: list[int]) -> None:
    found = GivenBoxes(boxes).detect([IMAGE] * len(counts))
    assert [len(item) for item in found] == counts


def test_a_box_partly_outside_stays_as_it_is() -> None:
    box = [-20.0, 10.0, 100.0, 400.0]
    (found,) = GivenBoxes([box]).detect([IMAGE])
    assert found.boxes.tolist() == [box]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ([4, np.nan, 20, 30], "box 1 is not finite"),
        ([4, 5, np.inf, 30], "box 1 is not finite"),
        ([20, 5, 4, 30], "box 1 is inside out"),
        ([4, 5, 4, 30], "box 1 is inside out"),
        ([4, 30, 20, 5], "box 1 is inside out"),
    ],
)
def test_a_wrong_box_is_named_before_any_image_is_seen(wrong: list[float], message: str) -> None:
    with pytest.raises(DataError, match=f"boxes of image 0: {message}"):
        GivenBoxes([BOX, wrong])
    with pytest.raises(DataError, match=f"boxes of image 1: {message}"):
        GivenBoxes([[BOX], [BOX, wrong]])


@pytest.mark.parametrize(
    "outside", [[64, 0, 90, 40], [-30, 0, -1, 40], [0, 48, 60, 90], [0, -9, 60, -2], [63.5, 0, 70, 40]]
)
def test_a_box_wholly_outside_is_named_with_the_size(outside: list[float]) -> None:
    with pytest.raises(DataError, match="image 1: box 1 lies wholly outside the image of 64 x 48 pixels"):
        GivenBoxes([[BOX], [BOX, outside]]).detect([IMAGE, IMAGE])


def test_a_box_on_the_outermost_pixels_is_inside() -> None:
    corners = [[63.0, 47.0, 70.0, 50.0], [-5.0, -5.0, 0.0, 0.0]]
    (found,) = GivenBoxes(corners).detect([IMAGE])
    assert found.boxes.tolist() == corners


@pytest.mark.parametrize("boxes", [BOX, np.array(BOX), [[1, 2, 3]], [["a", 0, 1, 1]], [BOX, [1, 2]], 3, None])
def test_another_form_is_refused(boxes: Any) -> None:
    with pytest.raises(DataError, match=r"expected \(N, 4\) numbers"):
        GivenBoxes(boxes)


def test_another_number_of_images_is_refused() -> None:
    with pytest.raises(DataError, match="given for 2 images, but there are 1"):
        GivenBoxes([[BOX], [BOX]]).detect([IMAGE])


def test_the_full_image_is_one_box_from_edge_to_edge() -> None:
    found = FullImage().detect([IMAGE, np.zeros((1, 1, 3), np.uint8)])
    assert [item.boxes.tolist() for item in found] == [[[-0.5, -0.5, 63.5, 47.5]], [[-0.5, -0.5, 0.5, 0.5]]]
    assert [item.scores.tolist() for item in found] == [[1.0], [1.0]]
