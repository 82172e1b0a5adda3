"""The steps on whole images with boxes: mmdet's results for mmdet's random numbers, and what holds for any image."""

from __future__ import annotations

import runpy
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handkit.errors import ConfigError, DataError
from handkit.geometry import box_iou
from handkit.transforms import (
    Expand,
    MinIoURandomCrop,
    PhotoMetricDistortion,
    RandomCrop,
    RandomFlip,
    RandomView,
    Resize,
    TopDownAffine,
)

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
rule = SimpleNamespace(**runpy.run_path(str(GOLDEN / "mmdet_images_rule.py")))

STEPS = {
    "Expand": Expand(ratio_range=(1, 2), prob=0.7),
    "MinIoURandomCrop": MinIoURandomCrop(),
    "Resize": Resize(rule.RESIZED),
    "RandomFlip": RandomFlip(1.0),
    "PhotoMetricDistortion": PhotoMetricDistortion(),
}


def sample(seed: int, **changes: Any) -> dict[str, Any]:
    made = {"img": rule.image(seed), "boxes": rule.boxes(seed), "rng": np.random.default_rng(seed), "sample_id": "one"}
    return {**made, **changes}


@pytest.mark.parametrize("name", STEPS)
def test_equals_mmdet(name: str) -> None:
    golden = np.load(GOLDEN / "mmdet_images.npz")
    done = [STEPS[name](sample(seed)) for seed in rule.SEEDS]
    shapes = [(*one["img"].shape[:2], len(one["boxes"])) for one in done]
    assert shapes == list(map(tuple, golden[f"{name}_shapes"].tolist()))
    np.testing.assert_allclose(np.concatenate([one["boxes"] for one in done]), golden[f"{name}_boxes"], atol=1e-4)
    pixels = np.concatenate([one["img"].ravel() for one in done])
    if name == "PhotoMetricDistortion":
        assert pixels.dtype == np.float32
        assert pixels.max() > 260
        np.testing.assert_allclose(pixels.reshape(-1, 3)[::7], golden[f"{name}_img"], atol=1e-2)
    else:
        np.testing.assert_array_equal(pixels, golden[f"{name}_img"])


def test_the_golden_samples_cover_every_branch() -> None:
    """Of 16 seeds some expand and some do not, some are cut and lose a box, some are cut and keep all."""
    golden = np.load(GOLDEN / "mmdet_images.npz")
    before = np.array([(*rule.image(seed).shape[:2], len(rule.boxes(seed))) for seed in rule.SEEDS])
    grown = (golden["Expand_shapes"] > before).any(1)
    cut = (golden["MinIoURandomCrop_shapes"][:, :2] < before[:, :2]).any(1)
    lost = golden["MinIoURandomCrop_shapes"][:, 2] < before[:, 2]
    for rows in (grown, cut, lost):
        assert 0 < rows.sum() < len(rows)


@pytest.mark.parametrize("name", STEPS)
def test_a_step_changes_nothing_it_was_given_and_repeats_itself(name: str) -> None:
    one, again = sample(3), sample(3)
    kept = {key: one[key].copy() for key in ("img", "boxes")}
    done, repeated = STEPS[name](one), STEPS[name](again)
    for key, value in kept.items():
        np.testing.assert_array_equal(one[key], value)
        np.testing.assert_array_equal(done[key], repeated[key])
    assert done["boxes"].dtype == np.float32


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_a_box_stays_on_its_pixels(seed: int) -> None:
    """A hand painted in one colour is found, after every step, where its box says."""
    rng = np.random.default_rng(seed)
    x1, y1 = rng.integers(5, 30, 2)
    x2, y2 = np.add((x1, y1), rng.integers(12, 30, 2))
    img = np.zeros((64, 72, 3), np.uint8)
    img[y1:y2, x1:x2] = (0, 255, 0)
    one = sample(0, img=img, boxes=np.array([[x1, y1, x2, y2]], np.float32), rng=rng)
    for step in (Expand(mean=(9, 0, 0)), MinIoURandomCrop(), RandomFlip()):
        one = step(one)
        rows, columns = np.nonzero(one["img"][..., 1])
        tight = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        np.testing.assert_array_equal(one["boxes"][0], tight)
    small = Resize((160, 160))(one)
    rows, columns = np.nonzero(small["img"][..., 1] > 127)
    found = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])
    assert np.abs(small["boxes"][0] - found).max() <= 1.5


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_a_part_overlaps_every_box_by_the_drawn_least(seed: int) -> None:
    least = 0.3
    step = MinIoURandomCrop(min_ious=(least,) * 20, min_crop_size=0.5)
    one = sample(seed % 16, rng=np.random.default_rng(seed), img=np.zeros((60, 60, 3), np.uint8))
    one["boxes"] = np.array([[5, 5, 40, 45], [20, 15, 55, 50]], np.float32)
    one["img"][..., 0], one["img"][..., 1] = np.arange(60)[None], np.arange(60)[:, None]
    done = step(one)
    left, top = done["img"][0, 0, :2].tolist()
    height, width = done["img"].shape[:2]
    part = np.array([[left, top, left + width, top + height]], np.float32)
    whole = (height, width) == (60, 60)
    loose = seed_drew_zero(seed, 22)
    assert whole or loose or box_iou(part, one["boxes"]).min() >= least - 1e-6
    assert 1 / 2.1 <= height / width <= 2.1
    assert (done["boxes"] >= 0).all()
    assert (done["boxes"] <= [width, height, width, height]).all()


def seed_drew_zero(seed: int, modes: int) -> bool:
    """Whether the step drew its last mode, the one without a least overlap, first."""
    outer = np.random.default_rng(seed)
    outer.random()
    return int(np.random.default_rng(int(outer.integers(2**63))).random() * modes) == modes - 1


def test_flipping_twice_is_nothing() -> None:
    one = sample(5)
    twice = RandomFlip(1.0)(RandomFlip(1.0)(one))
    np.testing.assert_array_equal(twice["img"], one["img"])
    np.testing.assert_allclose(twice["boxes"], one["boxes"], atol=1e-5)
    assert RandomFlip(0.0)(one) is one


def test_an_image_without_hands_goes_through() -> None:
    one = sample(2, boxes=np.zeros((0, 4), np.float32))
    for step in STEPS.values():
        one = step(one)
        assert one["boxes"].shape == (0, 4)


@pytest.mark.parametrize("name", ["Expand", "Resize", "RandomFlip"])
def test_joints_stay_on_their_pixels(name: str) -> None:
    """The picture's red is x, its green y, so that the colour at a joint says where the joint was."""
    rng = np.random.default_rng(0)
    for seed in range(6):
        one = sample(seed, box_points=rng.uniform(8, 50, (2, 21, 2)).astype(np.float32))
        one["box_points"][1, 20] = np.nan
        one["img"] = np.zeros((60, 60, 3), np.uint8)
        one["img"][..., 0], one["img"][..., 1] = np.arange(60) * 4, np.arange(60)[:, None] * 4
        done = STEPS[name](one)
        assert np.isnan(done["box_points"][1, 20]).all()
        known = done["box_points"].reshape(-1, 2)[:-1]
        colours = cv2.remap(done["img"], known[:, None, 0], known[:, None, 1], cv2.INTER_LINEAR)[:, 0, :2] / 4
        assert np.abs(colours - one["box_points"].reshape(-1, 2)[:-1]).max() < 0.3


@pytest.mark.parametrize("name", ["Expand", "MinIoURandomCrop", "Resize", "RandomFlip"])
def test_ignored_boxes_follow_and_what_would_not_is_gone(name: str) -> None:
    for seed in range(6):
        one = sample(seed, box_points=np.zeros((9, 21, 2)))
        one |= {"ignored_boxes": one["boxes"].copy(), "mask": (one["img"][..., 0] > 128).astype(np.uint8)}
        done = STEPS[name](one)
        if done["img"] is one["img"]:
            continue
        assert ("box_points" in done) == (name not in ("MinIoURandomCrop", "RandomCrop"))
        assert ("mask" in done) == (name in ("Resize", "RandomFlip"))
        kept = {tuple(box) for box in done["ignored_boxes"].tolist()}
        assert {tuple(box) for box in done["boxes"].tolist()} <= kept


def test_resize_needs_no_boxes() -> None:
    bare = Resize((20, 10))({"img": rule.image(0)})
    assert bare["img"].shape == (10, 20, 3)
    assert "boxes" not in bare


@pytest.mark.parametrize(
    "step", [Expand(), MinIoURandomCrop(), Resize((8, 8)), RandomFlip()], ids=lambda s: type(s).__name__
)
@pytest.mark.parametrize(
    ("boxes", "message"),
    [
        ([[0.0, 0, np.nan, 5]], "one has the box .* not finite, or negative in size"),
        ([[9.0, 0, 3, 5]], "one has the box .* not finite, or negative in size"),
        ([0.0, 0, 3, 5], r"boxes of one must be \(N, 4\) x1, y1, x2, y2, not \(4,\)"),
    ],
)
def test_bad_boxes_are_named(step: Any, boxes: list[Any], message: str) -> None:
    with pytest.raises(DataError, match=f"{type(step).__name__}: .*{message}"):
        step(sample(0, boxes=np.array(boxes, np.float32)))


@pytest.mark.parametrize("step", [Expand(), MinIoURandomCrop(), RandomFlip()], ids=lambda s: type(s).__name__)
def test_a_crop_of_one_hand_is_no_whole_image(step: Any) -> None:
    one = sample(0)
    del one["boxes"]
    with pytest.raises(DataError, match="one has no 'boxes': whole images come from a data set like ImageBoxes"):
        step(one)


@pytest.mark.parametrize(
    ("cls", "arguments", "message"),
    [
        (Expand, {"ratio_range": (0.5, 2)}, "ratio_range must be"),
        (Expand, {"mean": (0, 0, 300)}, "mean must be R, G, B"),
        (MinIoURandomCrop, {"min_ious": (0.5, 1.5)}, r"min_ious\[1\] must lie in \[0, 1\]"),
        (Resize, {"input_size": (0, 320)}, r"positive \(width, height\)"),
        (RandomFlip, {"prob": 2}, "prob must lie in"),
        (PhotoMetricDistortion, {"contrast_range": (1.5, 0.5)}, "contrast_range must be"),
    ],
)
def test_wrong_settings_are_refused(cls: Any, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        cls(**arguments)


def masked(seed: int = 0) -> dict[str, Any]:
    """A picture whose red channel is its mask."""
    mask = np.random.default_rng(seed).integers(0, 3, (40, 48)).astype(np.uint8)
    boxes = np.array([[2, 3, 20, 30], [44, 36, 47, 39]], np.float32)
    img = np.stack([mask, mask, mask], -1)
    return {"img": img, "mask": mask, "boxes": boxes, "sample_id": "one", "rng": np.random.default_rng(seed)}


@pytest.mark.parametrize("step", [RandomFlip(1.0), RandomCrop((32, 24)), Resize((96, 80))])
def test_masks_go_with_their_pictures(step: Any) -> None:
    done = step(masked())
    assert done["mask"].shape == done["img"].shape[:2]
    if isinstance(step, Resize):
        np.testing.assert_array_equal(done["mask"], masked()["mask"].repeat(2, 0).repeat(2, 1))
    else:
        np.testing.assert_array_equal(done["mask"], done["img"][..., 0])


def test_a_resized_mask_has_the_pixels_in_the_middle_of_those_it_stands_for() -> None:
    np.testing.assert_array_equal(Resize((16, 8))(masked())["mask"], masked()["mask"][2::5, 1::3])


def test_a_crop_lies_anywhere_and_keeps_what_is_in_it() -> None:
    cut = RandomCrop((32, 24))
    corners = set()
    for seed in range(60):
        one = masked(seed)
        one["img"] = np.stack(np.meshgrid(range(48), range(40)), -1)[..., [0, 1, 1]].astype(np.uint8)
        done = cut(one)
        x, y = done["img"][0, 0, :2].tolist()
        corners.add((x, y))
        assert done["img"].shape == (24, 32, 3)
        np.testing.assert_array_equal(done["mask"], one["mask"][y : y + 24, x : x + 32])
        inside = np.clip(one["boxes"] - [x, y, x, y], 0, [32, 24, 32, 24])
        np.testing.assert_allclose(done["boxes"], inside[(inside[:, 2:] > inside[:, :2]).all(1)])
    assert {min(x for x, _ in corners), max(x for x, _ in corners)} == {0, 16}
    assert {min(y for _, y in corners), max(y for _, y in corners)} == {0, 16}
    whole = RandomCrop((48, 40))(masked())
    np.testing.assert_array_equal(whole["mask"], masked()["mask"])


def test_masks_and_sizes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(DataError, match=r"less than crop_size=.*put Resize before"):
        RandomCrop((64, 64))(masked())
    with pytest.raises(ConfigError, match="positive"):
        RandomCrop((0, 64))
    for mask in (np.zeros((9, 9), np.uint8), np.zeros((40, 48)), np.full((40, 48), 7, np.uint8)):
        with pytest.raises(DataError, match=r"the mask of one must be uint8 of the picture's \(40, 48\)"):
            Resize((16, 16))({**masked(), "mask": mask})
        with pytest.raises(
            DataError, match=r"TopDownAffine: the mask of one must be uint8 of the picture's \(40, 48\)"
        ):
            TopDownAffine((16, 16))({**masked(), "box": np.array([10.0, 10, 30, 30]), "mask": mask})
        with pytest.raises(DataError, match=r"RandomView: the mask of one must be uint8 of the picture's \(40, 48\)"):
            RandomView((16, 16))({**masked(), "mask": mask})
