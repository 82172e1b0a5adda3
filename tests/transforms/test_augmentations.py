"""Light, blur, noise, compression, covers, backgrounds: what they change, what they leave, how they draw."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handkit.errors import ConfigError, DataError, ImageError
from handkit.transforms import (
    BackgroundPaste,
    RandomBlur,
    RandomDownscale,
    RandomJPEG,
    RandomNoise,
    RandomOcclusion,
    RandomPhotometric,
    TopDownAffine,
    TopDownGetRandomScaleRotation,
    TopDownRandomFlip,
    TopDownRandomShift,
)
from handkit.transforms.degradation import line_kernel, normal_noise
from handkit.transforms.draws import factor, spread

IMAGE = cv2.GaussianBlur(np.random.default_rng(0).integers(0, 255, (90, 120, 3), dtype=np.uint8), (0, 0), 3)
PIXELS = {
    "photometric": RandomPhotometric(prob=1),
    "focus": RandomBlur(prob=1, motion_share=0),
    "motion": RandomBlur(prob=1, motion_share=1),
    "noise": RandomNoise(prob=1),
    "jpeg": RandomJPEG(prob=1),
    "downscale": RandomDownscale(prob=1),
}


def sample(seed: int = 0, **changes: Any) -> dict[str, Any]:
    return {
        "img": IMAGE,
        "box": np.array([20.0, 10.0, 100.0, 80.0]),
        "keypoints": np.array([[60.0, 45.0], [30.0, 20.0], [np.nan, np.nan]], np.float32),
        "visible": np.array([2, 1, 0], np.uint8),
        "mask": (cv2.circle(np.zeros((90, 120), np.uint8), (60, 45), 25, 1, -1)),
        "right": np.float32(0),
        "rng": np.random.default_rng([7, 0, seed]),
        **changes,
    }


@pytest.fixture
def rooms(tmp_path: Path) -> Path:
    folder = tmp_path / "rooms"
    (folder / "inner").mkdir(parents=True)
    for index, name in enumerate(["a.png", "b.JPG", "inner/c.png"]):
        cv2.imwrite(str(folder / name), np.full((50 + index, 64, 3), 40 + 60 * index, np.uint8))
    (folder / "notes.txt").write_text("no picture")
    return folder


@pytest.mark.parametrize("name", PIXELS)
@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 2**31), x=st.floats(40, 60), y=st.floats(40, 60))
def test_no_joint_moves(name: str, seed: int, x: float, y: float) -> None:
    shape = np.exp(-((np.arange(100) - x) ** 2 + (np.arange(100)[:, None] - y) ** 2) / (2 * 6.0**2))
    img = np.repeat((30 + 160 * shape)[..., None], 3, 2).round().astype(np.uint8)
    out = PIXELS[name]({**sample(seed), "img": img})["img"].astype(float).mean(-1)
    assert out.shape == shape.shape
    smooth = cv2.GaussianBlur(out, (0, 0), 2)
    peak = np.clip(smooth - (smooth.min() + smooth.max()) / 2, 0, None)
    rows, columns = np.mgrid[:100, :100]
    found = np.array([(peak * columns).sum(), (peak * rows).sum()]) / peak.sum()
    assert np.abs(found - (x, y)).max() < 0.6


@pytest.mark.parametrize("name", PIXELS)
def test_the_picture_changes_and_the_given_one_does_not(name: str) -> None:
    before = sample()
    kept = before["img"].copy()
    out = PIXELS[name](before)
    assert out["img"].dtype == np.uint8
    assert out["img"].shape == IMAGE.shape
    assert (out["img"] != kept).any()
    np.testing.assert_array_equal(before["img"], kept)
    noted = {"blurred"} if isinstance(PIXELS[name], RandomBlur) else set()
    assert {key for key in out if out[key] is not before.get(key)} == {"img"} | noted


def every_step(rooms: Path) -> list[Any]:
    return [
        TopDownRandomFlip(),
        TopDownGetRandomScaleRotation(),
        TopDownRandomShift(),
        TopDownAffine((64, 64)),
        BackgroundPaste(str(rooms)),
        RandomOcclusion(),
        *(type(step)() for step in PIXELS.values()),
    ]


def run(steps: Any, start: dict[str, Any]) -> dict[str, Any]:
    for step in steps:
        start = step(start)
    return start


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    keys = ("img", "keypoints", "visible", "mask", "right")
    return all(np.array_equal(one[key], other[key], equal_nan=key == "keypoints") for key in keys)


def test_a_sample_is_a_function_of_seed_epoch_and_index(rooms: Path) -> None:
    """And of nothing else, numpy's global generator included."""

    def made(*key: int) -> dict[str, Any]:
        np.random.seed(len(key) + key[-1])  # noqa: NPY002
        return run(every_step(rooms), sample(rng=np.random.default_rng(list(key))))

    first = made(1, 2, 3)
    assert same(first, made(1, 2, 3))
    assert not any(same(first, made(*key)) for key in [(0, 2, 3), (1, 0, 3), (1, 2, 0)])


@pytest.mark.parametrize("place", range(12))
def test_a_steps_settings_change_nothing_about_the_draws_of_the_others(rooms: Path, place: int) -> None:
    """Whatever a step is set to, all steps together take the same values from the generator."""
    settings_of_others = [
        TopDownRandomFlip(0.9),
        TopDownGetRandomScaleRotation((0.5, 2), 0.1, 30, 0.1, "uniform"),
        TopDownRandomShift(0.3, 1),
        TopDownAffine((32, 48)),
        BackgroundPaste(str(rooms), prob=1),
        RandomOcclusion(count=(5, 9), prob=1),
        RandomPhotometric(prob=0),
        RandomBlur(prob=1, motion_share=1),
        RandomBlur(prob=0),
        RandomNoise(prob=1),
        RandomJPEG(prob=0),
        RandomDownscale(prob=1),
    ]
    steps, other = every_step(rooms), sample()
    steps[place] = settings_of_others[place]
    run(steps, other)
    plain = sample()
    run(every_step(rooms), plain)
    assert other["rng"].random() == plain["rng"].random()


def test_a_probability_is_kept() -> None:
    for step, share in [(RandomBlur(prob=0.3), 0.3), (RandomJPEG(prob=1), 1), (RandomNoise(prob=0), 0)]:
        start = sample()
        acted = [step(start)["img"] is not IMAGE for _ in range(400)]
        assert np.mean(acted) == pytest.approx(share, abs=0.07)


def test_photometric_without_strength_is_the_identity_and_greys_keep_their_hue() -> None:
    still = RandomPhotometric(0, 0, 0, 0, 0, 0, prob=1)
    np.testing.assert_array_equal(still(sample())["img"], IMAGE)
    grey = np.repeat(IMAGE[..., :1], 3, 2)
    colour = RandomPhotometric(0, 0, 0, 0, saturation=1, hue=40, prob=1)
    assert np.abs(colour(sample(img=grey))["img"].astype(int) - grey).max() <= 1
    luma = np.array([0.299, 0.587, 0.114])
    assert np.abs(colour(sample())["img"] @ luma - IMAGE @ luma).max() < 1.5
    assert not np.array_equal(colour(sample())["img"], IMAGE)


def test_photometric_takes_the_colours_of_a_share_of_pictures() -> None:
    step, luma = RandomPhotometric(0, 0, 0, 0, 0, 0, prob=1, grey=0.3), IMAGE @ (0.299, 0.587, 0.114)
    pictures = [step(start)["img"] for start in map(sample, range(400))]
    grey = [picture for picture in pictures if (picture == picture[..., :1]).all()]
    assert len(grey) / len(pictures) == pytest.approx(0.3, abs=0.07)
    np.testing.assert_allclose(grey[0][..., 0], luma, atol=0.6)
    assert sum(np.array_equal(picture, IMAGE) for picture in pictures) + len(grey) == len(pictures)


@pytest.mark.parametrize(
    ("name", "strength", "low", "high"),
    [
        ("brightness", 0.2, 0.05, 0.45),
        ("contrast", 1.0, 0.0, 0.375),
        ("gamma", 1.0, 0.0625, 0.5),
        ("white_balance", 0.5, 1 / 6, 0.375),
    ],
)
def test_photometric_strengths_are_limits(name: str, strength: float, low: float, high: float) -> None:
    """A quarter grey stays between the two values that the limit allows, and comes near both."""
    quiet = dict(brightness=0, contrast=0, gamma=0, white_balance=0, saturation=0, hue=0)
    step, start = RandomPhotometric(**{**quiet, name: strength}, prob=1), sample(img=np.full((2, 2, 3), 64, np.uint8))
    values = np.array([step(start)["img"][0, 0] for _ in range(300)]) / 255
    assert low - 0.01 <= values.min() < low + 0.03
    assert high - 0.03 < values.max() <= high + 0.01


def test_a_line_is_blurred_along_its_direction_only() -> None:
    for angle in (0, 0.4, np.pi / 2, 2.5):
        kernel = line_kernel(9, angle)
        assert kernel.sum() == pytest.approx(1, abs=1e-6)
        np.testing.assert_allclose(kernel, kernel[::-1, ::-1], atol=1e-7)
        y, x = np.mgrid[-5:6, -5:6]
        along, across = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
        assert (kernel * along**2).sum() > 5
        assert (kernel * across**2).sum() < 0.5
    assert line_kernel(1, 0.3)[1, 1] == 1


def test_noise_has_the_deviation_it_says() -> None:
    grey = np.full((200, 200, 3), 128, np.uint8)
    for share, correlated in ((0, False), (1, True)):
        out = RandomNoise(sigma=(9, 9), grey_share=share, prob=1)(sample(img=grey))["img"].astype(float)
        assert out.std() == pytest.approx(9, abs=0.3)
        assert out.mean() == pytest.approx(128, abs=0.3)
        assert np.array_equal(out[..., 0], out[..., 2]) == correlated
    huge = normal_noise(np.random.default_rng(1), (1100, 1000))
    assert huge.shape == (1100, 1000)
    assert huge.std() == pytest.approx(1, abs=0.01)


def test_covers_hide_joints_that_stay_labelled_and_leave_the_mask() -> None:
    step, hidden = RandomOcclusion(count=(4, 4), size=(0.5, 0.9), prob=1), 0
    for seed in range(30):
        before = sample(seed)
        out = step(before)
        covered = before["mask"].astype(bool) & (out["mask"] == 0)
        at_joint = out["mask"][45, 60] == 0
        assert out["visible"].tolist() == [1 if at_joint else 2, 1, 0]
        assert covered.any() == (out["mask"] != before["mask"]).any()
        assert (out["img"] != IMAGE).any()
        hidden += at_joint
    assert 5 < hidden < 30


def test_without_labels_only_the_picture_is_covered() -> None:
    out = RandomOcclusion(prob=1)({"img": IMAGE, "rng": np.random.default_rng(0)})
    assert set(out) == {"img", "rng"}
    assert 0 < (out["img"] != IMAGE).any(-1).mean() < 0.5


def test_the_background_is_pasted_outside_the_mask(rooms: Path) -> None:
    step, seen = BackgroundPaste(str(rooms), prob=1), set()
    mask = sample()["mask"]
    inner, outer = cv2.erode(mask, np.ones((9, 9))) > 0, cv2.dilate(mask, np.ones((9, 9))) == 0
    for seed in range(12):
        out = step(sample(seed))["img"]
        assert np.abs(out[inner].astype(int) - IMAGE[inner]).max() <= 1
        assert len(np.unique(np.rint(out[outer] / 10))) == 1
        seen.add(round(float(out[outer].mean()) / 10))
    assert seen == {4, 10, 16}
    only_c = BackgroundPaste(str(rooms), skip=2, prob=1, feather=0)
    assert {round(float(only_c(sample(seed))["img"][outer].mean())) for seed in range(5)} == {160}


def test_without_a_mask_the_background_stays(rooms: Path) -> None:
    step = BackgroundPaste(str(rooms), prob=1)
    for changes in ({"mask": np.zeros((90, 120), np.uint8)}, {}):
        start = sample(**changes)
        if not changes:
            del start["mask"]
        assert step(start)["img"] is IMAGE
    with pytest.raises(DataError, match=r"a mask of \(5, 5\) does not fit"):
        step(sample(mask=np.ones((5, 5), np.uint8)))


def test_folders_without_pictures_are_named(tmp_path: Path, rooms: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="empty: no folder with pictures"):
        BackgroundPaste(str(tmp_path / "empty"))
    with pytest.raises(DataError, match="holds 3 pictures, and skip=3 leaves none"):
        BackgroundPaste(str(rooms), skip=3)
    with pytest.raises(DataError, match="missing: no folder with pictures"):
        BackgroundPaste(str(tmp_path / "missing"))
    (tmp_path / "empty" / "broken.jpg").write_bytes(b"no picture")
    with pytest.raises(ImageError, match=r"broken\.jpg"):
        BackgroundPaste(str(tmp_path / "empty"), prob=1)(sample())


@pytest.mark.parametrize(
    "make",
    [
        lambda: RandomPhotometric(contrast=-0.1),
        lambda: RandomPhotometric(prob=2),
        lambda: RandomBlur(sigma=(2, 1)),
        lambda: RandomBlur(length=(0, 3)),
        lambda: RandomBlur(motion_share=-1),
        lambda: RandomNoise(sigma=(-1, 3)),
        lambda: RandomJPEG(quality=(0, 50)),
        lambda: RandomJPEG(quality=(20, 101)),
        lambda: RandomDownscale(factor=(0.5, 2)),
        lambda: RandomOcclusion(count=(0, 2)),
        lambda: RandomOcclusion(size=(0.1, 1.2)),
    ],
)
def test_settings_without_sense_are_refused(make: Any) -> None:
    with pytest.raises(ConfigError, match="must"):
        make()


@given(st.floats(0, 1, exclude_max=True), st.sampled_from(["truncnorm", "clipped_normal", "uniform"]))
def test_draws_stay_within_their_limits(value: float, distribution: Any) -> None:
    assert -1 <= spread(value, distribution, sigma=0.5) <= 1
    assert 1 / 1.3 - 1e-9 <= factor(spread(value, distribution), 0.3) <= 1.3 + 1e-9
