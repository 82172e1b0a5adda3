"""Views of a picture and back, and what is made of hands that they show."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from handkit.hands import Hands, Side
from handkit.pipelines.agreement import NOT_FOUND, View, agree

SIZE = (90, 70)
SHAPE = np.random.default_rng(0).uniform(10, 60, (21, 2))


def hands(points: Any, sides: tuple[Side | None, ...] = ("right",), score: float = 0.8) -> Hands:
    points = np.asarray(points).reshape(-1, 21, 2)
    count = len(points)
    boxes = np.concatenate([points.min(1), points.max(1)], -1)
    return Hands(points, np.ones((count, 21)), boxes, np.full(count, score), sides, np.full(count, 0.9), SIZE)


@given(st.sampled_from([90, 180, 270, -90, 450]), st.integers(2, 9), st.integers(2, 9))
def test_quarter_turns_and_the_mirror_lose_no_pixel(degrees: int, width: int, height: int) -> None:
    image = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    turned = View.turned((width, height), degrees).picture(image)
    np.testing.assert_array_equal(turned, np.rot90(image, -degrees // 90))
    np.testing.assert_array_equal(View.mirrored((width, height)).picture(image), image[:, ::-1])


@given(st.floats(-720, 720), st.booleans())
def test_what_a_view_shows_comes_back_to_its_place(degrees: float, mirror: bool) -> None:
    view = View.mirrored(SIZE) if mirror else View.turned(SIZE, degrees)
    points = view.crop.apply_points(SHAPE)
    canvas = np.array(view.crop.output_size)
    corners = view.crop.apply_points(np.array([[0, 0], [89, 0], [0, 69], [89, 69]]))
    assert (corners > -1e-4).all()
    assert (corners < canvas - 1 + 1e-4).all()
    back = view.back(hands(points))
    np.testing.assert_allclose(back.keypoints[0], SHAPE, atol=1e-4)
    assert back.handedness == (("left",) if mirror else ("right",))


def test_a_view_and_its_points_agree_at_any_angle() -> None:
    image = np.zeros((70, 90, 3), np.uint8)
    image[20:23, 60:63] = 255
    view = View.turned(SIZE, 33.0)
    shown = view.picture(image)[..., 0].astype(float)
    y, x = np.mgrid[: shown.shape[0], : shown.shape[1]]
    middle = [(x * shown).sum() / shown.sum(), (y * shown).sum() / shown.sum()]
    np.testing.assert_allclose(view.crop.apply_points(np.array([[61.0, 21.0]]))[0], middle, atol=0.05)


def test_equal_views_have_no_disagreement() -> None:
    one = agree(hands(SHAPE), hands(SHAPE), [hands(SHAPE)] * 2)
    assert (one.quality[0], one.views[0], one.handedness) == (1.0, 4, ("right",))
    np.testing.assert_allclose(one.keypoints[0], SHAPE, atol=1e-5)
    assert one.handedness_scores[0] == pytest.approx(0.9)
    assert one.presence[0] == pytest.approx(0.8)


def test_joints_are_the_mean_of_the_views_that_agree() -> None:
    size = np.ptp(SHAPE, 0).max()
    near, far = SHAPE + np.array([0.04 * size, 0]), SHAPE + np.array([0, 0.2 * size])
    one = agree(hands(SHAPE), hands(near, score=0.4), [hands(far, score=0.0)])
    np.testing.assert_allclose(one.keypoints[0], SHAPE + np.array([0.02 * size, 0]), atol=1e-4)
    assert one.flip_disagreement[0] == pytest.approx(0.04, abs=1e-5)
    assert one.turn_disagreement is not None
    assert one.turn_disagreement[0] == pytest.approx(0.2, abs=1e-5)
    assert one.quality[0] == pytest.approx(0.8, abs=1e-5)
    assert one.views[0] == 2
    assert one.presence[0] == pytest.approx(0.6)


def test_one_failed_turn_of_three_does_not_matter_but_two_do() -> None:
    none = hands(np.zeros((0, 21, 2)), ())
    good = hands(SHAPE)
    assert agree(good, good, [good, none, good]).quality[0] == 1
    assert agree(good, good, [none, none, good]).quality[0] == 1 - NOT_FOUND
    assert agree(good, none, [good]).quality[0] == 1 - NOT_FOUND
    assert agree(good, good).quality[0] == 1


def test_hands_are_followed_one_to_one() -> None:
    pair, swapped = np.stack([SHAPE, SHAPE + np.array([25, 5])]), np.stack([SHAPE + np.array([25, 5]), SHAPE])
    both = agree(hands(pair, ("right", "left")), hands(swapped, ("left", "right")))
    assert both.handedness == ("right", "left")
    np.testing.assert_array_equal(both.flip_disagreement, 0)
    alone = agree(hands(SHAPE), hands(swapped, ("left", "right")))
    assert len(alone) == 1
    assert len(agree(hands(np.zeros((0, 21, 2)), ()), hands(SHAPE))) == 0


def test_views_vote_on_the_side_and_a_model_without_sides_has_none() -> None:
    assert agree(hands(SHAPE), hands(SHAPE, ("left",)), [hands(SHAPE, ("left",))]).handedness == ("left",)
    unknown = hands(SHAPE, (None,))
    one = agree(unknown, unknown)
    assert (one.handedness, one.handedness_scores.tolist()) == ((None,), [0.0])
