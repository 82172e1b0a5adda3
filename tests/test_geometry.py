from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from handkit import geometry as g

numbers = st.floats(-500, 500)
sizes = st.floats(2, 400)
crops = st.builds(
    g.Crop,
    center=st.tuples(numbers, numbers),
    size=st.tuples(sizes, sizes),
    output_size=st.tuples(st.integers(2, 300), st.integers(2, 300)),
    rotation=st.floats(-7, 7),
    flip=st.booleans(),
    udp=st.booleans(),
)
points = st.lists(st.tuples(numbers, numbers), min_size=1, max_size=8).map(np.array)


@given(crops, points)
def test_inverse_undoes_apply(crop: g.Crop, pts: np.ndarray) -> None:
    np.testing.assert_allclose(crop.inverse_points(crop.apply_points(pts)), pts, atol=1e-6)
    np.testing.assert_allclose(g.inverse_crops([crop], crop.apply_points(pts)[None])[0], pts, atol=1e-6)


@given(crops)
def test_the_center_falls_on_the_middle(crop: g.Crop) -> None:
    middle = np.array(crop.output_size) / 2 - (0.5 if crop.udp else 0.0)
    if crop.flip:
        middle[0] = crop.output_size[0] - 1 - middle[0]
    np.testing.assert_allclose(crop.apply_points(np.array(crop.center)[None])[0], middle, atol=1e-9)


@given(crops)
def test_flip_mirrors_the_output(crop: g.Crop) -> None:
    pts = np.array([[3.0, 4.0], [100.0, -20.0]])
    mirrored = g.mirror_points(crop.apply_points(pts), crop.output_size[0])
    np.testing.assert_allclose(dataclasses.replace(crop, flip=not crop.flip).apply_points(pts), mirrored, atol=1e-6)


@given(st.floats(-3, 3), st.booleans(), st.booleans())
def test_pixels_follow_points(rotation: float, flip: bool, udp: bool) -> None:
    """A blurred dot is found in the crop where its centre is sent."""
    image = np.zeros((120, 160), np.float32)
    dot = np.array([[83.0, 47.0]])
    image[47, 83] = 1
    image = cv2.GaussianBlur(image, (0, 0), 2)
    crop = g.Crop((80, 50), (60, 60), (90, 90), rotation, flip, "constant", udp)
    out = crop.apply_image(image)
    ys, xs = np.mgrid[:90, :90]
    seen = np.array([(out * xs).sum(), (out * ys).sum()]) / out.sum()
    np.testing.assert_allclose(seen, crop.apply_points(dot)[0], atol=0.1)


@given(st.floats(-3, 3), st.booleans(), st.floats(2, 9), st.sampled_from(["constant", "replicate"]))
def test_a_shrinking_crop_averages_and_keeps_places(
    rotation: float, flip: bool, factor: float, border: g.Border
) -> None:
    """A smooth picture is the same with and without averaging; noise is quieter."""
    ys, xs = np.mgrid[:300, :400].astype(np.float32)
    smooth = 100 + 50 * np.sin(xs / 60) + 40 * np.cos(ys / 45)
    crop = g.Crop((210, 140), (30 * factor, 30 * factor), (30, 30), rotation, flip, border)
    plain = dataclasses.replace(crop, antialias=False)
    inside = np.s_[2:-2, 2:-2] if 30 * factor < 180 else np.s_[12:18, 12:18]
    np.testing.assert_allclose(crop.apply_image(smooth)[inside], plain.apply_image(smooth)[inside], atol=1.5)
    noise = np.random.default_rng(0).normal(0, 20, (300, 400)).astype(np.float32)
    assert crop.apply_image(noise)[inside].std() < plain.apply_image(noise)[inside].std()


def test_a_shrinking_crop_beside_the_image_is_border() -> None:
    image = np.full((40, 50, 3), 9, np.uint8)
    beside = g.Crop((1000, 1000), (300, 300), (30, 30))
    assert (beside.apply_image(image) == 0).all()
    assert (dataclasses.replace(beside, border="replicate").apply_image(image) == 9).all()


def test_one_point_and_one_channel_keep_their_shapes() -> None:
    crop = g.Crop((50, 40), (60, 60), (32, 24), 0.3)
    point = np.array([5.0, 6.0])
    assert crop.apply_points(point).shape == crop.inverse_points(point).shape == (2,)
    np.testing.assert_allclose(crop.apply_points(point), crop.apply_points(point[None])[0])
    grey = np.random.default_rng(0).integers(0, 256, (100, 120, 1), np.uint8)
    assert crop.apply_image(grey).shape == (24, 32, 1)
    np.testing.assert_array_equal(crop.apply_image(grey)[..., 0], crop.apply_image(grey[..., 0]))


def test_from_box_lengthens_the_short_side_and_pads() -> None:
    crop = g.Crop.from_box(np.array([10, 20, 110, 70]), (256, 256), padding=1.25)
    assert crop.center == (60, 45)
    assert crop.size == (125, 125)
    tall = g.Crop.from_box(np.array([0, 0, 10, 40]), (100, 200), padding=1.0)
    assert tall.size == (20, 40)


def test_mmpose_and_udp_alignment() -> None:
    """Facts of both conventions: the box's edges on 0 and w, or the corner pixels on each other."""
    box = np.array([10.0, 20.0, 74.0, 84.0])
    plain = g.Crop.from_box(box, (256, 256), 1.0)
    np.testing.assert_allclose(plain.apply_points(box.reshape(2, 2)), [[0, 0], [256, 256]])
    udp = g.Crop.from_box(box, (256, 256), 1.0, udp=True)
    np.testing.assert_allclose(udp.apply_points(box.reshape(2, 2)), [[0, 0], [255, 255]])


def test_rotation_is_clockwise_on_the_screen() -> None:
    """A region turned by a quarter has its own x axis along the image's y axis, which points down."""
    crop = g.Crop((0, 0), (10, 10), (10, 10), rotation=np.pi / 2)
    np.testing.assert_allclose(crop.apply_points(np.array([[0.0, 3.0]])), [[8, 5]], atol=1e-9)


@pytest.mark.parametrize("bad", [dict(size=(0, 3)), dict(center=(np.nan, 0)), dict(output_size=(0, 1))])
def test_impossible_crops_are_refused(bad: dict) -> None:
    with pytest.raises(ValueError, match="positive sizes"):
        g.Crop(**{"center": (0, 0), "size": (3, 3), "output_size": (4, 4), **bad})


boxes = st.lists(st.tuples(numbers, numbers, sizes, sizes), min_size=1, max_size=5).map(
    lambda rows: np.array([[x, y, x + w, y + h] for x, y, w, h in rows])
)


@given(boxes, boxes)
def test_iou_is_symmetric_bounded_and_one_on_itself(a: np.ndarray, b: np.ndarray) -> None:
    iou = g.box_iou(a, b)
    np.testing.assert_allclose(iou, g.box_iou(b, a).T)
    assert ((iou >= 0) & (iou <= 1 + 1e-9)).all()
    np.testing.assert_allclose(np.diag(g.box_iou(a, a)), 1)


@given(boxes)
def test_mirroring_twice_is_nothing(rows: np.ndarray) -> None:
    mirrored = g.mirror_boxes(rows, 640)
    assert (mirrored[:, 2] > mirrored[:, 0]).all()
    np.testing.assert_allclose(g.mirror_boxes(mirrored, 640), rows, atol=1e-9)
    np.testing.assert_allclose(g.mirror_points(g.mirror_points(rows[:, :2], 640), 640), rows[:, :2], atol=1e-9)


def test_hand_box_grows_and_clips() -> None:
    pts = np.array([[10.0, 10.0], [110.0, 60.0]])
    np.testing.assert_allclose(g.hand_box(pts, (640, 480)), [2.5, 6.25, 117.5, 63.75])
    np.testing.assert_allclose(g.hand_box(pts, (100, 50)), [2.5, 6.25, 99, 49])


def test_inside_out_boxes_have_no_area() -> None:
    assert g.box_area(np.array([5.0, 5.0, 1.0, 9.0])) == 0
