"""Detections that show no hand become negatives; those on hands, weak ones and files that do not fit do not."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from handkit.datasets import CocoHands, FalseDetections, ImageBoxes, NegativeImages
from handkit.errors import DataError
from handkit.transforms import LoadImage, TopDownAffine
from handkit.transforms.base import SAMPLE_KEYS


@pytest.fixture
def rooms(tmp_path: Path) -> Path:
    folder = tmp_path / "rooms"
    folder.mkdir()
    for name in ("a", "b", "c"):
        Image.new("RGB", (100, 80)).save(folder / f"{name}.png")
    return folder


def written(path: Path, boxes: dict[Path, list[list[float]]]) -> Path:
    """What `handkit predict --json` writes; a row is x1, y1, x2, y2, score."""
    records = [
        {"input": str(picture), "boxes": [row[:4] for row in rows], "box_scores": [row[4] for row in rows]}
        for picture, rows in boxes.items()
    ]
    path.write_text(json.dumps({"images": [*records, {"input": "broken.png", "error": "is no image"}]}))
    return path


def test_every_detection_in_a_room_is_a_negative(rooms: Path, tmp_path: Path) -> None:
    rows = {rooms / "a.png": [[10.0, 20, 30, 50, 0.9]], rooms / "b.png": [], rooms / "c.png": [[-5.0, 0, 120, 40, 0.1]]}
    found = FalseDetections(NegativeImages(rooms), written(tmp_path / "found.json", rows))
    assert [found[index]["box"].tolist() for index in range(len(found))] == [[10, 20, 30, 50], [0, 0, 99, 40]]
    assert len(FalseDetections(NegativeImages(rooms, skip=1), tmp_path / "found.json")) == 1
    assert len(FalseDetections(NegativeImages(rooms), tmp_path / "found.json", score=0.5)) == 1
    sample = found[0]
    assert set(sample) <= set(SAMPLE_KEYS)
    assert (sample["hand"], np.isnan(sample["right"]), sample["visible"].sum()) == (0, True, 0)
    assert TopDownAffine((32, 32))(LoadImage()(sample))["img"].shape == (32, 32, 3)
    assert sample["sample_id"] != found[1]["sample_id"]
    with pytest.raises(IndexError, match="sample 2 of 2"):
        found[2]


def test_paths_may_be_written_another_way(rooms: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path / "found.json", {Path("rooms") / f"{name}.png": [[1.0, 2, 9, 9, 0.3]] for name in "abc"})
    monkeypatch.chdir(tmp_path)
    assert len(FalseDetections(NegativeImages(rooms.parent / "rooms" / ".." / "rooms"), path)) == 3


def test_what_lies_on_a_hand_is_none(tmp_path: Path) -> None:
    Image.new("RGB", (200, 120)).save(tmp_path / "1.png")
    image = dict(id=1, file_name="1.png", width=200, height=120)
    hands = [
        dict(id=row, image_id=1, category_id=1, bbox=box, area=1600, iscrowd=crowd)
        for row, (box, crowd) in enumerate([([20, 30, 40, 40], 0), ([120, 40, 30, 40], 1)])
    ]
    labels = tmp_path / "hands.json"
    labels.write_text(json.dumps(dict(images=[image], annotations=hands, categories=[dict(id=1, name="hand")])))
    rows = [
        [0.0, 0, 22, 110, 0.9],  # two pixels on the first hand, of forty: 0.05 of it
        [0.0, 0, 30, 110, 0.9],  # ten: 0.25
        [30.0, 40, 40, 50, 0.9],  # inside it
        [10.0, 10, 100, 110, 0.9],  # around it
        [125.0, 45, 135, 60, 0.9],  # on the crowd
        [170.0, 5, 199, 119, 0.05],  # beside both, but weak
        [70.0, 5, 110, 119, 0.2],  # beside both
    ]
    path = written(tmp_path / "found.json", {tmp_path / "1.png": rows})
    dataset = ImageBoxes(CocoHands(labels, image_root=tmp_path, unlabelled="keep"))
    found = FalseDetections(dataset, path)
    assert [found[index]["box"].tolist() for index in range(len(found))] == [rows[0][:4], rows[6][:4]]
    assert len(FalseDetections(dataset, path, overlap=0.3)) == 3
    with pytest.raises(DataError, match=r"none of its boxes of 0\.95 or more is apart from all hands"):
        FalseDetections(dataset, path, score=0.95)


@pytest.mark.parametrize("text", ["", "[]", '{"images": [{"input": "a.png"}]}', '{"images": 3}'])
def test_other_files_are_refused(rooms: Path, tmp_path: Path, text: str) -> None:
    path = tmp_path / "found.json"
    path.write_text(text)
    with pytest.raises(DataError, match=r"found\.json: is not what 'handkit predict --task hand_detection --json'"):
        FalseDetections(NegativeImages(rooms), path)


def test_missing_pictures_and_files_are_named(rooms: Path, tmp_path: Path) -> None:
    path = written(tmp_path / "found.json", {rooms / "a.png": [[1.0, 2, 9, 9, 0.3]]})
    with pytest.raises(DataError, match=r"says nothing of .*b\.png; write it again"):
        FalseDetections(NegativeImages(rooms), path)
    with pytest.raises(DataError, match=r"absent\.json: cannot be read \(No such file"):
        FalseDetections(NegativeImages(rooms), tmp_path / "absent.json")
    with pytest.raises(DataError, match="needs score in"):
        FalseDetections(NegativeImages(rooms), path, score=2)
