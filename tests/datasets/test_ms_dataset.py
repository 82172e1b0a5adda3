"""`MsDataset` on rows, on objects that look like ModelScope's, and on the folders of its old data sets.

Real objects of ModelScope are opened in tests/interop.
"""

from __future__ import annotations

import io
import json
import pickle
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from handkit.datasets import CocoHands, CocoWholeBodyHand, MsDataset
from handkit.errors import DataError, ImageError, MissingExtraError
from handkit.registry import build
from handkit.transforms import LoadImage


class Loaded:
    """As an `MsDataset` object keeps what it loaded."""

    def __init__(self, inner: Any) -> None:
        self.ds_instance = inner


class Splits:
    """As ModelScope's `ExternalDataset`, the form of its old data sets on the hub."""

    def __init__(self, **folders: Path) -> None:
        self.split_path_dict = {name: str(folder) for name, folder in folders.items()}


def picture(width: int = 40, height: int = 30) -> Image.Image:
    pixels = np.arange(width * height * 3, dtype=np.uint32).reshape(height, width, 3) % 251
    return Image.fromarray(pixels.astype(np.uint8))


def encoded(image: Image.Image, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG", **options)
    return buffer.getvalue()


def row(**columns: Any) -> dict[str, Any]:
    joints = [[4.0 + joint, 5.0 + joint % 7, 2] for joint in range(21)]
    return {"image": picture(), "keypoints": joints, "bbox": [3, 4, 25, 12], **columns}


def same(first: Any, second: Any) -> None:
    assert len(first) == len(second)
    for index in range(len(first)):
        a, b = (LoadImage()(part[index]) for part in (first, second))
        for key in ("keypoints", "visible", "box", "right", "image_size", "img"):
            np.testing.assert_array_equal(a[key], b[key])


@pytest.fixture
def split(tmp_path: Path, files: Path) -> Path:
    """The folder of a split: COCO-WholeBody's JSON in one place, the pictures in another."""
    folder = tmp_path / "subtrain"
    shutil.copytree(files / "images", folder / "train2017" / "images")
    (folder / "annotations").mkdir()
    shutil.copy(files / "coco_wholebody.json", folder / "annotations" / "wholebody.json")
    (folder / "about.json").write_text("{}")
    return folder


@pytest.mark.parametrize("form", ["pil", "bytes", "dict", "array", "list", "floats", "path", "relative"])
def test_every_form_of_picture(form: str, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(encoded(picture()))
    forms = {
        "pil": picture(),
        "bytes": encoded(picture()),
        "dict": {"path": None, "bytes": encoded(picture())},
        "array": np.asarray(picture()),
        "list": np.asarray(picture()).tolist(),
        "floats": np.asarray(picture(), np.float32) / 255,
        "path": str(path),
        "relative": "a.png",
    }
    reader = MsDataset(Loaded([row(image=forms[form])]), image_root=tmp_path)
    sample = LoadImage()(reader[0])
    np.testing.assert_array_equal(sample["img"], np.asarray(picture()))
    assert sample["image_size"] == (40, 30)
    np.testing.assert_array_equal(sample["box"], (3, 4, 28, 16))
    np.testing.assert_array_equal(sample["keypoints"][[0, 20]], [(4, 5), (24, 11)])
    same(pickle.loads(pickle.dumps(reader)), reader)


class Mapped:
    """Rows that lie on disk, as those of a `datasets.Dataset` do."""

    def __len__(self) -> int:
        return 3

    def __getitem__(self, number: int) -> dict[str, Any]:
        if not 0 <= number < len(self):
            raise IndexError(number)
        return row(image={"bytes": encoded(picture(40 + number)), "path": None})


def test_pictures_of_rows_on_disk_stay_there(tmp_path: Path) -> None:
    reader, kept = MsDataset(Loaded(Mapped())), MsDataset(iter(list(Mapped())))
    assert encoded(picture()) in pickle.dumps(kept)
    assert encoded(picture()) not in pickle.dumps(reader)
    same(pickle.loads(pickle.dumps(reader)), kept)
    same(build(reader.export(tmp_path / "exported")), kept)


def test_several_hands_and_their_sides(tmp_path: Path) -> None:
    one = row()
    rows = [row(keypoints=[one["keypoints"]] * 2, bbox=[one["bbox"], [0, 0, 30, 20]], hand_side=["left", "right"])]
    reader = MsDataset(rows)
    assert [float(reader[index]["right"]) for index in range(2)] == [0, 1]
    np.testing.assert_array_equal(reader[1]["box"], (0, 0, 30, 20))


def test_without_boxes_the_joints_make_one() -> None:
    rows = [{key: value for key, value in row().items() if key != "bbox"}]
    np.testing.assert_allclose(MsDataset(rows, box="joints")[0]["box"], (2.5, 4.55, 25.5, 11.45), atol=1e-4)
    with pytest.raises(DataError, match="no usable hand"):
        MsDataset(rows)


def test_a_coco_file_loaded_as_one_row(files: Path) -> None:
    document = json.loads((files / "coco.json").read_text("utf-8"))
    same(MsDataset([document], image_root=files, box="joints"), CocoHands(files / "coco.json", unlabelled="skip"))


def test_the_folder_of_a_split(split: Path, files: Path) -> None:
    same(MsDataset(Loaded(Splits(subtrain=split))), CocoWholeBodyHand(files / "coco_wholebody.json"))


@pytest.mark.parametrize("kind", ["rows", "coco", "split"])
def test_exported_it_is_the_same_data_set_in_files(kind: str, tmp_path: Path, split: Path, files: Path) -> None:
    document = json.loads((files / "coco.json").read_text("utf-8"))
    rows = [row(), row(image=str(split / "train2017" / "images" / "one.png"), bbox=[1, 2, 9, 9])]
    given = {"rows": rows, "coco": [document], "split": Splits(subtrain=split)}[kind]
    reader = MsDataset(given, image_root=files if kind == "coco" else None)
    node = reader.export(tmp_path / "exported")
    json.dumps(node)
    same(build(node), reader)
    assert node["type"] == ("CocoWholeBodyHand" if kind == "split" else "CocoHands")


def test_pictures_stay_encoded_where_the_columns_know_how() -> None:
    class Image:  # by this name `datasets` calls its feature
        def __init__(self, decode: bool = True) -> None:
            self.decode = decode

    class Table(list[Any]):
        @property
        def features(self) -> dict[str, object]:
            return {"image": Image(), "keypoints": object()}

        def cast_column(self, name: str, feature: Any) -> Any:
            assert (name, feature.decode) == ("image", False)
            return [row(image={"bytes": encoded(picture()), "path": None})]

    assert len(MsDataset(Loaded(Table([row(image="never read")])))) == 1


def test_the_upright_size_is_the_pictures() -> None:
    turned = picture(30, 40)
    exif = turned.getexif()
    exif[0x0112] = 6
    reader = MsDataset([row(image=encoded(turned, exif=exif))])
    assert LoadImage()(reader[0])["image_size"] == (40, 30)
    with Image.open(io.BytesIO(encoded(turned, exif=exif))) as opened:
        same(MsDataset([row(image=opened)]), reader)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([[1, 2]], "row 0: expected columns by name, got list"),
        ([row(image=None)], "row 0: has no picture; it needs the column image"),
        (
            [row(), row(keypoints=None)],
            "row 1: has no keypoints, 21 joints of x, y, v; columns: image, keypoints, bbox",
        ),
        ([row(keypoints=[1, 2, 3])], "row 0: keypoints must be 21 joints of x, y, v per hand"),
        ([row(bbox=[1, 2, 3])], "row 0: bbox must be x, y, width, height per hand"),
        ([row(bbox=[[0, 0, 9, 9]] * 2)], "row 0: 1 hands, but 2 boxes and 1 sides"),
        ([row(image="gone.png")], r"row 0: no picture .*gone\.png; name the folder of the pictures by image_root"),
        ([row(image=object())], "row 0: its picture is neither path, bytes, PIL image nor RGB array"),
        ([row(image=np.full((30, 40, 3), 300))], "row 0: its picture is neither .*: .*not int64"),
        ([{"images": 1, "annotations": 2}], "row 0: images and annotations must be lists"),
        ([{"images": [1], "annotations": []}], "row 0: images and annotations must be lists of objects"),
        (3, "expected a loaded data set, a list of rows or a path, got 3"),
        ({"train": 1, "test": 2}, "several splits, train, test; hand one of them over"),
        (Splits(), "no split None, only"),
        (Splits(a=Path("/nowhere/a")), "/nowhere/a: the folder of the split 'a' is not there"),
    ],
)
def test_rows_of_another_form_are_one_error(rows: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        MsDataset(rows)


def test_a_broken_picture_is_one_error() -> None:
    with pytest.raises(ImageError, match="row 0: its picture cannot be read"):
        MsDataset([row(image=b"no picture")])


def test_a_split_without_labels_or_pictures_is_one_error(split: Path) -> None:
    shutil.rmtree(split / "train2017")
    with pytest.raises(DataError, match=r"wholebody\.json: its picture images/two\.png is nowhere in"):
        MsDataset(Splits(subtrain=split))
    shutil.copy(split / "annotations" / "wholebody.json", split / "again.json")
    with pytest.raises(DataError, match=r"expected one JSON .*, found again\.json, annotations/wholebody\.json"):
        MsDataset(Splits(subtrain=split))
    with pytest.raises(DataError, match="no split 'val', only subtrain"):
        MsDataset(Splits(subtrain=split), split="val")


def test_a_path_needs_modelscope(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "modelscope", None)
    with pytest.raises(MissingExtraError, match=r"handkit\[modelscope\]"):
        MsDataset(tmp_path)
