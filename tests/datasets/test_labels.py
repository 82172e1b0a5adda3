"""COCO keypoint JSON of hands, in both layouts, well formed and not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from handkit.datasets.labels import HandLabels, read_hand_labels
from handkit.errors import DataError
from handkit.geometry import box_area, grow_boxes, hand_box


def joints(seed: int = 0, low: float = 50, high: float = 150, v: int = 2) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.column_stack([rng.uniform(low, high, (21, 2)), np.full(21, v)])


def annotation(points: np.ndarray, **more: Any) -> dict[str, Any]:
    return {"id": 7, "image_id": 1, "category_id": 1, "keypoints": points.ravel().tolist(), **more}


def write(folder: Path, *annotations: dict[str, Any], **image: Any) -> Path:
    images = [{"id": 1, "file_name": "a/photo.jpg", "width": 320, "height": 240, **image}]
    path = folder / "labels.json"
    path.write_text(json.dumps({"images": images, "annotations": list(annotations)}))
    return path


def read(folder: Path, *annotations: dict[str, Any], **image: Any) -> HandLabels:
    (labels,) = read_hand_labels(write(folder, *annotations, **image))
    return labels


def test_plain_coco_is_taken_as_it_stands(tmp_path: Path) -> None:
    points = joints(v=1)
    labels = read(tmp_path, annotation(points, hand_side="right"), annotation(joints(1)))
    assert labels.path == tmp_path / "a" / "photo.jpg"
    assert labels.image_size == (320, 240)
    np.testing.assert_allclose(labels.keypoints[0], points[:, :2])
    assert (labels.visible[0] == 1).all()
    np.testing.assert_allclose(labels.boxes[0], hand_box(points[:, :2], (320, 240)))
    np.testing.assert_allclose(labels.areas, box_area(labels.joint_boxes))
    assert labels.handedness == ("right", None)
    assert labels.good.all()
    assert labels.measured().all()
    assert labels.human_boxes.shape == (0, 4)


def test_handphotos_are_edge_to_edge_and_judged(tmp_path: Path) -> None:
    points = joints()
    doubtful = annotation(joints(1), flip_disagreement=0.05)
    labels = read(tmp_path, annotation(points, flip_disagreement=0.049), doubtful, human_boxes=[[10, 20, 30, 40]])
    assert labels.path == tmp_path / "images" / "a" / "photo.jpg"
    np.testing.assert_allclose(labels.keypoints[0], points[:, :2] - 0.5)
    np.testing.assert_allclose(labels.human_boxes, [[9.5, 19.5, 39.5, 59.5]])
    assert labels.good.tolist() == [True, False]
    assert labels.measured().tolist() == [True, True]
    assert labels.measured(good_only=True).tolist() == [True, False]


def test_the_layout_and_the_root_can_be_given(tmp_path: Path) -> None:
    path = write(tmp_path, annotation(joints()))
    (labels,) = read_hand_labels(path, "handphotos", image_root=tmp_path / "elsewhere")
    assert labels.path == tmp_path / "elsewhere" / "a" / "photo.jpg"
    np.testing.assert_allclose(labels.keypoints[0], joints()[:, :2] - 0.5)
    with pytest.raises(DataError, match="no layout is called 'voc'; known: coco, "):
        read_hand_labels(path, "voc")  # type: ignore[arg-type]


def test_joints_outside_the_frame_shape_the_box_and_nothing_else(tmp_path: Path) -> None:
    points = joints()
    points[3] = (330.0, 100.0, 1)
    points[4] = (319.5, 239.5, 2)  # on the very edge
    labels = read(tmp_path, annotation(points))
    assert labels.visible[0, 3] == 0
    assert labels.visible[0, 4] == 2
    assert labels.joint_boxes[0, 2] == 330
    assert labels.boxes[0, 2] == 319
    assert labels.measured().all()


def test_unlabelled_joints_are_outside_the_box(tmp_path: Path) -> None:
    points = joints()
    points[5] = 0
    labels = read(tmp_path, annotation(points))
    np.testing.assert_allclose(labels.joint_boxes[0, :2], np.delete(points, 5, 0)[:, :2].min(0))
    np.testing.assert_allclose(labels.boxes, grow_boxes(labels.joint_boxes, 1.15))


def test_hands_that_cannot_be_measured_are_ignored_but_keep_their_box(tmp_path: Path) -> None:
    nothing = annotation(np.zeros((21, 3)), bbox=[10, 20, 30, 40])
    outside = annotation(joints(low=400, high=500))
    crowd = annotation(joints(), iscrowd=1)
    bare = annotation(np.zeros((21, 3)))
    labels = read(tmp_path, nothing, outside, crowd, bare)
    assert labels.ignored.all()
    np.testing.assert_allclose(labels.joint_boxes[0], [10, 20, 40, 60])
    np.testing.assert_allclose(labels.boxes[0], [10, 20, 40, 60])
    np.testing.assert_allclose(labels.boxes[3], 0)


def test_images_without_hands_are_kept(tmp_path: Path) -> None:
    labels = read(tmp_path)
    assert len(labels) == 0
    assert labels.keypoints.shape == (0, 21, 2)
    assert labels.boxes.shape == (0, 4)
    assert labels.rotated(1).image_size == (240, 320)


def test_joints_may_be_nested(tmp_path: Path) -> None:
    nested = {**annotation(joints()), "keypoints": joints().tolist()}
    np.testing.assert_array_equal(read(tmp_path, nested).keypoints, read(tmp_path, annotation(joints())).keypoints)


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32 - 1), turns=st.integers(-4, 8))
def test_turning_moves_labels_as_it_moves_pixels(tmp_path: Path, seed: int, turns: int) -> None:
    points = np.random.default_rng(seed).integers(0, (30, 20), (21, 2))
    labels = read(tmp_path, annotation(np.column_stack([points, np.full(21, 2)])), width=30, height=20)
    picture = np.arange(600).reshape(20, 30)
    turned, image = labels.rotated(turns), np.rot90(picture, -turns)
    x, y = turned.keypoints[0].astype(int).T
    np.testing.assert_array_equal(image[y, x], picture[points[:, 1], points[:, 0]])
    assert turned.image_size == image.shape[::-1]
    np.testing.assert_allclose(turned.boxes, hand_box(turned.keypoints, turned.image_size), atol=1e-5)
    np.testing.assert_allclose(turned.joint_boxes[:, 2:], turned.keypoints.max(1))
    assert turned.handedness == labels.handedness


BAD_ANNOTATIONS = {
    "too few joints": ({"keypoints": [1.0] * 60}, r"annotation 7: keypoints must be 21 joints of x, y, v"),
    "no joints": ({"keypoints": None}, "annotation 7: keypoints must be 21 joints"),
    "not a number": ({"keypoints": [float("nan")] * 63}, "annotation 7: keypoints must be finite"),
    "visibility": ({"keypoints": [3.0] * 63}, "v must be 0, 1 or 2"),
    "side": ({"hand_side": "Left"}, "hand_side must be 'left', 'right' or absent, not 'Left'"),
    "box": ({"keypoints": [0.0] * 63, "bbox": [0, 0, -5, 5]}, "annotation 7: a box must be x, y, width, height"),
    "short box": ({"keypoints": [0.0] * 63, "bbox": [0, 0, 5]}, "annotation 7: a box must be"),
    "image": ({"image_id": 9}, "image_id of annotations name no image, e.g. 9"),
}


@pytest.mark.parametrize("name", BAD_ANNOTATIONS)
def test_a_bad_annotation_is_named(tmp_path: Path, name: str) -> None:
    change, message = BAD_ANNOTATIONS[name]
    with pytest.raises(DataError, match=message):
        read(tmp_path, {**annotation(joints()), **change})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not a JSON file"),
        ('{"images": [', "not a JSON file"),
        ("[]", "a list of objects 'images'"),
        ('{"images": []}', "a list of objects 'annotations'"),
        ('{"images": [3], "annotations": []}', "a list of objects 'images'"),
        ('{"images": [{"id": 1, "file_name": "a"}], "annotations": []}', "image 1: needs file_name and whole"),
        ('{"images": [{"id": 1}, {"id": 1}], "annotations": []}', "the same id"),
    ],
)
def test_a_bad_file_is_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "broken.json"
    path.write_text(text)
    with pytest.raises(DataError, match=message) as caught:
        read_hand_labels(path)
    assert "broken.json" in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"absent\.json: cannot be read"):
        read_hand_labels(tmp_path / "absent.json")


def test_the_collected_photographs_read_as_described(peer_data: Path) -> None:
    labels = read_hand_labels(peer_data / "data" / "handphotos" / "val.json")
    assert len(labels) == 458
    assert sum(map(len, labels)) == 470
    assert sum(int(image.good.sum()) for image in labels) == 414
    assert sum(int((image.visible == 0).sum()) for image in labels) == 92
    assert all(image.path.is_file() for image in labels)
