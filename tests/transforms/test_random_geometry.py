"""Mirror, scale, turn, shift: drawn as published, done in one warp, followed by every label."""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from handkit.errors import ConfigError, DataError
from handkit.transforms import (
    TopDownAffine,
    TopDownGetRandomScaleRotation,
    TopDownRandomFlip,
    TopDownRandomShift,
    TopDownRandomUpright,
)

WIDTH, HEIGHT = 240, 200
BOX = np.array([60.0, 50.0, 170.0, 140.0])
POLICIES = [
    TopDownRandomFlip(),
    TopDownGetRandomScaleRotation(),
    TopDownGetRandomScaleRotation(distribution="uniform", rotate_prob=1),
    TopDownRandomShift(shift_prob=1),
    TopDownRandomShift(distribution="uniform"),
]


def dot(point: Any, sigma: float = 4.0) -> Any:
    """(H, W, 3) uint8: a blurred white dot on black."""
    x, y = np.arange(WIDTH) - point[0], np.arange(HEIGHT)[:, None] - point[1]
    return np.repeat(np.rint(255 * np.exp(-(x**2 + y**2) / (2 * sigma**2)))[..., None], 3, 2).astype(np.uint8)


def middle(img: Any) -> Any:
    """(2,) centre of the dot."""
    weight = img.reshape(*img.shape[:2], -1).astype(float).mean(-1)
    y, x = np.mgrid[: img.shape[0], : img.shape[1]]
    return np.array([(weight * x).sum(), (weight * y).sum()]) / weight.sum()


def sample(point: Any = (110.0, 90.0), seed: int = 0, **changes: Any) -> dict[str, Any]:
    return {
        "img": dot(point),
        "mask": (dot(point)[..., 0] > 40).astype(np.uint8),
        "box": BOX,
        "keypoints": np.array([point], np.float32),
        "visible": np.array([2], np.uint8),
        "right": np.float32(1),
        "rng": np.random.default_rng([1, 2, seed]),
        **changes,
    }


def run(steps: Any, start: dict[str, Any]) -> dict[str, Any]:
    for step in steps:
        start = step(start)
    return start


@settings(deadline=None, max_examples=150)
@given(
    steps=st.lists(st.sampled_from(POLICIES), max_size=5),
    seed=st.integers(0, 2**31),
    x=st.floats(85, 145),
    y=st.floats(75, 115),
    size=st.sampled_from([(96, 96), (128, 96), (64, 112)]),
    udp=st.booleans(),
)
def test_pixels_and_mask_follow_the_joints(steps: Any, seed: int, x: float, y: float, size: Any, udp: bool) -> None:
    out = run([*steps, TopDownAffine(size, use_udp=udp)], sample((x, y), seed))
    joint = out["keypoints"][0]
    if (joint < 20).any() or (joint > np.array(size) - 21).any() or max(out["crop"].size) > 3 * max(size):
        return  # the dot is cut off or too small
    assert out["visible"][0] == 2
    assert np.abs(middle(out["img"]) - joint).max() < 0.1
    assert np.abs(middle(out["mask"]) - joint).max() < 0.6
    assert set(np.unique(out["mask"])) == {0, 1}
    assert out["right"] == (0 if out["crop"].flip else 1)
    np.testing.assert_allclose(out["crop"].inverse_points(out["keypoints"].astype(float)), [[x, y]], atol=1e-3)


def test_one_warp_does_what_the_steps_would_do_one_after_the_other() -> None:
    start = sample(scale=1.2, rotation=0.7, shift=np.array([0.1, -0.2]), flip=True)
    out = TopDownAffine((96, 96))(start)
    plain = TopDownAffine((96, 96))({**start, "flip": False})
    np.testing.assert_allclose(out["keypoints"][:, 0], 95 - plain["keypoints"][:, 0], atol=1e-4)
    assert np.abs(out["img"].astype(int) - plain["img"][:, ::-1]).max() <= 2
    crop = out["crop"]
    assert crop.size == pytest.approx((110 * 1.25 * 1.2,) * 2)
    assert crop.center == pytest.approx((115 + 0.1 * 110 * 1.25, 95 - 0.2 * 90 * 1.25))


def test_flipping_twice_is_as_not_flipping() -> None:
    always, cut = TopDownRandomFlip(flip_prob=1), TopDownAffine((96, 96))
    once, twice, never = (run([always] * count + [cut], sample()) for count in (1, 2, 0))
    for key in ("img", "keypoints", "mask", "visible", "right"):
        np.testing.assert_array_equal(twice[key], never[key])
    assert once["right"] == 0
    np.testing.assert_array_equal(once["visible"], never["visible"])
    again = TopDownAffine((96, 96))({**sample(), "flip": True, "right": np.float32(np.nan)})
    assert np.isnan(again["right"])


def test_nothing_stays_pending_and_the_given_sample_stays_as_it_was() -> None:
    before = run(POLICIES, sample())
    kept = {key: np.copy(before[key]) for key in ("img", "keypoints", "visible", "mask")}
    out = TopDownAffine((96, 96))(before)
    assert not {"flip", "scale", "shift"} & set(out)
    assert TopDownAffine((96, 96))({"img": dot((9, 9)), "box": BOX}).keys() == {"img", "box", "crop"}
    for key, value in kept.items():
        np.testing.assert_array_equal(before[key], value)


def test_joints_that_leave_the_crop_are_hidden_unless_the_codec_is_to_decide() -> None:
    joints = np.array([[115, 95], [45.2, 95], [45.8, 95], [3, 3], [np.nan, np.nan]], np.float32)
    start = sample(keypoints=joints, visible=np.array([1, 2, 2, 2, 0], np.uint8))
    hidden = TopDownAffine((110, 110), padding=1.25)(start)
    np.testing.assert_array_equal(hidden["visible"], [1, 0, 2, 0, 0])
    kept = TopDownAffine((110, 110), padding=1.25, hide_outside=False)(start)
    np.testing.assert_array_equal(kept["visible"], start["visible"])
    assert hidden["keypoints"][1, 0] < -0.5 <= hidden["keypoints"][2, 0]
    assert hidden["keypoints"].dtype == np.float32
    assert hidden["visible"].dtype == np.uint8


def drawn(step: Any, key: str, count: int = 4000) -> Any:
    bare = {"rng": np.random.default_rng(0)}
    return np.array([step(bare).get(key, np.zeros(2)) for _ in range(count)])


def test_the_defaults_are_the_published_recipe_of_mmpose_1() -> None:
    scale = drawn(TopDownGetRandomScaleRotation(), "scale")
    assert stats.kstest((scale - 1) / 0.3, stats.truncnorm(-1, 1).cdf).pvalue > 0.01
    turn = np.degrees(drawn(TopDownGetRandomScaleRotation(), "rotation"))
    assert (turn == 0).mean() == pytest.approx(0.4, abs=0.03)
    assert stats.kstest(turn[turn != 0] / 180, stats.truncnorm(-1, 1).cdf).pvalue > 0.01
    shift = drawn(TopDownRandomShift(), "shift")
    assert (shift == 0).all(-1).mean() == pytest.approx(0.7, abs=0.03)
    for axis in (0, 1):
        moved = shift[shift[:, axis] != 0, axis]
        assert stats.kstest(moved / 0.16, stats.truncnorm(-1, 1).cdf).pvalue > 0.01
    assert abs(np.corrcoef(shift[shift.any(-1)].T)[0, 1]) < 0.1


def test_clipped_normal_is_the_recipe_of_mmpose_0_and_easycv() -> None:
    step = TopDownGetRandomScaleRotation(distribution="clipped_normal")
    draw = np.random.default_rng(1)
    theirs = np.clip(draw.standard_normal(4000) * 0.3 + 1, 0.7, 1.3)
    assert stats.ks_2samp(drawn(step, "scale"), theirs).pvalue > 0.01
    turn = np.degrees(drawn(step, "rotation"))
    theirs = np.clip(draw.standard_normal(4000) * 90, -180, 180)
    assert stats.ks_2samp(turn[turn != 0], theirs).pvalue > 0.01
    assert (np.abs(turn) == 180).mean() == pytest.approx(0.6 * 2 * stats.norm.cdf(-2), abs=0.01)


def test_uniform_covers_the_full_circle_evenly() -> None:
    step = TopDownGetRandomScaleRotation(rotate_prob=1, distribution="uniform")
    turn = drawn(step, "rotation")
    assert stats.kstest(turn, stats.uniform(-math.pi, 2 * math.pi).cdf).pvalue > 0.01
    shift = drawn(TopDownRandomShift(shift_prob=1, distribution="uniform"), "shift")
    assert stats.kstest(shift[:, 1], stats.uniform(-0.16, 0.32).cdf).pvalue > 0.01


def test_what_a_detector_knows_and_what_is_drawn_add_up() -> None:
    step = TopDownGetRandomScaleRotation(scale_factor=(1.2, 1.2), rotate_prob=0)
    out = step(step(sample(rotation=0.4)))
    assert (out["scale"], out["rotation"]) == (pytest.approx(1.44), 0.4)
    shift = TopDownRandomShift(shift_factor=0)
    np.testing.assert_array_equal(shift(sample(shift=np.array([0.1, 0.2])))["shift"], [0.1, 0.2])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: TopDownRandomFlip(flip_prob=1.5), r"flip_prob must lie in \[0, 1\]"),
        (lambda: TopDownGetRandomScaleRotation(scale_factor=(1.3, 0.7)), "scale_factor must be"),
        (lambda: TopDownGetRandomScaleRotation(scale_factor=(0, 1)), "scale_factor must be"),
        (lambda: TopDownGetRandomScaleRotation(rotate_factor=-1), "rotate_factor must be 0 or more"),
        (lambda: TopDownGetRandomScaleRotation(distribution="normal"), "must be one of truncnorm"),
        (lambda: TopDownRandomShift(shift_prob=-0.1), "shift_prob"),
        (lambda: TopDownRandomShift(distribution="normal"), "not 'normal'"),
    ],
)
def test_mistakes_are_named(make: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make()


def test_a_sample_without_a_generator_is_named() -> None:
    with pytest.raises(DataError, match=r"TopDownRandomFlip draws from sample\['rng'\]"):
        TopDownRandomFlip()({"rng": 0})


def test_the_warp_is_cv2s_at_pixel_centres() -> None:
    out = TopDownAffine((110, 110), padding=1.0)(sample(box=np.array([60.0, 40.0, 170.0, 150.0])))
    expected = cv2.warpAffine(dot((110, 90)), np.array([[1.0, 0, -60], [0, 1, -40]]), (110, 110))
    np.testing.assert_array_equal(out["img"], expected)


@given(turn=st.floats(-3.1, 3.1), flip=st.booleans())
def test_a_hand_that_is_set_upright_points_up_in_its_crop(turn: float, flip: bool) -> None:
    points = np.full((21, 2), 110.0)
    points[9] += 40 * np.array([np.sin(turn), -np.cos(turn)])
    start = sample(keypoints=points, visible=np.full(21, 2, np.uint8), rotation=0.4, flip=flip)
    out = run([TopDownRandomUpright(1.0), TopDownAffine((64, 64))], start)
    x, y = out["keypoints"][9] - out["keypoints"][0]
    assert abs(x) < 1e-3
    assert y < 0


def test_upright_misses_by_the_deviation_asked_for() -> None:
    points = np.full((21, 2), 110.0)
    points[9, 1] -= 40
    step = TopDownRandomUpright(1.0, rotate_sigma=12.0)
    turns = [
        step(sample(keypoints=points, visible=np.full(21, 2), rotation=2.0, seed=seed))["rotation"]
        for seed in range(500)
    ]
    np.testing.assert_allclose([np.mean(turns), np.std(turns)], [0.0, np.radians(12)], atol=0.02)


@pytest.mark.parametrize(("label", "prob"), [(0, 1.0), (2, 0.0)])
def test_upright_is_left_alone_by_chance_and_where_a_joint_is_not_labelled(label: int, prob: float) -> None:
    visible = np.full(21, 2, np.uint8)
    visible[9] = label
    start = sample(keypoints=np.random.default_rng(0).random((21, 2)), rotation=0.4, visible=visible)
    assert TopDownRandomUpright(prob)(start)["rotation"] == 0.4


def test_upright_refuses_another_skeleton() -> None:
    with pytest.raises(DataError, match="1 joints are none of the skeleton 'hand'"):
        TopDownRandomUpright(1.0)(sample())
    with pytest.raises(ConfigError, match="rotate_sigma"):
        TopDownRandomUpright(rotate_sigma=-1.0)
    with pytest.raises(ConfigError, match="no skeleton 'hnd'"):
        TopDownRandomUpright(skeleton="hnd")
