"""Whole images with boxes, and a data set several times over."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from handkit.datasets import (
    CocoHands,
    HandPhotos,
    HandShards,
    ImageBoxes,
    NegativeImages,
    NegativePhotos,
    RepeatDataset,
    TrainingView,
)
from handkit.errors import DataError
from handkit.transforms import LoadImage
from handkit.transforms.base import SAMPLE_KEYS

JOINTS = [30.0, 30.0, 2, 50.0, 60.0, 2, *[40.0, 40.0, 2] * 19]


@pytest.fixture
def made(tmp_path: Path) -> Callable[..., Path]:
    """Writes a file of images with these sizes, and of boxes (image, xywh, crowd); every hand has joints."""

    def write(sizes: list[tuple[int, int]], hands: list[tuple[int, list[float], int]], visible: int = 2) -> Path:
        joints = [value if place % 3 < 2 else visible for place, value in enumerate(JOINTS)]
        images = [dict(id=i, file_name=f"{i}.png", width=w, height=h) for i, (w, h) in enumerate(sizes)]
        rows = [
            dict(id=i, image_id=image, bbox=box, iscrowd=crowd, keypoints=joints if i else JOINTS)
            for i, (image, box, crowd) in enumerate(hands)
        ]
        path = tmp_path / "boxes.json"
        path.write_text(json.dumps({"images": images, "annotations": rows}))
        return path

    return write


def read(path: Path, **options: Any) -> ImageBoxes:
    return ImageBoxes(CocoHands(path, box="annotated", unlabelled="skip"), **options)


def test_one_sample_per_image_with_all_its_boxes(made: Callable[..., Path]) -> None:
    path = made(
        [(100, 80), (90, 90), (31, 200), (64, 64)],
        [(0, [10, 5, 40, 60], 0), (0, [50, 0, 90, 70], 0), (0, [0, 0, 99, 79], 1), (2, [0, 0, 20, 20], 0)],
    )
    images = read(path)
    assert len(images) == 1
    sample = images[0]
    assert set(sample) <= set(SAMPLE_KEYS)
    assert sample["image_size"] == (100, 80)
    assert sample["sample_id"] == "boxes.json: image 0"
    assert sample["boxes"].tolist() == [[10, 5, 50, 65], [50, 0, 99, 70]]
    assert sample["ignored_boxes"].tolist() == [[0, 0, 99, 79]]
    assert sample["boxes"].dtype == np.float32
    everything = read(path, empty=True, min_size=0)
    assert [len(everything[i]["boxes"]) for i in range(len(everything))] == [2, 0, 1, 0]
    assert everything[1]["boxes"].shape == (0, 4)


def test_a_hand_without_joints_is_a_hand(made: Callable[..., Path]) -> None:
    images = read(made([(100, 80)], [(0, [10, 5, 40, 60], 0), (0, [0, 0, 30, 30], 0)], visible=0))
    assert len(images[0]["boxes"]) == 2


def test_a_box_thinner_than_a_pixel_is_none(made: Callable[..., Path]) -> None:
    images = read(made([(100, 80)], [(0, [10, 5, 40, 60], 0), (0, [5, 5, 0.5, 30], 0), (0, [99, 5, 40, 30], 0)]))
    assert images[0]["boxes"].tolist() == [[10, 5, 50, 65]]


def test_the_joints_box_is_the_readers_choice(files: Path) -> None:
    reader = CocoHands(files / "coco.json", unlabelled="skip")
    images = ImageBoxes(reader, min_size=1)
    boxes = np.concatenate([images[i]["boxes"] for i in range(len(images))])
    assert all((boxes == reader[i]["box"]).all(1).any() for i in range(len(reader)))
    assert LoadImage()(images[0])["img"].shape[2] == 3


def test_pickles_as_its_reader(files: Path, index_home: Path) -> None:
    images = ImageBoxes(CocoHands(files / "coco.json", unlabelled="skip"), min_size=1)
    other = pickle.loads(pickle.dumps(images))
    assert len(other) == len(images)
    np.testing.assert_array_equal(other[-1]["boxes"], images[-1]["boxes"])
    with pytest.raises(IndexError, match="sample 99"):
        images[99]


@pytest.mark.parametrize(
    ("box", "message"),
    [
        ([float("nan"), 0, 5, 5], "image 0, annotation 1: a box must be x, y, width, height, finite"),
        ([0, 0, -5, 5], "image 0, annotation 1: a box must be .* not negative in width and height"),
        ([0, 0, 5], "image 0, annotation 1: a box must be x, y, width, height"),
    ],
)
def test_bad_boxes_are_named(made: Callable[..., Path], box: list[float], message: str) -> None:
    with pytest.raises(DataError, match=message):
        read(made([(100, 80)], [(0, [10, 5, 40, 60], 0), (0, box, 0)]))


def test_a_file_without_a_usable_image_is_refused(made: Callable[..., Path]) -> None:
    path = made([(20, 20)], [(0, [1, 1, 10, 10], 0)])
    with pytest.raises(DataError, match=r"boxes\.json: (none of 1 images|no usable hand)"):
        read(path)


def test_needs_a_reader(files: Path) -> None:
    with pytest.raises(DataError, match="ImageBoxes needs a reader of a COCO file, NegativePhotos is none"):
        ImageBoxes(NegativePhotos(files / "images"))  # type: ignore[arg-type]


def test_repeats_pass_by_pass_with_randomness_of_their_own(files: Path) -> None:
    inner = NegativePhotos(files / "images", crops_per_image=2)
    thrice = RepeatDataset(inner, 3)
    assert len(thrice) == 3 * len(inner)
    assert thrice[len(inner) + 1]["sample_id"] == inner[1]["sample_id"]
    view = TrainingView(thrice, [lambda sample: {"draw": sample["rng"].random()}])
    assert view[1]["draw"] != view[1 + len(inner)]["draw"]
    with pytest.raises(IndexError):
        thrice[len(thrice)]
    with pytest.raises(DataError, match="times must be 1 or more, not 0"):
        RepeatDataset(inner, 0)


def photos(tmp_path: Path) -> Path:
    """Four photographs: drawn and found; two found, one of them doubted; nothing; two good hands."""
    images = [dict(id=i, file_name=f"{i}.png", width=100, height=100, source="ab"[i % 2]) for i in range(4)]
    images[0]["human_boxes"] = [[24, 22, 36, 48]]
    images[2]["human_boxes"] = [[10, 10, 30, 30]]
    places = [(0, 0, 0.01), (0, 45, 0.01), (1, 0, 0.01), (1, 40, 0.2), (3, 0, 0.0), (3, 45, 0.0)]
    rows = []
    for number, (image, shift, disagreement) in enumerate(places):
        joints = [value + shift if place % 3 == 0 else value for place, value in enumerate(JOINTS)]
        rows.append(dict(id=number, image_id=image, keypoints=joints, flip_disagreement=disagreement))
    path = tmp_path / "photos.json"
    path.write_text(json.dumps({"images": images, "annotations": rows}))
    return path


def test_drawn_boxes_come_first_and_doubted_hands_are_ignored(tmp_path: Path) -> None:
    reader = HandPhotos(photos(tmp_path))
    images = ImageBoxes(reader, drawn="first")
    assert len(images) == 4
    drawn, doubted, alone, both = (images[i] for i in range(4))
    assert drawn["boxes"].tolist() == [[23.5, 21.5, 59.5, 69.5]]
    np.testing.assert_array_equal(drawn["box_points"][0, 0], [29.5, 29.5])
    assert len(drawn["ignored_boxes"]) == 1
    assert drawn["ignored_boxes"][0, 0] > 60
    assert len(doubted["boxes"]) == len(doubted["ignored_boxes"]) == 1
    assert alone["boxes"].tolist() == [[9.5, 9.5, 39.5, 39.5]]
    assert np.isnan(alone["box_points"]).all()
    assert len(both["boxes"]) == len(both["box_points"]) == 2
    assert len(both["ignored_boxes"]) == 0
    assert {name: rows.tolist() for name, rows in images.groups().items()} == {"a": [0, 2], "b": [1, 3]}
    only, two = ImageBoxes(reader, drawn="only"), ImageBoxes(reader, least=2)
    assert [only[i]["sample_id"][-1] for i in range(len(only))] == ["0", "2"]
    assert [two[i]["sample_id"][-1] for i in range(len(two))] == ["0", "3"]
    labels = images.image_labels()
    assert [(len(row), int(row.ignored.sum())) for row in labels] == [(2, 1), (2, 1), (1, 0), (2, 0)]
    np.testing.assert_array_equal(labels[0].boxes[0], drawn["boxes"][0])
    for arguments in ({"drawn": "never"}, {"least": 0}):
        with pytest.raises(DataError, match="drawn must be 'no', 'first' or 'only', least 1 or more"):
            ImageBoxes(reader, **arguments)


def test_rendered_pictures_bring_their_masks() -> None:
    shards = ImageBoxes(HandShards(Path(__file__).parent / "files" / "shards"))
    sample = shards[0]
    assert sample["mask"].shape == sample["image_size"][::-1]
    assert sample["mask"].dtype == np.uint8
    assert set(np.unique(sample["mask"])) <= {0, 1, 2}
    assert (sample["mask"] == 1).any()
    x1, y1, x2, y2 = sample["boxes"][0].astype(int)
    assert (sample["mask"][y1:y2, x1:x2] == 1).any()


def test_negative_images_are_whole_and_have_no_boxes(tmp_path: Path) -> None:
    for name, size in (("b", (40, 30)), ("a", (20, 20)), ("c", (50, 60))):
        Image.new("RGB", size).save(tmp_path / f"{name}.png")
    images = NegativeImages(tmp_path, skip=1)
    assert [images[i]["sample_id"] for i in range(len(images))] == ["b.png", "c.png"]
    assert images[0]["image_size"] == (40, 30)
    assert images[0]["boxes"].shape == images[0]["ignored_boxes"].shape == (0, 4)
    assert len(NegativeImages(tmp_path, count=2)) == 2
    with pytest.raises(DataError, match="has 3 pictures, none is left after the first 3"):
        NegativeImages(tmp_path, skip=3)
    with pytest.raises(DataError, match="skip >= 0 and count >= 1"):
        NegativeImages(tmp_path, skip=-1)
