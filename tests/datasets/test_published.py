"""The readers of published data sets: first on real samples, then on files of our own in the same formats."""

from __future__ import annotations

import json
import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from handkit.datasets import RHD, CocoHands, FreiHAND, ImageBoxes, InterHand26M, OneHand10K, Panoptic, index
from handkit.datasets.columns import HandColumns
from handkit.datasets.reader import HandReader
from handkit.errors import DataError, ImageError
from handkit.geometry import hand_box
from handkit.transforms import LoadImage
from handkit.transforms.base import SAMPLE_KEYS

#: By file: the reader, how many samples it gives, and whether it gives 3D.
READERS: dict[str, tuple[type[HandReader], int, bool]] = {
    "onehand10k.json": (OneHand10K, 1, False),
    "freihand.json": (FreiHAND, 1, False),
    "panoptic.json": (Panoptic, 2, False),
    "rhd.json": (RHD, 1, True),
    "freihand/training_xyz.json": (FreiHAND, 4, True),
    "freihand/evaluation_xyz.json": (FreiHAND, 1, True),
    "rhd/anno_training.pickle": (RHD, 3, True),
    "interhand/tiny_data.json": (InterHand26M, 3, True),
}


def open_reader(path: Path, name: str, **options: Any) -> HandReader:
    return READERS[name][0](path / name, **options)  # type: ignore[call-arg, arg-type]


def projected(sample: dict[str, Any]) -> np.ndarray:
    uvw = sample["xyz_cam"] @ sample["camera"].T
    return uvw[:, :2] / uvw[:, 2:]


def test_the_fixture_of_onehand10k(peer_data: Path) -> None:
    reader = OneHand10K(peer_data / "data" / "fixtures" / "onehand10k" / "test_onehand10k.json")
    assert len(reader) == 4
    first = LoadImage()(reader[0])  # 9.jpg: 0 0 0, 81 251 1, 71 229 1, ..., 142 132 1
    np.testing.assert_array_equal(first["keypoints"][[1, 2, 20]], [(81, 251), (71, 229), (142, 132)])
    assert first["visible"].tolist() == [0] + [2] * 20
    assert np.isnan(first["right"])
    annotated = OneHand10K(reader.index.path, box="annotated")
    np.testing.assert_array_equal(annotated[0]["box"], (63, 92, 162, 286))  # 63 92 99 194
    for row in range(4):
        assert LoadImage()(reader[row])["img"].shape[1::-1] == reader[row]["image_size"]


def test_the_fixture_of_freihand(peer_data: Path) -> None:
    reader = FreiHAND(peer_data / "data" / "fixtures" / "freihand" / "test_freihand.json")
    assert len(reader) == 8
    first = LoadImage()(reader[0])  # 00017620.jpg
    np.testing.assert_allclose(
        first["keypoints"][[0, 4, 20]],
        [(75.09007144965095, 114.79035385093314), (121.75826373686846, 122.01572654269421), (118.92147, 140.34319)],
        rtol=1e-6,
    )
    assert (first["right"], set(first["visible"].tolist())) == (1, {2})
    np.testing.assert_array_equal(FreiHAND(reader.index.path, box="frame")[7]["box"], (0, 0, 224, 224))
    np.testing.assert_array_equal(FreiHAND(reader.index.path, box="annotated")[0]["box"], (62, 82, 166, 145))
    assert all(LoadImage()(reader[row])["img"].shape == (224, 224, 3) for row in range(8))


def test_the_fixture_of_rhd(peer_data: Path) -> None:
    reader = RHD(peer_data / "data" / "fixtures" / "rhd" / "test_rhd.json")
    assert len(reader) == 3
    first = LoadImage()(reader[0])  # 00111.png: 245.8 73.98, 170.4 115 (the thumb's tip), ..., 244.4 129.2 (a base)
    np.testing.assert_allclose(
        first["keypoints"][[0, 4, 17]], [(245.8, 73.98), (170.4, 115), (244.4, 129.2)], atol=1e-4
    )
    np.testing.assert_allclose(first["xyz_cam"][[0, 4]], [(0.1179, -0.1182, 0.411), (0.01709, -0.07371, 0.4895)], 1e-4)
    np.testing.assert_allclose(first["camera"], [(299, 0, 160), (0, 299, 160), (0, 0, 1)])
    assert [reader[row]["right"] for row in range(3)] == [0, 0, 1]
    for row in range(3):
        np.testing.assert_allclose(projected(reader[row]), reader[row]["keypoints"], atol=0.1)  # the file is rounded
        assert LoadImage()(reader[row])["img"].shape == (320, 320, 3)


def test_the_fixture_of_panoptic(peer_data: Path) -> None:
    reader = Panoptic(peer_data / "data" / "fixtures" / "panoptic" / "test_panoptic.json")
    first = LoadImage()(reader[0])  # 005880453_01_l.jpg
    np.testing.assert_allclose(
        first["keypoints"][[0, 1, 20]],
        [(721, 224), (720.32470703125, 216.51248168945315), (774.7701416015626, 213.43435668945315)],
    )
    assert [reader[row]["right"] for row in range(len(reader))] == [0, 1, 0, 1]
    box = Panoptic(reader.index.path, box="annotated")[0]["box"]
    np.testing.assert_allclose(box, (720.3247, 188.0991, 775.7701, 225), atol=1e-3)
    assert all(LoadImage()(reader[row])["img"].ndim == 3 for row in range(len(reader)))


def test_the_fixture_of_interhand(peer_data: Path) -> None:
    reader = InterHand26M(peer_data / "data" / "fixtures" / "interhand2.6m" / "test_interhand2.6m_data.json")
    assert [reader[row]["right"] for row in range(len(reader))] == [1, 0, 1, 0, 0, 1]
    # image 69148: the first rows of world_coord, the right thumb from its tip, seen by camera 400026 of capture 3
    world = np.array([(43.0351982, -82.2948990, 1090.7399902), (15.7192001, -80.0010986, 1093.1600342)])
    world = np.vstack([world, (-14.6444998, -69.2858963, 1099.4399414)])
    turn = [
        (0.9201921224594116, -0.012140202336013317, -0.39127883315086365),
        (0.06150508299469948, 0.9915890097618103, 0.11387889832258224),
        (0.38660526275634766, -0.1288560926914215, 0.9131990671157837),
    ]
    xyz = (world - (-415.1940002, 132.2495422, 59.5650749)) @ np.transpose(turn) / 1000
    pixels = xyz[:, :2] / xyz[:, 2:] * (1261.529175, 1261.684570) + (155.816360, 258.830597)
    first = LoadImage()(reader[0])
    np.testing.assert_allclose(first["xyz_cam"][[4, 3, 2]], xyz, atol=1e-6)
    np.testing.assert_allclose(first["keypoints"][[4, 3, 2]], pixels, atol=1e-3)
    assert (first["visible"] == 2).all()
    assert all(LoadImage()(reader[row])["img"].ndim == 3 for row in range(len(reader)))


@pytest.mark.parametrize("name", READERS)
def test_samples_are_those_of_every_reader(files: Path, index_home: Path, name: str) -> None:
    _, count, space = READERS[name]
    reader = open_reader(files, name)
    assert len(reader) == count
    assert reader.index.folder is not None
    again = pickle.loads(pickle.dumps(reader))
    for row in range(count):
        sample = reader[row]
        assert set(sample) <= set(SAMPLE_KEYS)
        assert {"xyz_cam", "camera"} <= set(sample) if space else "xyz_cam" not in sample
        dtypes = [sample[key].dtype for key in ("box", "keypoints", "visible")]
        assert dtypes == [np.float32, np.float32, np.uint8]
        np.testing.assert_allclose(
            sample["box"], hand_box(sample["keypoints"][labelled(reader, row)], sample["image_size"]), atol=1e-3
        )
        np.testing.assert_equal({**again[row]}, {**sample})
        if space:
            assert (sample["xyz_cam"].dtype, sample["camera"].dtype) == (np.float32, np.float64)
            shown = sample["visible"] > 0
            np.testing.assert_allclose(projected(sample)[shown], sample["keypoints"][shown], atol=1e-3)


def labelled(reader: HandReader, row: int) -> np.ndarray:
    return reader[row]["visible"] > 0


@pytest.mark.parametrize("name", READERS)
def test_every_visible_joint_lies_on_the_pixel_of_its_colour(files: Path, name: str) -> None:
    reader = open_reader(files, name)
    for row in range(len(reader)):
        sample = LoadImage()(reader[row])
        joints = np.flatnonzero(sample["visible"])
        assert len(joints) >= 19
        x, y = np.rint(sample["keypoints"][joints]).astype(int).T
        wanted = [(255, 10 * joint, 0) for joint in joints]
        np.testing.assert_allclose(sample["img"][y, x], wanted, atol=4 if sample["source"].endswith("jpg") else 0)


@pytest.mark.parametrize("name", READERS)
def test_the_cache_holds_what_was_parsed(files: Path, index_home: Path, name: str) -> None:
    parsed, kept = open_reader(files, name), open_reader(files, name)
    fresh = index.parse_index(parsed.index.path, parsed.index.layout)
    for column in HandColumns.__dataclass_fields__:
        np.testing.assert_array_equal(getattr(kept.index.columns, column), getattr(fresh.columns, column), column)


def test_freihand_has_four_versions_and_the_official_evaluation(files: Path) -> None:
    reader = FreiHAND(files / "freihand" / "training_xyz.json")
    assert {name: rows.tolist() for name, rows in reader.groups().items()} == {
        "auto": [3],
        "gs": [0],
        "hom": [1],
        "sample": [2],
    }
    (only,) = FreiHAND(reader.index.path, sources=["hom"]).image_labels()
    assert only.path == files / "freihand" / "training" / "rgb" / "00000001.jpg"
    sample = FreiHAND(files / "freihand" / "evaluation_xyz.json")[0]
    assert sample["source"] == str(files / "freihand" / "evaluation" / "rgb" / "00000000.jpg")
    assert sample["sample_id"] == "evaluation_xyz.json: image 0, right hand"
    np.testing.assert_allclose(sample["keypoints"][[0, 5, 9]], [(140, 160), (116, 116), (140, 112)], atol=1e-4)
    np.testing.assert_allclose(sample["xyz_cam"][20, 2], 0.7)


def test_rhd_knows_hidden_joints_hidden_hands_and_masks(files: Path) -> None:
    reader = RHD(files / "rhd" / "anno_training.pickle", masks=True)
    assert [reader[row]["sample_id"].split(": ")[1] for row in range(3)] == [
        "image 3, left hand",  # its right hand is hidden whole
        "image 5, left hand",
        "image 5, right hand",
    ]
    left, right = LoadImage()(reader[1]), LoadImage()(reader[2])
    assert (left["right"], right["right"]) == (0, 1)
    assert right["visible"].tolist() == [1] * 4 + [2] * 17
    np.testing.assert_array_equal(right["keypoints"][[0, 1, 4]], [(230, 160), (182, 120), (182, 60)])
    own = cv2.imread(str(files / "rhd" / "mask" / "00005.png"), cv2.IMREAD_UNCHANGED)
    assert set(np.unique(own)) == {0, 1, 2, 17, 18, 33}
    np.testing.assert_array_equal(left["mask"] == 1, (own == 2) | (own == 17))
    np.testing.assert_array_equal(right["mask"] == 1, (own == 18) | (own == 33))
    np.testing.assert_array_equal(left["mask"] == 0, own == 0)
    whole = reader.image_mask(1)
    assert whole is not None
    np.testing.assert_array_equal(whole == 1, own > 1)
    assert "mask" not in RHD(reader.index.path)[0]
    with pytest.raises(DataError, match=r"mask.00005\.png: is no mask of .*put the folder mask there or pass masks"):
        RHD(reader.index.path, image_root=files / "absent", masks=True)[1]


def test_rhd_of_mmpose_is_brought_from_tips_first(files: Path) -> None:
    sample = RHD(files / "rhd.json")[0]
    np.testing.assert_array_equal(sample["keypoints"][[0, 1, 4]], [(20, 40), (8, 30), (8, 15)])
    assert sample["visible"].tolist() == [2, 0] + [2] * 19  # v = 0 at the thumb's base
    np.testing.assert_allclose(sample["xyz_cam"][:, 2], 0.5 + 0.01 * np.arange(21), rtol=1e-6)


def test_interhand_gives_each_hand_and_no_joint_that_is_not_valid(files: Path) -> None:
    reader = InterHand26M(files / "interhand" / "tiny_data.json")
    assert [reader[row]["sample_id"].split(": ")[1] for row in range(3)] == [
        "image 0, annotation 0, right hand",
        "image 0, annotation 0, left hand",
        "image 1, annotation 1, left hand",
    ]
    assert [reader[row]["right"] for row in range(3)] == [1, 0, 0]
    assert reader[2]["visible"].tolist() == [2, 2, 2, 0] + [2] * 17
    assert np.isnan(reader[2]["xyz_cam"][3]).all()
    assert np.isfinite(reader[0]["xyz_cam"]).all()
    annotated = reader.index.columns.annotated_boxes
    assert np.isnan(annotated[:2]).all()  # around both hands
    np.testing.assert_array_equal(annotated[2], (90, 10, 150, 90))


def test_panoptic_tells_the_side_by_the_pictures_name(files: Path) -> None:
    reader = Panoptic(files / "panoptic.json")
    np.testing.assert_array_equal([reader[0]["right"], reader[1]["right"]], [np.nan, 0])


def test_a_file_of_boxes_alone_is_for_detectors(files: Path, changed: Callable[..., Path]) -> None:
    path = changed("coco.json", keypoints=None)
    with pytest.raises(DataError, match="annotation 70: no joint is labelled inside the frame"):
        CocoHands(path)
    reader = CocoHands(path, box="annotated", unlabelled="keep")
    assert reader[0]["visible"].tolist() == [0] * 21
    np.testing.assert_array_equal(reader[0]["box"], (2, 4, 32, 44))
    np.testing.assert_array_equal(ImageBoxes(reader)[0]["boxes"], [(2, 4, 32, 44)])
    with pytest.raises(DataError, match="annotation 70: keypoints must be 21 joints"):
        CocoHands(changed("coco.json", keypoints=None, bbox=None))
    with pytest.raises(DataError, match="annotation 70: keypoints must be 21 joints"):
        OneHand10K(changed("onehand10k.json", keypoints=None))


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("kind", ["absent", "folder", "empty", "text", "another format"])
def test_a_wrong_file_is_named(files: Path, tmp_path: Path, name: str, kind: str) -> None:
    shutil.copytree(files / Path(name).parent, tmp_path / "set", ignore=shutil.ignore_patterns("images", "shards"))
    path = tmp_path / "set" / Path(name).name
    path.unlink()
    if kind == "folder":
        path.mkdir()
    elif kind != "absent":
        path.write_text({"empty": "", "text": "hello", "another format": '{"a": 1}'}[kind])
    with pytest.raises(DataError, match=rf"{path.name}: (cannot be read|not a|COCO keypoint|holds|needs)"):
        open_reader(tmp_path / "set", path.name) if name == path.name else READERS[name][0](path)  # type: ignore[call-arg]


BAD_FIELDS: dict[str, tuple[str, dict[str, Any], str]] = {
    "OneHand10K, joints": ("onehand10k.json", {"keypoints": [1] * 60}, "keypoints must be 21 joints"),
    "OneHand10K, none": ("onehand10k.json", {"keypoints": None}, "keypoints must be 21 joints"),
    "OneHand10K, v": ("onehand10k.json", {"keypoints": [3] * 63}, "v must be 0, 1 or 2"),
    "FreiHAND, joints": ("freihand.json", {"keypoints": [1] * 66}, "keypoints must be 21 joints"),
    "Panoptic, box": ("panoptic.json", {"bbox": [1, 2, 3]}, "a box must be x, y, width, height"),
    "RHD, side": ("rhd.json", {"hand_type": "both"}, "hand_side must be 'left', 'right'"),
    "RHD, no side": ("rhd.json", {"hand_type": None}, "mmpose's RHD needs the field 'hand_type'"),
    "RHD, no 3D": ("rhd.json", {"joint_cam": None}, "mmpose's RHD needs the field 'joint_cam'"),
    "RHD, 3D joints": ("rhd.json", {"joint_cam": [[0, 0, 1]] * 20}, "joint_cam must be 21 joints of x, y, z"),
    "RHD, joints": ("rhd.json", {"keypoints": [[1, 1, 1]] * 42}, "keypoints must be 21 joints"),
}


@pytest.mark.parametrize("case", BAD_FIELDS)
def test_a_bad_field_of_mmposes_files_is_named(changed: Callable[..., Path], case: str) -> None:
    name, fields, message = BAD_FIELDS[case]
    with pytest.raises(DataError, match=rf"{name}: image 7, annotation 70.*{message}"):
        READERS[name][0](changed(name, **fields))  # type: ignore[call-arg]


def test_a_camera_that_is_missing_is_named(changed: Callable[..., Path]) -> None:
    for camera in (None, {"focal": [1, 2]}, {"focal": [1, 2], "princpt": [1]}, {"focal": [1, "x"], "princpt": [1, 2]}):
        with pytest.raises(DataError, match=r"rhd\.json: image 7: needs cam_param with focal and princpt"):
            RHD(changed("rhd.json", image=True, cam_param=camera))


@pytest.fixture
def edited(files: Path, tmp_path: Path) -> Callable[[str, Callable[[Any], None]], Path]:
    """The folder of a file in which one JSON was changed in place."""

    def edit(name: str, change: Callable[[Any], None]) -> Path:
        shutil.copytree((files / name).parent, tmp_path / "set")
        path = tmp_path / "set" / Path(name).name
        document = json.loads(path.read_text())
        change(document)
        path.write_text(json.dumps(document))
        return path.parent

    return edit


def at(*keys: Any, value: Any = None) -> Callable[[Any], None]:
    """Sets what stands at a place of a JSON document; None removes it."""

    def change(document: Any) -> None:
        for key in keys[:-1]:
            document = document[key]
        if value is None:
            del document[keys[-1]]
        else:
            document[keys[-1]] = value

    return change


BAD_FREIHAND: dict[str, tuple[str, Callable[[Any], None], str]] = {
    "joints": ("training_xyz", at(0, 20), "training_xyz.json: xyz of hand 0 must be 21 x 3 finite numbers"),
    "NaN": ("training_xyz", at(0, 3, 1, value=float("nan")), "xyz of hand 0 must be 21 x 3 finite"),
    "behind": (
        "training_xyz",
        at(0, 3, 2, value=-1),
        "training_xyz.json: xyz of hand 0: a joint is not before the camera",
    ),
    "camera": ("training_K", at(0, 2), "training_K.json: K of hand 0 must be 3 x 3 finite numbers"),
    "no camera": ("training_K", at(0, value=[[0] * 3] * 3), "training_K.json: K of hand 0 is no camera"),
    "camera by columns": (
        "training_K",
        at(0, value=[[200, 0, 0], [0, 200, 0], [112, 112, 1]]),
        "training_K.json: K of hand 0 is no camera: it needs positive focal lengths above a row 0 0 1",
    ),
    "count": ("training_K", at(0), "training_K.json: holds 0 matrices, but training_xyz.json 1 hands"),
}


@pytest.mark.parametrize("case", BAD_FREIHAND)
def test_bad_files_of_freihand_are_named(edited: Callable[..., Path], case: str) -> None:
    name, change, message = BAD_FREIHAND[case]
    folder = edited(f"freihand/{name}.json", change)
    with pytest.raises(DataError, match=message):
        FreiHAND(folder / "training_xyz.json")


def test_files_that_belong_together_must_be_there(files: Path, tmp_path: Path) -> None:
    for name in ("training_xyz.json", "tiny_data.json", "tiny_joint_3d.json"):
        shutil.copy(next(files.rglob(name)), tmp_path)
    with pytest.raises(DataError, match=r"training_K\.json: cannot be read: No such file"):
        FreiHAND(tmp_path / "training_xyz.json")
    with pytest.raises(DataError, match=r"tiny_camera\.json: cannot be read: No such file"):
        InterHand26M(tmp_path / "tiny_data.json")
    with pytest.raises(DataError, match=r"called training_xyz\.json and evaluation_xyz\.json"):
        FreiHAND(tmp_path / "test_xyz.json")
    with pytest.raises(DataError, match=r"InterHand2\.6M's annotations are called \*_data\.json"):
        InterHand26M(tmp_path / "tiny_joint_3d.json")


A, IMAGE = ("annotations", 1), ("images", 1)
BAD_INTERHAND: dict[str, tuple[str, Callable[[Any], None], str]] = {
    "validity": ("data", at(*A, "joint_valid", value=[[1]] * 21), "image 1: joint_valid must be 42 x 1 finite numbers"),
    "no validity": ("data", at(*A, "joint_valid"), "image 1: the annotation needs the field 'joint_valid'"),
    "no box": ("data", at(*A, "bbox"), "image 1: the annotation needs the field 'bbox'"),
    "hand type": ("data", at(*A, "hand_type", value="both"), "image 1: hand_type must be 'right', 'left' or 'inter"),
    "no frame": ("data", at(*IMAGE, "frame_idx"), "image 1 needs the field 'frame_idx'"),
    "other image": ("data", at(*A, "image_id", value=9), "image 9 of annotation 1 is not in the list of images"),
    "two": ("data", at(*A, "image_id", value=0), "an image has two annotations"),
    "size": ("data", at(*IMAGE, "width", value=-3), "image 1: width and height must be positive"),
    "no images": ("data", at("images"), "needs a list of objects 'images'"),
    "camera": ("camera", at("0", "campos", "400002"), "'campos' of '0' has no entry '400002', which the annotations"),
    "capture": ("camera", at("0"), "the file has no entry '0', which the annotations name"),
    "turn": ("camera", at("0", "camrot", "400002", 0), "camrot of camera 400002 in capture 0 must be 3 x 3 finite"),
    "frame": ("joint_3d", at("0", "1"), "'0' has no entry '1', which the annotations name"),
    "joints": ("joint_3d", at("0", "1", "world_coord", 0), "world_coord of frame 1 in capture 0 must be 42 x 3 finite"),
}


@pytest.mark.parametrize("case", BAD_INTERHAND)
def test_bad_files_of_interhand_are_named(edited: Callable[..., Path], case: str) -> None:
    name, change, message = BAD_INTERHAND[case]
    folder = edited(f"interhand/tiny_{name}.json", change)
    with pytest.raises(DataError, match=rf"tiny_{name}\.json: {message}"):
        InterHand26M(folder / "tiny_data.json")


GOOD_ENTRY = {"uv_vis": np.ones((42, 3)), "xyz": np.ones((42, 3)), "K": np.eye(3)}
BAD_RHD: dict[str, tuple[Any, str]] = {
    "joints": ({4: {**GOOD_ENTRY, "xyz": np.ones((21, 3))}}, "image 4: xyz must be 42 x 3 finite numbers"),
    "NaN": ({4: {**GOOD_ENTRY, "uv_vis": np.full((42, 3), np.nan)}}, "image 4: uv_vis must be 42 x 3 finite"),
    "field": ({2: GOOD_ENTRY, 4: {"uv_vis": np.ones((42, 3))}}, "image 4 needs the field 'xyz'"),
    "no camera": ({2: GOOD_ENTRY, 4: {**GOOD_ENTRY, "K": np.zeros((3, 3))}}, "image 4: K is no camera"),
    "entry": ({4: [1]}, "image 4 needs the field 'uv_vis'"),
    "keys": ({"4": GOOD_ENTRY}, "holds no dict from the numbers of pictures"),
    "list": ([GOOD_ENTRY], "holds no dict from the numbers of pictures"),
    "nothing": ({}, "no usable hand among 0 images"),
}


@pytest.mark.parametrize("case", BAD_RHD)
def test_bad_pickles_of_rhd_are_named(tmp_path: Path, case: str) -> None:
    content, message = BAD_RHD[case]
    (tmp_path / "anno_training.pickle").write_bytes(pickle.dumps(content))
    with pytest.raises(DataError, match=rf"anno_training\.pickle: {message}"):
        RHD(tmp_path / "anno_training.pickle")


def test_a_pickle_with_code_is_refused_unrun(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> Any:
            return os.mkdir, (str(tmp_path / "made"),)

    (tmp_path / "anno_training.pickle").write_bytes(pickle.dumps({0: {**GOOD_ENTRY, "K": Trap()}}))
    with pytest.raises(DataError, match=r"anno_training\.pickle: .*it names posix\.mkdir.*nothing was run"):
        RHD(tmp_path / "anno_training.pickle")
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("name", READERS)
def test_a_missing_picture_is_named_with_its_record(files: Path, tmp_path: Path, name: str) -> None:
    reader = open_reader(files, name, image_root=tmp_path)
    with pytest.raises(ImageError) as caught:
        LoadImage()(reader[0])
    assert str(tmp_path) in str(caught.value)
    assert f"{Path(name).name}: image " in str(caught.value)


def test_a_box_that_a_reader_does_not_have_is_refused(files: Path) -> None:
    with pytest.raises(DataError, match="Panoptic: box must be 'joints' or 'annotated', not 'frame'"):
        Panoptic(files / "panoptic.json", box="frame")  # type: ignore[arg-type]
    with pytest.raises(DataError, match=r"FreiHAND: box must be 'joints' or 'annotated' or 'frame', not 'file'"):
        FreiHAND(files / "freihand.json", box="file")  # type: ignore[arg-type]
    with pytest.raises(DataError, match=r"training_xyz\.json: no usable hand.* 4 no box"):
        FreiHAND(files / "freihand" / "training_xyz.json", box="annotated")


def test_a_file_cannot_state_a_layout_that_is_no_coco_json(files: Path, tmp_path: Path) -> None:
    document = json.loads((files / "coco.json").read_text())
    (tmp_path / "mine.json").write_text(json.dumps({**document, "info": {"handkit_layout": "rhd_pickle"}}))
    with pytest.raises(DataError, match=r"mine\.json: states the layout 'rhd_pickle', which is none of COCO JSON"):
        CocoHands(tmp_path / "mine.json")
