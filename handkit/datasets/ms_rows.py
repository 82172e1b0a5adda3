"""The rows of a loaded data set of ModelScope or Hugging Face -> COCO JSON, and the pictures that lie in no file."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import ExifTags, Image

from handkit.errors import DataError, ImageError
from handkit.images import read_image

#: Columns of a picture: a path, encoded bytes, a dict with either, a PIL image or an array (RGB).
_PICTURES = ("image", "image:FILE", "file_name", "image_path")


class Pictures:
    """Encoded pictures that lie in no file, by the `file_name` of their image, which is then a number.

    Those of rows that can be read again by their number, as the mapped ones of a `datasets.Dataset`, are left there;
    those of an iterator, and of a list, which has them in memory as it is, are kept.

    Args:
        rows: dicts.
        where: the data set's name in messages.
    """

    def __init__(self, rows: Any = (), where: str = "") -> None:
        again = all(hasattr(rows, name) for name in ("__getitem__", "__len__")) and not isinstance(rows, (list, tuple))
        self._rows: Any = rows if again else None
        self._where = where
        self._kept: dict[str, bytes | int] = {}

    def add(self, name: str, number: int, content: bytes) -> None:
        """Notes the picture of a row."""
        self._kept[name] = content if self._rows is None else number

    def __iter__(self) -> Iterator[str]:
        return iter(self._kept)

    def __contains__(self, name: object) -> bool:
        return name in self._kept

    def __getitem__(self, name: str) -> bytes:
        """The encoded picture."""
        kept = self._kept[name]
        if isinstance(kept, bytes):
            return kept
        place = f"{self._where}: row {kept}"
        content = _stored(self._rows[kept], place)
        if isinstance(content, bytes):
            return content
        raise DataError(f"{place}: had a picture of its own when it was read first, and now names {content}")


class Rows(NamedTuple):
    """A COCO document, and the pictures of those images that lie in no file.

    Args:
        document: `images` and `annotations` as handkit's layout ``coco`` has them; `file_name` is an absolute path.
        pictures: of those images.
    """

    document: dict[str, Any]
    pictures: Pictures


def rows_of(dataset: Any) -> Iterable[Mapping[str, Any]]:
    """The rows, with pictures as they are stored: an `MsDataset`, a `datasets.Dataset`, or an iterable of dicts.

    Raises:
        DataError: it is none of them.
    """
    inner = getattr(dataset, "ds_instance", dataset)
    for name, feature in dict(getattr(inner, "features", None) or {}).items():
        if type(feature).__name__ == "Image" and getattr(feature, "decode", False):
            inner = inner.cast_column(name, type(feature)(decode=False))
    if not hasattr(inner, "__iter__") and not hasattr(inner, "__getitem__"):
        raise DataError(f"MsDataset: expected a loaded data set, a list of rows or a path, got {inner!r}")
    rows: Iterable[Mapping[str, Any]] = inner
    return rows


def coco_rows(rows: Iterable[Mapping[str, Any]], root: Path, where: str) -> Rows:
    """One image per row, with one hand or several.

    A row has the picture as `image` (or `image:FILE`, `file_name`, `image_path`), `keypoints` (21 joints of x, y, v,
    flat or nested; or a list of hands), `bbox` or `boxes` (x, y, width, height per hand; may be left out), and may have
    `hand_side`.

    Args:
        rows: dicts.
        root: the folder that paths are relative to.
        where: the data set's name in messages.

    Raises:
        DataError: a row of another form; the message names it.
        ImageError: a picture that cannot be read.
    """
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    pictures = Pictures(rows, where)
    for number, row in enumerate(rows):
        place = f"{where}: row {number}"
        if not isinstance(row, Mapping):
            raise DataError(f"{place}: expected columns by name, got {type(row).__name__}")
        if "annotations" in row and "images" in row:
            return Rows(_one_row(row, place), Pictures())
        name, content, size = _picture(row, root, number, place)
        if content is not None:
            pictures.add(name, number, content)
        images.append({"id": number, "file_name": name, "width": size[0], "height": size[1]})
        for hand in _hands(row, place):
            annotations.append({"id": len(annotations), "image_id": number, **hand})
    return Rows({"images": images, "annotations": annotations}, pictures)


def _one_row(row: Mapping[str, Any], place: str) -> dict[str, Any]:
    """A COCO file that was loaded as JSON lines: one row of lists."""
    lists = {key: row[key] for key in ("images", "annotations")}
    if not all(isinstance(value, list) and all(isinstance(one, dict) for one in value) for value in lists.values()):
        raise DataError(f"{place}: images and annotations must be lists of objects, as a COCO JSON has them")
    return lists


def _picture(row: Mapping[str, Any], root: Path, number: int, place: str) -> tuple[str, bytes | None, tuple[int, int]]:
    """The picture's file, or a number and its encoded bytes, and its upright size."""
    value = _stored(row, place)
    if isinstance(value, bytes):
        return f"{number:08d}", value, _size(row, value, place)
    path = root / value
    if not path.is_file():
        raise DataError(f"{place}: no picture {path}; name the folder of the pictures by image_root")
    return str(path.absolute()), None, _size(row, path, place)


def _stored(row: Mapping[str, Any], place: str) -> str | Path | bytes:
    """A row's picture: the path of its file, or encoded."""
    key = next((key for key in _PICTURES if row.get(key) is not None), None)
    if key is None:
        raise DataError(f"{place}: has no picture; it needs the column image (or {', '.join(_PICTURES[1:])})")
    value = row[key]
    if isinstance(value, Mapping):
        path, content = value.get("path"), value.get("bytes")
        value = content if content is not None else path
    return value if isinstance(value, (str, Path, bytes)) else _encoded(value, place)


def _size(row: Mapping[str, Any], source: Path | bytes, place: str) -> tuple[int, int]:
    """The upright width and height: the row's own, else those at the head of the file."""
    if isinstance(row.get("width"), int) and isinstance(row.get("height"), int):
        return row["width"], row["height"]
    try:
        with Image.open(source if isinstance(source, Path) else io.BytesIO(source)) as image:
            turned = image.getexif().get(ExifTags.Base.Orientation, 1) in (5, 6, 7, 8)
            return (image.height, image.width) if turned else (image.width, image.height)
    except (OSError, SyntaxError, ValueError) as error:
        raise ImageError(f"{place}: its picture cannot be read: {error}") from None


def _encoded(value: Any, place: str) -> bytes:
    """A PIL image, turned upright, or an RGB array of numbers up to 255, or of floats up to 1, as PNG."""
    try:
        picture = value if isinstance(value, Image.Image) else np.asarray(value)
        if isinstance(picture, np.ndarray) and picture.dtype.kind == "i" and picture.size:  # as lists of numbers are
            picture = picture.astype(np.uint8) if picture.min() >= 0 and picture.max() <= 255 else picture
        image = Image.fromarray(read_image(picture, "rgb", place))
    except (TypeError, ValueError) as error:
        reason = str(error).removeprefix(f"{place}: ")
        raise DataError(f"{place}: its picture is neither path, bytes, PIL image nor RGB array: {reason}") from None
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def _hands(row: Mapping[str, Any], place: str) -> list[dict[str, Any]]:
    """The hands of one row; records of one hand become a list of one."""
    if row.get("keypoints") is None:
        raise DataError(f"{place}: has no keypoints, 21 joints of x, y, v; columns: {', '.join(map(str, row))}")
    try:
        joints = np.asarray(row["keypoints"], np.float64)
        hands = joints.reshape(-1, 21, 3)
    except (TypeError, ValueError):
        raise DataError(f"{place}: keypoints must be 21 joints of x, y, v per hand") from None
    boxes = row.get("bbox") if row.get("bbox") is not None else row.get("boxes")
    sides = row.get("hand_side")
    sides = list(sides) if isinstance(sides, (list, tuple)) else [sides] * len(hands)
    try:
        listed = [None] * len(hands) if boxes is None else np.asarray(boxes, np.float64).reshape(-1, 4).tolist()
    except (TypeError, ValueError):
        raise DataError(f"{place}: bbox must be x, y, width, height per hand") from None
    if not len(hands) == len(listed) == len(sides):
        raise DataError(f"{place}: {len(hands)} hands, but {len(listed)} boxes and {len(sides)} sides")
    return [
        {"keypoints": hand.reshape(-1).tolist(), "bbox": box, "hand_side": side}
        for hand, box, side in zip(hands, listed, sides, strict=True)
    ]
