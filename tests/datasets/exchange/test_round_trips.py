"""To a format and back: what it holds is equal, and what it does not hold is said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from handkit.datasets import CocoHands
from handkit.datasets.exchange import FORMATS, convert
from handkit.errors import DataError
from handkit.images import picture_files
from handkit.skeleton import HAND, to_order

SUFFIX = {"coco": "labels.json", "cvat": "labels.xml", "label-studio": "tasks.json", "yolo": "yolo"}
SIZES = {"a/one.png": (64, 48), "two.png": (96, 60)}


def joints(seed: int, size: tuple[int, int]) -> np.ndarray:
    rng = np.random.default_rng(seed)
    places = rng.uniform((0, 0), np.array(size) - 1, (21, 2)).round(3)
    v = rng.integers(1, 3, (21, 1)).astype(float)
    v[4], places[4] = 0, 0
    return np.concatenate([places, v], 1)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Both sides and none, a hidden and an unlabelled joint, a crowd, a hand without a box, and fields of its own."""
    folder = tmp_path / "source"
    images, annotations = [], []
    for number, (name, size) in enumerate(SIZES.items(), 7):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((size[1], size[0], 3), 90, np.uint8)).save(folder / name)
        image = {"id": number, "file_name": name, "width": size[0], "height": size[1], "source": "kitchen", "shot": 3}
        images.append({**image, "human_boxes": [[1.5, 2, 30, 20.25]]})
        for place, side in enumerate(["left", "right"] if number == 7 else [None, "left"]):
            hand = joints(number * 10 + place, size).ravel().tolist()
            row = {"id": len(annotations), "image_id": number, "keypoints": hand, "bbox": [3.25, 4, 20, 31.5]}
            annotations.append({**row, "iscrowd": 0, "quality": 0.5, **({"hand_side": side} if side else {})})
    annotations[1]["iscrowd"] = 1
    del annotations[2]["bbox"]
    categories = [{"id": 1, "name": "hand", "keypoints": list(HAND.joints)}]
    (folder / "labels.json").write_text(
        json.dumps({"images": images, "annotations": annotations, "categories": categories, "licenses": []})
    )
    return folder / "labels.json"


def hands(path: Path) -> list[dict[str, Any]]:
    """Every annotation with the name and size of its image."""
    document = json.loads(path.read_text())
    images = {row["id"]: row for row in document["images"]}
    return [{**row, "image": images[row["image_id"]]} for row in document["annotations"]]


@pytest.mark.parametrize("name", FORMATS)
def test_what_a_format_holds_comes_back(source: Path, tmp_path: Path, name: str) -> None:
    there = tmp_path / "there" / SUFFIX[name]
    done = convert(source, there, name)
    back = source.with_name("back.json")
    returned = convert(there, back, "coco", image_root=source.parent if name in ("cvat", "label-studio") else None)
    assert (done.images, done.hands) == (2, 4)
    assert returned.notes == []
    before = [hand for hand in hands(source) if name != "yolo" or not hand["iscrowd"]]
    after = hands(back)
    assert len(after) == len(before)
    for old, new in zip(before, after, strict=True):
        np.testing.assert_allclose(new["keypoints"], old["keypoints"], atol=2e-3)
        assert new.get("hand_side") == old.get("hand_side")
        assert new["iscrowd"] == old["iscrowd"]
        if "bbox" in old:
            np.testing.assert_allclose(new["bbox"], old["bbox"], atol=2e-3)
        assert (new["image"]["width"], new["image"]["height"]) == (old["image"]["width"], old["image"]["height"])
        assert (back.parent / new["image"]["file_name"]).read_bytes() == (
            source.parent / old["image"]["file_name"]
        ).read_bytes()
    if name in ("coco", "cvat", "label-studio"):
        np.testing.assert_allclose(after[0]["image"]["human_boxes"], before[0]["image"]["human_boxes"], atol=2e-3)
    assert len(CocoHands(back)) == len(after) - (name != "yolo")  # the crowd region is no sample


LOST = {
    "coco": [],
    "cvat": ["the source of images", "the field 'quality' of annotations", "the field 'shot'", "entry 'licenses'"],
    "label-studio": ["the source of images", "'quality'", "'shot'", "'licenses'", "hands without a box"],
    "yolo": ["the source", "'quality'", "'shot'", "'licenses'", "without a box", "crowd regions", "drew", "fliplr=0"],
}


@pytest.mark.parametrize("name", FORMATS)
def test_what_a_format_does_not_hold_is_said(source: Path, tmp_path: Path, name: str) -> None:
    lost = convert(source, tmp_path / SUFFIX[name], name).lost
    assert len(lost) == len(LOST[name])
    for words in LOST[name]:
        assert any(words in line for line in lost), (words, lost)


@pytest.mark.parametrize("name", ["label-studio", "yolo"])
def test_a_hand_without_box_and_joints_is_left_out_and_said(source: Path, tmp_path: Path, name: str) -> None:
    document = json.loads(source.read_text())
    del document["annotations"][0]["bbox"]
    document["annotations"][0]["keypoints"] = [0] * 63
    source.write_text(json.dumps(document))
    lost = convert(source, tmp_path / SUFFIX[name], name).lost
    assert "hands without a box and without a labelled joint, which are left out" in lost
    root = None if name == "yolo" else source.parent
    convert(tmp_path / SUFFIX[name], tmp_path / "back.json", "coco", image_root=root)
    assert len(hands(tmp_path / "back.json")) == 3 - (name == "yolo")


def test_coco_keeps_fields_it_does_not_know(source: Path, tmp_path: Path) -> None:
    convert(source, tmp_path / "new.json", "coco")
    document = json.loads((tmp_path / "new.json").read_text())
    assert document["licenses"] == []
    assert {row["quality"] for row in document["annotations"]} == {0.5}
    assert {(row["shot"], row["source"]) for row in document["images"]} == {(3, "kitchen")}
    assert document["info"] == {"handkit_layout": "coco"}


def test_edge_to_edge_labels_lose_half_a_pixel(source: Path, tmp_path: Path) -> None:
    document = json.loads(source.read_text())
    for row in document["annotations"]:
        row["flip_disagreement"] = 0.01
    source.write_text(json.dumps(document))
    done = convert(source, tmp_path / "new.json", "coco")
    assert "0.5 is subtracted" in done.notes[0]
    old, new = (np.reshape(hands(path)[0]["keypoints"], (21, 3)) for path in (source, tmp_path / "new.json"))
    shown = old[:, 2] > 0
    np.testing.assert_allclose(new[shown, :2], old[shown, :2] - 0.5, atol=1e-6)


def test_joints_named_in_another_order_are_mapped_and_foreign_names_refused(source: Path, tmp_path: Path) -> None:
    document = json.loads(source.read_text())
    order = to_order(np.arange(21)[:, None], "rhd")[:, 0]
    for row in document["annotations"]:
        row["keypoints"] = np.reshape(row["keypoints"], (21, 3))[order].ravel().tolist()
    document["categories"][0]["keypoints"] = [HAND.joints[place] for place in order]
    plain = hands(source)
    source.write_text(json.dumps(document))
    done = convert(source, tmp_path / "mapped.json", "coco")
    assert "20 joints stood in another order and were mapped by their names" in done.notes
    for old, new in zip(plain, hands(tmp_path / "mapped.json"), strict=True):
        assert new["keypoints"] == pytest.approx(old["keypoints"])

    document["categories"][0]["keypoints"][3] = "INDEX_FINGER_TIP"
    source.write_text(json.dumps(document))
    with pytest.raises(DataError, match="unknown INDEX_FINGER_TIP"):
        convert(source, tmp_path / "refused.json", "coco")
    assert not (tmp_path / "refused.json").exists()

    document["categories"] = []
    source.write_text(json.dumps(document))
    done = convert(source, tmp_path / "stated.json", "coco", order="rhd")
    assert done.notes == ["joints are taken to be in the order of rhd"]
    assert hands(tmp_path / "stated.json")[0]["keypoints"] == pytest.approx(plain[0]["keypoints"])


def test_a_shuffled_skeleton_of_cvat_is_read_by_its_names(source: Path, tmp_path: Path) -> None:
    convert(source, tmp_path / "a.xml", "cvat")
    lines = (tmp_path / "a.xml").read_text().splitlines()
    wrists = [place for place, line in enumerate(lines) if '<points label="wrist"' in line]
    for place in wrists:
        lines[place : place + 5] = [*lines[place + 1 : place + 5], lines[place]]
    (tmp_path / "b.xml").write_text("\n".join(lines))
    for name in ("a", "b"):
        convert(tmp_path / f"{name}.xml", tmp_path / f"{name}.json", "coco")
    assert [h["keypoints"] for h in hands(tmp_path / "a.json")] == [h["keypoints"] for h in hands(tmp_path / "b.json")]
    (tmp_path / "c.xml").write_text("\n".join(lines).replace('label="thumb2"', 'label="2"'))
    with pytest.raises(DataError, match=r"c\.xml: image 'a/one\.png': skeleton 'hand'.*unknown 2"):
        convert(tmp_path / "c.xml", tmp_path / "c.json", "coco")


def test_a_rotated_box_of_cvat_is_refused(source: Path, tmp_path: Path) -> None:
    convert(source, tmp_path / "a.xml", "cvat")
    text = (tmp_path / "a.xml").read_text()
    (tmp_path / "b.xml").write_text(text.replace('<box label="hand box"', '<box rotation="0.0" label="hand box"'))
    convert(tmp_path / "b.xml", tmp_path / "b.json", "coco")
    (tmp_path / "c.xml").write_text(text.replace('<box label="hand box"', '<box rotation="30.0" label="hand box"'))
    with pytest.raises(DataError, match=r"image 'a/one\.png': a box is rotated; hands have upright boxes"):
        convert(tmp_path / "c.xml", tmp_path / "c.json", "coco")


def test_yolo_names_its_joints_and_says_that_no_flip_index_is_needed(source: Path, tmp_path: Path) -> None:
    convert(source, tmp_path / "yolo", "yolo")
    text = (tmp_path / "yolo/data.yaml").read_text()
    assert f"flip_idx: {list(range(21))}" in text
    assert "names: {0: hand, 1: left_hand, 2: right_hand}" in text
    line = (tmp_path / "yolo/labels/a/one.txt").read_text().split()
    assert (line[0], len(line)) == ("1", 68)
    swapped = text.replace("[wrist, thumb1,", "[thumb1, wrist,")
    (tmp_path / "yolo/data.yaml").write_text(swapped)
    assert "2 joints stood in another order" in convert(tmp_path / "yolo", tmp_path / "a.json", "coco").notes[0]
    flip = text.replace("flip_idx: [0, 1, 2,", "flip_idx: [0, 2, 1,")
    (tmp_path / "yolo/data.yaml").write_text(flip)
    assert "flip_idx swaps joints" in convert(tmp_path / "yolo", tmp_path / "b.json", "coco").notes[0]


def test_label_studio_tells_its_interface_and_finds_the_hand_of_a_loose_joint(source: Path, tmp_path: Path) -> None:
    convert(source, tmp_path / "tasks.json", "label-studio")
    assert '<Label value="pinky_finger4"/>' in (tmp_path / "tasks.xml").read_text()
    tasks = json.loads((tmp_path / "tasks.json").read_text())
    regions = tasks[1]["annotations"][0]["result"]
    joint = next(region for region in regions if region["value"].get("keypointlabels") == ["wrist"])
    del joint["parentID"]
    joint["value"] |= {"x": 0.0, "y": 0.0}
    (tmp_path / "loose.json").write_text(json.dumps(tasks))
    with pytest.raises(DataError, match="task 2: the joint 'wrist' belongs to no hand"):
        convert(tmp_path / "loose.json", tmp_path / "loose_coco.json", "coco")


def test_label_studio_passes_over_skipped_annotations_and_relations(source: Path, tmp_path: Path) -> None:
    convert(source, tmp_path / "tasks.json", "label-studio")
    tasks = json.loads((tmp_path / "tasks.json").read_text())
    annotations = tasks[0]["annotations"]
    annotations[0]["was_cancelled"] = False
    relation = {"type": "relation", "from_id": "i1h0", "to_id": "i1h1", "direction": "right"}
    annotations[0]["result"].insert(0, relation)
    annotations.append({"was_cancelled": True, "result": []})
    (tmp_path / "skipped.json").write_text(json.dumps(tasks))
    done = convert(tmp_path / "skipped.json", tmp_path / "new.json", "coco", image_root=source.parent)
    assert (done.images, done.hands) == (2, 4)
    assert done.notes == ["not read: skipped annotations", "not read: relations between regions"]


@pytest.mark.parametrize("absolute", [False, True])
def test_labels_beside_the_pictures_folder_become_yolo(source: Path, tmp_path: Path, absolute: bool) -> None:
    document = json.loads(source.read_text())
    for row in document["images"]:
        row["file_name"] = str(source.parent / row["file_name"]) if absolute else f"../source/{row['file_name']}"
    path = tmp_path / "labels" / "labels.json"  # as `handkit label photos --out labels/labels.json` writes it
    path.parent.mkdir()
    path.write_text(json.dumps(document))
    done = convert(path, tmp_path / "yolo", "yolo")
    assert f"names begin from {source.parent}" in done.notes[-1]
    assert {str(file.relative_to(tmp_path / "yolo" / "images")) for file in picture_files(tmp_path / "yolo")} == set(
        SIZES
    )
    assert sorted(file.name for file in tmp_path.iterdir()) == ["labels", "source", "yolo"]


@pytest.mark.parametrize(
    ("names", "line", "words"),
    [("{x: hand}", b"", "a class is a number"), ("{0: hand}", b"\xff\xfe", r"one\.txt: is no text")],
)
def test_a_bad_yolo_folder_is_named(source: Path, tmp_path: Path, names: str, line: bytes, words: str) -> None:
    convert(source, tmp_path / "yolo", "yolo")
    (tmp_path / "yolo" / "data.yaml").write_text(f"kpt_shape: [21, 3]\nnames: {names}")
    (tmp_path / "yolo" / "labels" / "a" / "one.txt").write_bytes(line)
    with pytest.raises(DataError, match=words):
        convert(tmp_path / "yolo", tmp_path / "back.json", "coco")


BAD = {
    "empty.xml": ("", "not an XML file"),
    "video.xml": ("<annotations><track/></annotations>", "CVAT for images 1.1"),
    "bomb.xml": ('<!DOCTYPE a [<!ENTITY b "c">]><annotations/>', "declares entities"),
    "data.yaml": ("kpt_shape: [17, 3]\nnames: {0: person}", r"kpt_shape must be \[21, 3\]"),
    "min.json": ("[3]", "no task of Label Studio"),
    "text.json": ("hello", "none of the formats coco, yolo, cvat, label-studio"),
    "coco.json": ('{"images": []}', "list of objects 'annotations'"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_named(tmp_path: Path, name: str) -> None:
    text, words = BAD[name]
    (tmp_path / name).write_text(text)
    with pytest.raises(DataError, match=words) as caught:
        convert(tmp_path / name, tmp_path / "new.json", "coco")
    assert name in str(caught.value)
    assert not (tmp_path / "new.json").exists()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"images": [{"id": [], "file_name": "a", "width": 4, "height": 4}]}, "must be a number or a string"),
        ({"images": [{"id": 1, "file_name": "a", "width": 1e400, "height": 4}]}, "positive width and height"),
        ({"images": [{"id": 1, "file_name": "a", "width": 4, "height": 0}]}, "positive width and height"),
        ({"annotations": [{"id": 1, "image_id": {}}]}, "must be a number or a string"),
        ({"info": {"handkit_layout": ["coco"]}}, r"info\.handkit_layout is \['coco'\]"),
        ({"images": [{"id": 1, "file_name": "a", "width": 4, "height": 4, "human_boxes": 1}]}, "boxes of 4 numbers"),
    ],
)
def test_a_bad_record_of_coco_is_named(tmp_path: Path, change: dict[str, Any], words: str) -> None:
    path = tmp_path / "coco.json"
    path.write_text(json.dumps({"images": [], "annotations": [], **change}))
    with pytest.raises(DataError, match=rf"coco\.json: .*{words}"):
        convert(path, tmp_path / "new.xml", "cvat")
    assert not (tmp_path / "new.xml").exists()


def test_categories_without_a_list_of_names_name_no_joint(source: Path, tmp_path: Path) -> None:
    document = json.loads(source.read_text())
    document["categories"] = [{"id": 1, "name": "hand", "keypoints": len(HAND)}]
    (tmp_path / "unnamed.json").write_text(json.dumps(document))
    done = convert(tmp_path / "unnamed.json", tmp_path / "new.xml", "cvat")
    assert any("the file names no joints" in note for note in done.notes)


def test_the_interface_of_label_studio_replaces_nothing_unasked(source: Path, tmp_path: Path) -> None:
    convert(source, tmp_path / "labels.xml", "cvat")
    before = (tmp_path / "labels.xml").read_bytes()
    with pytest.raises(DataError, match=r"labels\.xml exists; name another file, or --overwrite"):
        convert(source, tmp_path / "labels.json", "label-studio")
    for target in ("labels.json", "labels.xml"):
        with pytest.raises(DataError, match=r"labels\.xml: the labelling interface would replace it"):
            convert(tmp_path / "labels.xml", tmp_path / target, "label-studio", overwrite=True)
    assert (tmp_path / "labels.xml").read_bytes() == before
    assert not (tmp_path / "labels.json").exists()
    convert(source, tmp_path / "labels.json", "label-studio", overwrite=True)
    assert (tmp_path / "labels.xml").read_text().startswith("<View>")


def test_a_target_that_is_there_stays(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "new.json"
    target.write_text("mine")
    with pytest.raises(DataError, match="--overwrite"):
        convert(source, target, "coco")
    assert target.read_text() == "mine"
    convert(source, target, "coco", overwrite=True)
    assert len(hands(target)) == 4
    (source.parent / "two.png").unlink()
    with pytest.raises(DataError, match=r"two\.png: no such picture"):
        convert(source, tmp_path / "yolo", "yolo")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new.json", "source"]
    with pytest.raises(DataError, match="did you mean 'coco'"):
        convert(source, tmp_path / "x.json", "cocoa")
