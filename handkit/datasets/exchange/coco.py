"""COCO keypoint JSON: the format that handkit's readers take, and the only one that holds everything."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from handkit.datasets.columns import MAX_SIDE, Document, load_document
from handkit.datasets.exchange.labelled import LabelledHand, LabelledImage, Labels, check_joints, joint_order
from handkit.datasets.layouts import LAYOUTS
from handkit.datasets.records import Layout, RawHand
from handkit.errors import DataError
from handkit.files import write_json
from handkit.skeleton import HAND, from_order

Array = NDArray[Any]
#: Those of `handkit.datasets.layouts` that tools for annotating write; the others are converted data sets.
_LAYOUTS: dict[str, Layout] = {
    name: layout
    for name, layout in LAYOUTS.items()
    if isinstance(layout, Layout) and name in ("coco", "handphotos", "coco_wholebody")
}
_IMAGE_FIELDS = ("id", "file_name", "width", "height", "source", "human_boxes")
#: Of an annotation; what follows from the others is made anew.
_HAND_FIELDS = ("id", "image_id", "category_id", "keypoints", "bbox", "iscrowd", "hand_side", "num_keypoints", "area")


def read_coco(path: Path, order: str | None) -> Labels:
    """Reads a COCO keypoint JSON in one of the layouts coco, handphotos and coco_wholebody.

    The joints are brought from the order that the file's `categories` name, or else from `order`.

    Args:
        path: the JSON.
        order: of `handkit.skeleton.ORDERS`, where the file names no joints; None: handkit's.

    Raises:
        DataError: the file breaks its documented form; the message names the record.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from None
    document = load_document(data, str(path))
    whole: dict[str, Any] = json.loads(data)
    name = _layout(document.layout, document.annotations, path)
    layout = _LAYOUTS[name]
    places, notes = _order(whole, order, str(path))
    extra = {key: value for key, value in whole.items() if key not in ("images", "annotations", "categories")}
    info = extra.get("info")
    if isinstance(info, dict) and set(info) <= {"handkit_layout"}:
        del extra["info"]
    labels = Labels([], notes, extra)
    by_id: dict[Any, LabelledImage] = {}
    records: dict[Any, Any] = {}
    shift = layout.shift
    _check_ids(document, path)
    for row in document.images:
        by_id[row.get("id")] = image = _image(row, shift, f"{path}: image {row.get('id')!r}")
        labels.images.append(image)
        records[row.get("id")] = row
    if len(by_id) != len(labels.images):
        raise DataError(f"{path}: two images have the same id")
    persons = name == "coco_wholebody"
    for row in document.annotations:
        if row.get("image_id") not in by_id:
            raise DataError(f"{path}: annotation {row.get('id')!r} is of no image: image_id {row.get('image_id')!r}")
        extra = {} if persons else {key: value for key, value in row.items() if key not in _HAND_FIELDS}
        for raw in layout.hands(row, records[row["image_id"]], str(path)):
            hand = _hand(raw, shift, layout.fractions, places, f"{path}: {raw.name}")
            hand.extra = extra
            by_id[row["image_id"]].hands.append(hand)
    if shift:
        notes.append(f"{shift} is subtracted from joints and boxes, not from fields that handkit does not know")
    if persons:
        notes.append("of the people only the hands are read; joints whose v is a fraction are hidden (v 1)")
    return labels


def _check_ids(document: Document, path: Path) -> None:
    ids = [row.get("id") for row in document.images] + [row.get("image_id") for row in document.annotations]
    if wrong := [one for one in ids if isinstance(one, (list, dict))]:
        raise DataError(f"{path}: the id of an image must be a number or a string, not {wrong[0]!r}")


def _layout(stated: Any, annotations: Any, path: Path) -> str:
    if stated is not None:
        if not isinstance(stated, str) or stated not in _LAYOUTS:
            raise DataError(f"{path}: info.handkit_layout is {stated!r}; known: {', '.join(_LAYOUTS)}")
        return stated
    if any("lefthand_kpts" in row for row in annotations):
        return "coco_wholebody"
    return "handphotos" if any("flip_disagreement" in row for row in annotations) else "coco"


def _order(document: dict[str, Any], order: str | None, where: str) -> tuple[Array, list[str]]:
    """The places of handkit's joints in the file, and what is to be said about it."""
    categories = document.get("categories")
    rows = [row for row in categories if isinstance(row, dict)] if isinstance(categories, list) else []
    names = [row.get("keypoints") for row in rows]
    named = [one for one in names if isinstance(one, list) and len(one) == len(HAND)]
    plain = np.arange(len(HAND))
    if any(one != named[0] for one in named):
        raise DataError(f"{where}: its categories name the joints in different orders; give them one")
    if named and order is None:
        places = joint_order(named[0], f"{where}: categories")
        moved = int((places != plain).sum())
        return places, [f"{moved} joints stood in another order and were mapped by their names"] if moved else []
    if order is not None:
        return from_order(plain[:, None], order)[:, 0], [f"joints are taken to be in the order of {order}"]
    return plain, ["the file names no joints: they are taken to be in handkit's order (`handkit data check` looks)"]


def _image(row: Any, shift: float, where: str) -> LabelledImage:
    try:
        size = (int(row["width"]), int(row["height"]))
        if not 0 < min(size) <= max(size) <= MAX_SIDE:
            raise ValueError(size)
        drawn = np.array([_xyxy(box) for box in row.get("human_boxes") or ()], np.float64).reshape(-1, 4) - shift
        name = str(row["file_name"])
    except (KeyError, TypeError, ValueError, OverflowError):
        raise DataError(f"{where}: needs file_name, positive width and height, and boxes of 4 numbers") from None
    extra = {key: value for key, value in row.items() if key not in _IMAGE_FIELDS}
    return LabelledImage(name, size, source=str(row.get("source") or ""), drawn=drawn, extra=extra)


def _hand(raw: RawHand, shift: float, fractions: bool, places: Array, where: str) -> LabelledHand:
    try:
        joints = np.array(raw.keypoints, np.float64).reshape(-1, 3)
        box = None if raw.box is None else np.array(_xyxy(raw.box), np.float64) - shift
    except (TypeError, ValueError):
        raise DataError(f"{where}: needs keypoints of x, y, v and, if any, a bbox of 4 numbers") from None
    if fractions and joints.shape == (len(HAND), 3):
        v = joints[:, 2]
        joints[:, 2] = np.where((v > 0) & (v < 2), 1, v)
    joints = check_joints(joints, where)[places]
    joints[joints[:, 2] > 0, :2] -= shift
    if raw.side not in ("left", "right", None):
        raise DataError(f"{where}: hand_side must be 'left', 'right' or absent, not {raw.side!r}")
    return LabelledHand(joints, box, raw.side, raw.crowd)


def _xyxy(box: Any) -> tuple[float, float, float, float]:
    x, y, width, height = map(float, box)
    return x, y, x + width, y + height


def write_coco(labels: Labels, path: Path) -> list[str]:
    """Writes handkit's own layout ``coco``; nothing is lost.

    Returns:
        Nothing, the list of what the format cannot hold.
    """
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for number, image in enumerate(labels.images, 1):
        row: dict[str, Any] = {"id": number, "file_name": image.name, "width": image.size[0], "height": image.size[1]}
        if image.source:
            row["source"] = image.source
        if len(image.drawn):
            row["human_boxes"] = [_xywh(box) for box in image.drawn]
        images.append({**image.extra, **row})
        for hand in image.hands:
            annotations.append(_annotation(hand, len(annotations) + 1, number))
    info = labels.extra.get("info")
    bones = [[parent + 1, child + 1] for parent, child in HAND.edges]
    document = {
        **labels.extra,
        "info": {**(info if isinstance(info, dict) else {}), "handkit_layout": "coco"},
        "categories": [{"id": 1, "name": HAND.name, "keypoints": list(HAND.joints), "skeleton": bones}],
        "images": images,
        "annotations": annotations,
    }
    write_json(path, document)
    return []


def _annotation(hand: LabelledHand, number: int, image: int) -> dict[str, Any]:
    keypoints = [value for x, y, v in hand.joints.tolist() for value in (round(x, 4), round(y, 4), int(v))]
    row: dict[str, Any] = {"id": number, "image_id": image, "category_id": 1, "keypoints": keypoints}
    row |= {"num_keypoints": int((hand.joints[:, 2] > 0).sum()), "iscrowd": int(hand.crowd)}
    if hand.box is not None:
        row["bbox"] = _xywh(hand.box)
        row["area"] = round(row["bbox"][2] * row["bbox"][3], 4)
    if hand.side is not None:
        row["hand_side"] = hand.side
    return {**hand.extra, **row}


def _xywh(box: Array) -> list[float]:
    x1, y1, x2, y2 = box.tolist()
    return [round(value, 4) for value in (x1, y1, x2 - x1, y2 - y1)]
