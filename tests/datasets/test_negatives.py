"""Squares of pictures without hands."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from handkit.datasets import CocoHands, ImageBoxes, NegativePhotos, SquaresBesideHands
from handkit.errors import DataError, ImageError
from handkit.transforms import LoadImage
from handkit.transforms.base import SAMPLE_KEYS


@pytest.fixture
def rooms(tmp_path: Path) -> Path:
    """Three pictures, the last one lying on its side by its EXIF orientation, and a text."""
    for name, size in (("a.png", (200, 120)), ("b.JPG", (30, 90))):
        Image.new("RGB", size).save(tmp_path / name)
    exif = Image.Exif()
    exif[274] = 6
    Image.new("RGB", (160, 80)).save(tmp_path / "c.jpg", exif=exif)
    (tmp_path / "readme.txt").write_text("no picture")
    return tmp_path


def test_samples_are_negatives_inside_their_picture(rooms: Path) -> None:
    negatives = NegativePhotos(rooms, crops_per_image=20)
    assert len(negatives) == 60
    sides = []
    for index in range(len(negatives)):
        sample = negatives[index]
        assert set(sample) <= set(SAMPLE_KEYS)
        assert (sample["hand"], np.isnan(sample["right"]), sample["visible"].sum()) == (0, True, 0)
        width, height = sample["image_size"]
        x1, y1, x2, y2 = sample["box"].tolist()
        assert 0 <= x1 < x2 <= width - 1
        assert 0 <= y1 < y2 <= height - 1
        assert x2 - x1 == pytest.approx(y2 - y1, abs=1e-3)
        if sample["source"].endswith("a.png"):
            sides.append(x2 - x1)
        else:
            assert x2 - x1 >= (29 if "b.JPG" in sample["source"] else 48) - 1e-3
    assert min(sides) < 70 < 90 < max(sides)
    np.testing.assert_array_equal(negatives[33]["box"], NegativePhotos(rooms, crops_per_image=20)[33]["box"])
    assert not np.array_equal(negatives[33]["box"], NegativePhotos(rooms, crops_per_image=20, seed=1)[33]["box"])


def test_the_size_is_that_of_the_upright_picture(rooms: Path) -> None:
    sample = LoadImage()(NegativePhotos(rooms, skip=2)[0])
    assert sample["image_size"] == (80, 160)
    assert sample["img"].shape == (160, 80, 3)


def test_pictures_are_chosen_by_name(rooms: Path) -> None:
    assert [path.name for path in NegativePhotos(rooms).paths] == ["a.png", "b.JPG", "c.jpg"]
    assert [path.name for path in NegativePhotos(rooms, skip=1, count=1).paths] == ["b.JPG"]
    assert [path.name for path in NegativePhotos(rooms, count=2).paths] == ["a.png", "b.JPG"]


def test_what_cannot_work_is_refused(rooms: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has 3 pictures, none is left after the first 3"):
        NegativePhotos(rooms, skip=3)
    with pytest.raises(DataError, match="no folder with pictures"):
        NegativePhotos(tmp_path / "absent")
    with pytest.raises(DataError, match="needs skip and seed >= 0"):
        NegativePhotos(rooms, crops_per_image=0)
    with pytest.raises(IndexError, match="sample 24 of 24"):
        NegativePhotos(rooms)[24]


@pytest.mark.parametrize("data", [b"", b"hello", None])
def test_a_bad_picture_is_named(rooms: Path, data: bytes | None) -> None:
    negatives = NegativePhotos(rooms)
    (rooms / "a.png").unlink()
    if data is not None:
        (rooms / "a.png").write_bytes(data)
    with pytest.raises(ImageError, match=r"a\.png: square 1\)"):
        negatives[3]


def test_rooms(peer_data: Path) -> None:
    rooms = NegativePhotos(peer_data / "data" / "rooms", skip=100)
    assert len(rooms.paths) == 600
    for index in range(0, 4800, 700):
        LoadImage()(rooms[index])


@pytest.fixture
def labelled(tmp_path: Path) -> ImageBoxes:
    """Two hands side by side in the first image; one that fills the second; one by the edge of the third."""
    boxes = {1: [[20, 30, 40, 40], [120, 40, 30, 40]], 2: [[2, 3, 196, 114]], 3: [[150, 0, 49, 119]]}
    images, hands = [], []
    for image, of_image in boxes.items():
        Image.new("RGB", (200, 120)).save(tmp_path / f"{image}.png")
        images.append(dict(id=image, file_name=f"{image}.png", width=200, height=120))
        for x, y, w, h in of_image:
            points = np.stack([np.linspace(x, x + w, 21), np.linspace(y, y + h, 21), np.full(21, 2)], axis=1)
            hand = dict(id=len(hands), image_id=image, category_id=1, bbox=[x, y, w, h], area=w * h, iscrowd=0)
            hands.append({**hand, "keypoints": points.ravel().tolist(), "num_keypoints": 21})
    path = tmp_path / "hands.json"
    path.write_text(json.dumps(dict(images=images, annotations=hands, categories=[dict(id=1, name="hand")])))
    return ImageBoxes(CocoHands(path, image_root=tmp_path))


def test_squares_lie_beside_every_hand(labelled: ImageBoxes) -> None:
    squares = SquaresBesideHands(labelled, crops_per_image=100, min_side=12)
    assert len(squares) == 200
    images = {sample["source"]: sample for sample in labelled}  # type: ignore[attr-defined]
    places = set()
    for index in range(len(squares)):
        sample = squares[index]
        assert set(sample) <= set(SAMPLE_KEYS)
        assert (sample["hand"], np.isnan(sample["right"]), sample["visible"].sum()) == (0, True, 0)
        x1, y1, x2, y2 = sample["box"].tolist()
        assert x2 - x1 == pytest.approx(y2 - y1, abs=1e-3)
        assert x2 - x1 >= 12 - 1e-3
        assert x1 >= 0
        assert y1 >= 0
        assert x2 <= 199
        assert y2 <= 119
        boxes = images[sample["source"]]["boxes"]
        apart = (boxes[:, 0] >= x2) | (boxes[:, 2] <= x1) | (boxes[:, 1] >= y2) | (boxes[:, 3] <= y1)
        assert apart.all()
        if sample["source"].endswith("1.png"):
            places.add("left" if x2 < 20 else "right" if x1 > 150 else "above" if y2 < 30 else "below")
    assert places == {"left", "right", "above", "below"}
    np.testing.assert_array_equal(squares[7]["box"], squares[7]["box"])


def test_what_has_no_room_or_no_boxes_is_refused(labelled: ImageBoxes) -> None:
    with pytest.raises(DataError, match="no image has 300 pixels beside its hands"):
        SquaresBesideHands(labelled, min_side=300)
    with pytest.raises(DataError, match="needs ImageBoxes, CocoHands is none"):
        SquaresBesideHands(labelled.dataset)  # type: ignore[arg-type]
    with pytest.raises(DataError, match="crops_per_image and min_side >= 1"):
        SquaresBesideHands(labelled, margin=-1)
    with pytest.raises(IndexError):
        SquaresBesideHands(labelled)[8]
