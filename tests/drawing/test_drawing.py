from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

from handkit.detections import Detections
from handkit.drawing import draw, joint_table
from handkit.errors import DataError
from handkit.hands import Hands
from handkit.skeleton import HAND

GREY = np.full((200, 300, 3), 90, np.uint8)


def hand(score: float = 0.9, side: str | None = "right") -> Hands:
    points = np.stack([np.linspace(80, 220, 21), 100 + 40 * np.sin(np.arange(21.0))], -1)
    return Hands(
        keypoints=points[None],
        scores=np.full((1, 21), score),
        boxes=[[70, 50, 230, 150]],
        box_scores=[0.9],
        handedness=(side,),
        handedness_scores=[0.97 if side else 0],
        image_size=(300, 200),
    )


def test_joints_are_drawn_in_their_colours_and_the_source_stays() -> None:
    source = GREY.copy()
    drawn = draw(source, hand())
    np.testing.assert_array_equal(source, GREY)
    assert drawn.shape == GREY.shape
    for index in (0, 4, 20):
        x, y = np.rint(hand().keypoints[0, index]).astype(int)
        np.testing.assert_array_equal(drawn[y, x], HAND.colors[index])


def test_weak_joints_are_left_out() -> None:
    weak, strong = draw(GREY, hand(0.1)), draw(GREY, hand(0.9))
    inside = np.s_[60:140, 90:210]
    assert (weak[inside] == 90).all()
    assert (strong[inside] != 90).any()


def test_sides_differ_in_colour() -> None:
    pictures = [draw(GREY, hand(side=side)) for side in ("left", "right", None)]
    assert len({picture[50, 150].tobytes() for picture in pictures}) == 3


def test_a_gesture_stands_behind_the_side() -> None:
    plain = draw(GREY, hand())
    named = [draw(GREY, replace(hand(), gestures=(name,))) for name in ("five", "\u4e94", None)]
    beside = np.s_[30:50, 127:230]  # where the label of the side ends
    assert [bool((picture[beside] != plain[beside]).any()) for picture in named] == [True, True, False]


def test_a_hand_of_another_image_is_refused() -> None:
    with pytest.raises(DataError, match=r"an image of \(300, 200\), not \(100, 100\)"):
        draw(np.zeros((100, 100, 3), np.uint8), hand())


def test_boxes_and_hands_beyond_the_edge_do_not_harm() -> None:
    draw(GREY, Detections([[-50, -60, 400, 900]], [0.5]))
    assert (draw(np.zeros((1, 1, 3), np.uint8), Hands.empty((1, 1))) == 0).all()


def test_masks_are_translucent_with_a_contour_in_the_colour_of_their_side() -> None:
    masks = np.zeros((1, 200, 300), bool)
    masks[0, 20:40, 240:280] = True
    for side, color in (("left", (255, 196, 0)), ("right", (0, 196, 255)), (None, (200, 200, 200))):
        plain, drawn = draw(GREY, hand(side=side)), draw(GREY, replace(hand(side=side), masks=masks))
        inside, edge = drawn[30, 260], drawn[20, 260]
        np.testing.assert_array_equal(inside, 45 + np.array(color) // 2)
        np.testing.assert_array_equal(edge, color)
        far = np.ones((200, 300), bool)
        far[18:42, 238:282] = False
        np.testing.assert_array_equal(drawn[far], plain[far])
    found = draw(GREY, Detections([[240, 20, 279, 39]], [0.5], masks=masks))
    np.testing.assert_array_equal(found[30, 260], [145, 145, 145])
    with pytest.raises(DataError, match=r"masks belong to an image of \(300, 200\), not \(100, 100\)"):
        draw(np.zeros((100, 100, 3), np.uint8), Detections([[240, 20, 279, 39]], [0.5], masks=masks))


def test_the_table_names_every_joint() -> None:
    out = io.StringIO()
    Console(file=out, width=120).print(joint_table(hand(), "photo.jpg"))
    for name in HAND.joints:
        assert name in out.getvalue()
    assert "hand 0 (right)" in out.getvalue()
    assert "80.0" in out.getvalue()
