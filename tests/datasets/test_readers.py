"""The readers of COCO hands: which hands become samples, what they hold, and what is said about bad input."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from handkit.datasets import CocoHands, CocoWholeBodyHand, HandPhotos, ImageBoxes
from handkit.datasets.reader import HandReader
from handkit.errors import DataError, HandkitError, ImageError
from handkit.geometry import hand_box
from handkit.transforms import LoadImage
from handkit.transforms.base import SAMPLE_KEYS

READERS: dict[str, type[HandReader]] = {
    "coco.json": CocoHands,
    "handphotos.json": HandPhotos,
    "coco_wholebody.json": CocoWholeBodyHand,
}
DTYPES = {"box": "f4", "keypoints": "f4", "visible": "u1", "right": "f4", "hand": "f4"}


def open_reader(path: Path, **options: Any) -> HandReader:
    return READERS[path.name](path, **options)  # type: ignore[call-arg, arg-type]


@pytest.mark.parametrize("name", READERS)
def test_samples_hold_documented_keys_and_nothing_mapped(files: Path, index_home: Path, name: str) -> None:
    reader = open_reader(files / name)
    assert reader.index.folder is None or reader.index.folder.is_relative_to(index_home)
    for sample in map(reader.__getitem__, range(len(reader))):
        assert set(sample) <= set(SAMPLE_KEYS)
        assert {key: sample[key].dtype.str[1:] for key in DTYPES} == DTYPES
        assert (sample["keypoints"].shape, sample["visible"].shape, sample["box"].shape) == ((21, 2), (21,), (4,))
        for key in ("box", "keypoints", "visible"):
            assert type(sample[key]) is np.ndarray
            assert sample[key].base is None
            assert sample[key].flags.writeable


@pytest.mark.parametrize("name", READERS)
def test_every_visible_joint_lies_on_the_pixel_of_its_colour(files: Path, name: str) -> None:
    reader = open_reader(files / name)
    for index in range(len(reader)):
        sample = LoadImage()(reader[index])
        if name == "coco_wholebody.json" and index == 1:
            continue  # the right hand is invented: its picture shows the left one alone
        rows = np.flatnonzero(sample["visible"])
        x, y = sample["keypoints"][rows].astype(int).T
        np.testing.assert_array_equal(sample["img"][y, x], [(255, 10 * joint, 0) for joint in rows])


def test_coco_hands_as_typed_from_the_file(files: Path) -> None:
    reader = CocoHands(files / "coco.json")
    assert len(reader) == 2  # the third annotation is a crowd
    first, second = reader[0], reader[1]
    np.testing.assert_array_equal(first["keypoints"][[0, 5, 9]], [[20, 40], [14, 29], [20, 28]])
    assert first["visible"].tolist() == [2, 2, 2, 1, 0] + [2] * 16
    assert (first["right"], second["right"], first["hand"]) == (1, 0, 1)
    assert first["source"] == str(files / "images" / "one.png")
    assert first["sample_id"] == "coco.json: image 7, annotation 70"
    assert first["image_size"] == (64, 48)
    np.testing.assert_allclose(second["keypoints"][20], (100, 11))
    assert second["visible"][20] == 0  # outside of 96 x 60 ...
    np.testing.assert_allclose(second["box"], hand_box(second["keypoints"], (96, 60)), rtol=1e-6)  # ... but in the box
    assert reader[-1]["sample_id"] == second["sample_id"]
    with pytest.raises(IndexError, match="sample 2 of 2"):
        reader[2]


def test_handphotos_are_filtered_by_quality_and_source(files: Path) -> None:
    path = files / "handphotos.json"
    reader = HandPhotos(path)
    assert [reader[i]["sample_id"][-1] for i in range(len(reader))] == ["1", "3"]
    np.testing.assert_array_equal(reader[0]["keypoints"][[0, 5, 9]], [[20, 40], [14, 29], [20, 28]])
    assert reader[1]["visible"].tolist() == [2] * 20 + [0]
    assert len(HandPhotos(path, max_disagreement=None)) == 3
    assert len(HandPhotos(path, max_disagreement=0.02)) == 1
    assert len(HandPhotos(path, sources=["garden"])) == 1
    assert {name: rows.tolist() for name, rows in reader.groups().items()} == {"kitchen": [0], "garden": [1]}
    with pytest.raises(DataError, match=r"no image is of the source 'gardn'; did you mean 'garden'"):
        HandPhotos(path, sources=["gardn"])
    with pytest.raises(DataError, match=r"no usable hand among 2 images with 3 hands.*max_disagreement=0\.0 "):
        HandPhotos(path, max_disagreement=0.0)


def test_labels_per_image_say_what_is_good(files: Path) -> None:
    one, two = HandPhotos(files / "handphotos.json").image_labels()
    assert (one.path, one.image_size) == (files / "images" / "one.png", (64, 48))
    np.testing.assert_allclose(one.human_boxes, [[1.5, 3.5, 31.5, 43.5]])
    assert two.good.tolist() == [False, True]
    assert two.handedness == ("left", "left")
    (garden,) = HandPhotos(files / "handphotos.json", max_disagreement=None, sources=["garden"]).image_labels()
    assert garden.good.all()
    assert HandPhotos(files / "handphotos.json").hands(1).good.tolist() == [True]


def test_whole_body_gives_both_hands_left_first(files: Path) -> None:
    reader = CocoWholeBodyHand(files / "coco_wholebody.json")
    left, right = reader[0], reader[1]
    assert len(reader) == 2
    assert (left["right"], right["right"]) == (0, 1)
    assert left["sample_id"] == "coco_wholebody.json: image 8, annotation 90, left hand"
    np.testing.assert_array_equal(left["keypoints"][[0, 8, 20]], [[70, 40], [64, 14], [82, 11]])
    assert (left["visible"] == 1).all()
    assert (right["visible"] == 1).all()  # v = 0.04 is a label
    np.testing.assert_allclose(left["box"], (50, 0, 95, 47))  # from (50, -3) with 60 x 50, clipped to 96 x 60
    np.testing.assert_allclose(right["box"], (4.5, 6, 38.5, 44))
    np.testing.assert_allclose(reader.hands(0).boxes[0], left["box"])
    (image,) = reader.image_labels()
    assert image.ignored.tolist() == [False, False, True, True]
    np.testing.assert_allclose(image.boxes[0], left["box"])
    joints = CocoWholeBodyHand(files / "coco_wholebody.json", box="joints")
    np.testing.assert_allclose(joints[1]["box"], hand_box(right["keypoints"], (96, 60)), rtol=1e-6)


def test_a_crowd_of_people_is_an_ignored_box(changed: Callable[..., Path]) -> None:
    hidden = {"lefthand_valid": False, "righthand_valid": False, "bbox": [10, 5, 40, 30]}
    path = changed("coco_wholebody.json", **hidden, iscrowd=1)
    document = json.loads(path.read_text())
    document["annotations"][2]["iscrowd"] = 0
    path.write_text(json.dumps(document))
    for box in ("annotated", "joints"):
        reader = CocoWholeBodyHand(path, box=box)
        assert len(reader) == 2
        (image,) = ImageBoxes(reader)
        assert image["ignored_boxes"].tolist() == [[10, 5, 50, 35]]
        assert len(image["boxes"]) == 2


def test_annotated_boxes_are_the_files_own(files: Path, changed: Callable[..., Path]) -> None:
    reader = CocoHands(files / "coco.json", box="annotated", unlabelled="skip")
    assert len(reader) == 1  # the second hand has no bbox
    np.testing.assert_allclose(reader[0]["box"], (2, 4, 32, 44))
    np.testing.assert_allclose(reader.hands(0).boxes[0], (2, 4, 32, 44))
    with pytest.raises(DataError, match=r"image 8, annotation 80: there is no box to crop \(box='annotated'\)"):
        CocoHands(files / "coco.json", box="annotated")


NO_JOINT = [0.0] * 63
BAD_HANDS: dict[str, tuple[dict[str, Any], str]] = {
    "too few joints": ({"keypoints": [1.0] * 60}, r"keypoints must be 21 joints of x, y, v \(63 numbers\)"),
    "too many joints": ({"keypoints": [1.0] * 66}, "keypoints must be 21 joints"),
    "no joints": ({"keypoints": []}, "keypoints must be 21 joints"),
    "NaN joint": ({"keypoints": [float("nan"), 1.0, 2] + [1.0] * 60}, "keypoints must be finite"),
    "infinite joint": ({"keypoints": [1e999, 1.0, 2] + [1.0] * 60}, "keypoints must be finite"),
    "visibility": ({"keypoints": [3.0] * 63}, "v must be 0, 1 or 2"),
    "fraction": ({"keypoints": [0.5] * 63}, "v must be 0, 1 or 2"),
    "zero visible joints": ({"keypoints": NO_JOINT}, "no joint is labelled inside the frame"),
    "joints outside": ({"keypoints": [999.0, 999.0, 2] * 21}, "no joint is labelled inside the frame"),
    "one joint, no box": ({"keypoints": [9.0, 9, 2, *NO_JOINT[3:]], "bbox": None}, "there is no box to crop"),
    "NaN box": ({"bbox": [float("nan"), 0, 5, 5]}, "a box must be x, y, width, height, finite"),
    "negative box": ({"bbox": [0, 0, -5, 5]}, "not negative in width and height"),
    "short box": ({"bbox": [0, 0, 5]}, "a box must be"),
    "word as box": ({"bbox": "no"}, "a box must be"),
    "side": ({"hand_side": "Left"}, "hand_side must be 'left', 'right' or absent, not 'Left'"),
    "judgement": ({"flip_disagreement": float("nan")}, "flip_disagreement must be a number"),
}


@pytest.mark.parametrize("name", BAD_HANDS)
def test_a_bad_hand_is_named_with_its_file(changed: Callable[..., Path], name: str) -> None:
    fields, message = BAD_HANDS[name]
    with pytest.raises(DataError, match=rf"coco\.json: image 7, annotation 70.*{message}"):
        CocoHands(changed("coco.json", **fields))


BAD_PEOPLE: dict[str, tuple[dict[str, Any], str]] = {
    "joints": ({"lefthand_kpts": [1.0] * 60}, "annotation 90, left hand: keypoints must be 21 joints"),
    "visibility": ({"righthand_kpts": [3.0] * 63}, "annotation 90, right hand: .* v must be from 0 to 2"),
    "box": ({"righthand_box": [0, 0, -1, 3]}, "annotation 90, right hand: a box must be"),
}


@pytest.mark.parametrize("name", BAD_PEOPLE)
def test_a_bad_person_is_named_with_its_file(changed: Callable[..., Path], name: str) -> None:
    fields, message = BAD_PEOPLE[name]
    with pytest.raises(DataError, match=rf"coco_wholebody\.json: image 8, {message}"):
        CocoWholeBodyHand(changed("coco_wholebody.json", **fields))


def test_a_file_of_another_layout_says_what_is_missing(files: Path) -> None:
    with pytest.raises(DataError, match=r"coco\.json: image 7, annotation 70: .* needs the field 'lefthand_valid'"):
        CocoWholeBodyHand(files / "coco.json")
    with pytest.raises(DataError, match=r"annotation 90: keypoints must be 21 joints"):
        CocoHands(files / "coco_wholebody.json")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"width": 0}, r"image 7: width and height must be positive, not \(0, 48\)"),
        ({"width": 2**70}, "image 7: width and height must be positive, .* and at most 2147483647"),
        ({"height": None}, "image 7: needs file_name and whole numbers"),
        ({"width": float("nan")}, "image 7: needs file_name and whole numbers"),
        ({"id": 8}, "two images have the same id"),
        ({"id": [1]}, "the id of an image must be a number or a string"),
        ({"id": 9}, "image_id of annotations name no image, e.g. 7"),
        ({"human_boxes": [[0, 0, 1]]}, "image 7: a box must be"),
        ({"human_boxes": 3}, "image 7: human_boxes must be a list of boxes, not 3"),
    ],
)
def test_a_bad_image_record_is_named(changed: Callable[..., Path], fields: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=rf"coco\.json: .*{message}"):
        CocoHands(changed("coco.json", image=True, **fields))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not a JSON file: it is empty"),
        ("{", "not a JSON file"),
        ("[" * 100_000, "not a JSON file"),
        ('{"images": [], "annotations": []}', "no usable hand among 0 images with 0 hands"),
    ],
)
def test_an_empty_annotation_file_is_named(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "labels.json").write_text(text)
    with pytest.raises(DataError, match=rf"labels\.json: {message}"):
        CocoHands(tmp_path / "labels.json")


def test_hands_that_teach_nothing_can_be_skipped(changed: Callable[..., Path]) -> None:
    reader = CocoHands(changed("coco.json", keypoints=NO_JOINT), unlabelled="skip")
    assert [reader[index]["right"] for index in range(len(reader))] == [0]
    assert reader.image_labels()[0].ignored.all()
    with pytest.raises(DataError, match="unlabelled must be 'error' or 'skip' or 'keep', not 'warn'"):
        CocoHands(reader.index.path, unlabelled="warn")  # type: ignore[arg-type]
    with pytest.raises(DataError, match="box must be 'joints' or 'annotated'"):
        CocoHands(reader.index.path, box="file")  # type: ignore[arg-type]


def damaged(path: Path, data: bytes | None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if data is not None:
        path.write_bytes(data)


@pytest.mark.parametrize("kind", ["missing", "empty", "text", "truncated"])
def test_a_bad_picture_is_named_with_its_record(files: Path, tmp_path: Path, kind: str) -> None:
    whole = (files / "images" / "one.png").read_bytes()
    data = {"missing": None, "empty": b"", "text": b"hello", "truncated": whole[: len(whole) // 2]}[kind]
    damaged(tmp_path / "images" / "one.png", data)
    reader = CocoHands(files / "coco.json", image_root=tmp_path)
    with pytest.raises(ImageError) as caught:
        LoadImage()(reader[0])
    assert str(tmp_path / "images" / "one.png") in str(caught.value)
    assert "coco.json: image 7, annotation 70" in str(caught.value)


def test_a_picture_of_another_size_than_its_labels_is_refused(files: Path, tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    Image.new("RGB", (48, 64)).save(tmp_path / "images" / "one.png")
    reader = CocoHands(files / "coco.json", image_root=tmp_path)
    with pytest.raises(HandkitError, match=r"annotation 70\): labelled as \(64, 48\) .* has \(48, 64\)"):
        LoadImage()(reader[0])


def test_readers_survive_a_pickle(files: Path) -> None:
    reader = HandPhotos(files / "handphotos.json", sources=["garden"])
    again = pickle.loads(pickle.dumps(reader))
    assert len(again) == len(reader) == 1
    assert again[0]["sample_id"] == reader[0]["sample_id"]


def test_the_collected_photographs(peer_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HANDKIT_HOME", str(tmp_path))
    folder = peer_data / "data" / "handphotos"
    assert len(HandPhotos(folder / "train.json", max_disagreement=None)) == 4126
    reader = HandPhotos(folder / "train.json")
    assert len(reader) == 3631
    assert len(HandPhotos(folder / "val.json")) == 414
    assert len(HandPhotos(folder / "val_other_source.json")) == 1089
    assert reader.index.folder is not None  # train.json is large enough to be cached
    # annotation 67 of asl_letters/train_0000.jpg: 135.652 245.832, 215.63 252.878, 277.233 227.443
    first = reader[0]
    assert first["source"].endswith("asl_letters/train_0000.jpg")
    np.testing.assert_allclose(
        first["keypoints"][:3], [(135.152, 245.332), (215.13, 252.378), (276.733, 226.943)], atol=1e-3
    )
    assert (first["right"], first["image_size"]) == (0, (384, 384))
    np.testing.assert_allclose(first["box"], (121.71, 120.06, 327.82, 261.61), atol=0.01)  # its bbox, moved by half
    for index in range(0, len(reader), 500):
        LoadImage()(reader[index])


def test_the_fixture_of_coco_wholebody(peer_data: Path) -> None:
    reader = CocoWholeBodyHand(peer_data / "data" / "fixtures" / "coco" / "test_coco_wholebody.json")
    assert len(reader) == 10
    document = json.loads(reader.index.path.read_bytes())
    assert len(reader) == sum(row[f"{side}hand_valid"] for row in document["annotations"] for side in ("left", "right"))
    # annotation 442619's right hand, 198196's left one, and 460541's left one
    assert [reader[index]["right"] for index in range(4)] == [1, 0, 0, 1]
    np.testing.assert_allclose(reader[0]["keypoints"][0], (304.10366, 181.75134))
    np.testing.assert_allclose(reader[1]["keypoints"][1], (113.101195, 201.939065))
    np.testing.assert_allclose(reader[2]["keypoints"][2], (255.0, 148.6))
    np.testing.assert_allclose(reader[0]["box"], (280.43, 173.12, 308.29, 197.97), atol=1e-3)
    for index in range(len(reader)):
        assert LoadImage()(reader[index])["img"].ndim == 3
