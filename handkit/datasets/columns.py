"""COCO keypoint JSON of hands -> columns: one pass over the document, every record checked."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from handkit.datasets.records import Layout, RawHand, Row
from handkit.errors import DataError
from handkit.geometry import HAND_BOX_FACTOR, clip_boxes, grow_boxes
from handkit.skeleton import HAND, from_order

Array = NDArray[Any]
#: The most pixels that a side of an image can have.
MAX_SIDE = 2**31 - 1
_SIDES = {None: -1, "left": 0, "right": 1}


@dataclass(frozen=True, eq=False)
class HandColumns:
    """I images and their N hands, image by image. Coordinates have integers at pixel centres; boxes are xyxy.

    Args:
        file_names: (I,) UTF-8 bytes, relative to the folder of the pictures.
        image_ids: (I,) bytes, the ids as JSON.
        image_sizes: (I, 2) int32 (width, height).
        sources: (I,) UTF-8 bytes, where the image was collected; empty if the file does not say.
        first_hands: (I + 1,) int64: the hands of image i are the rows from first_hands[i] to before first_hands[i + 1].
        human_boxes: (M, 4) float32 hand boxes that people drew, independent of the joints and in no fixed order.
        first_human_boxes: (I + 1,) int64, likewise of `human_boxes`.
        hand_names: (N,) UTF-8 bytes, how messages call the hand.
        keypoints: (N, 21, 2) float32.
        visible: (N, 21) uint8: 0 not labelled or outside the frame, 1 labelled but hidden, 2 visible.
        joint_boxes: (N, 4) float32 tight around every labelled joint, those outside the frame too; the file's box, or
            zeros without one, where fewer than two joints are labelled.
        boxes: (N, 4) float32 handkit's hand box: `joint_boxes` x 1.15, clipped to the frame.
        annotated_boxes: (N, 4) float32 the file's own box, clipped to the frame; NaN where it has none.
        sides: (N,) int8: 1 right, 0 left, -1 unknown.
        disagreement: (N,) float64 by which the labels are judged, in shares of the hand; NaN where the file has none.
        crowd: (N,) bool.
        xyz_cam: (N, 21, 3) float32 metres in the camera's frame, NaN where a joint has none; (0, 21, 3) in files of 2D.
        camera: (I, 3, 3) float64 intrinsics of the images; (0, 3, 3) in files of 2D.
    """

    file_names: Array
    image_ids: Array
    image_sizes: Array
    sources: Array
    first_hands: Array
    human_boxes: Array
    first_human_boxes: Array
    hand_names: Array
    keypoints: Array
    visible: Array
    joint_boxes: Array
    boxes: Array
    annotated_boxes: Array
    sides: Array
    disagreement: Array
    crowd: Array
    xyz_cam: Array
    camera: Array


class Document(NamedTuple):
    """A COCO JSON, its records unchecked.

    Args:
        images: records of images.
        annotations: records of hands, or of people.
        layout: the layout that the file itself states as ``info.handkit_layout``; None if it states none.
    """

    images: Sequence[Row]
    annotations: Sequence[Row]
    layout: Any = None


def load_document(data: bytes, where: str) -> Document:
    """What a COCO JSON holds; extra keys are dropped.

    Raises:
        DataError: no JSON, or not an object with the lists of objects `images` and `annotations`.
    """
    if not data.strip():
        raise DataError(f"{where}: not a JSON file: it is empty")
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{where}: not a JSON file: {error}") from None
    for key in ("images", "annotations"):
        rows = document.get(key) if isinstance(document, dict) else None
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise DataError(f"{where}: COCO keypoint JSON is an object with a list of objects {key!r}")
    info = document.get("info")
    stated = info.get("handkit_layout") if isinstance(info, dict) else None
    return Document(document["images"], document["annotations"], stated)


def parse(document: Document, layout: Layout, where: str) -> HandColumns:
    """Reads every image and hand, images in the file's order, images without hands included.

    Args:
        document: from `load_document`.
        layout: how.
        where: the file's name, for messages.

    Raises:
        DataError: a record breaks its documented form; the message names it.
    """
    images, groups = _by_image(document, where)
    if unknown := groups.keys() - images.keys():
        raise DataError(f"{where}: {len(unknown)} image_id of annotations name no image, e.g. {next(iter(unknown))!r}")
    hands: list[RawHand] = []
    first = [0]
    for key in images:
        place = f"{where}: image {key!r}"
        hands.extend(hand for row in groups.get(key, ()) for hand in layout.hands(row, images[key], place))
        first.append(len(hands))
    owners = np.repeat(np.arange(len(images)), np.diff(first))
    keys = list(images)
    places = [f"{where}: image {keys[owner]!r}, {hand.name}" for owner, hand in zip(owners, hands, strict=True)]
    columns = _image_columns(images, layout.shift, where)
    return HandColumns(
        **columns,
        first_hands=np.array(first, np.int64),
        hand_names=text_column([hand.name for hand in hands]),
        **_hand_columns(hands, places, columns["image_sizes"][owners], layout),
        **_space_columns(hands, places, images, layout, where),
    )


def _by_image(document: Document, where: str) -> tuple[dict[Any, Row], dict[Any, list[Row]]]:
    """Images by id, and annotations by the id of their image."""
    groups: dict[Any, list[Row]] = defaultdict(list)
    try:
        images = {row.get("id"): row for row in document.images}
        for row in document.annotations:
            groups[row.get("image_id")].append(row)
    except TypeError:
        raise DataError(f"{where}: the id of an image must be a number or a string") from None
    if len(images) != len(document.images) or None in images:
        raise DataError(f"{where}: two images have the same id, or one has none")
    return images, groups


def _image_columns(images: Mapping[Any, Row], shift: float, where: str) -> dict[str, Array]:
    names, sizes, boxes, first = [], [], [], [0]
    for key, row in images.items():
        place = f"{where}: image {key!r}"
        try:
            names.append(str(row["file_name"]))
            sizes.append((int(row["width"]), int(row["height"])))
        except (KeyError, TypeError, ValueError, OverflowError):
            raise DataError(f"{place}: needs file_name and whole numbers width and height") from None
        if not 0 < min(sizes[-1]) <= max(sizes[-1]) <= MAX_SIDE:
            raise DataError(f"{place}: width and height must be positive, not {sizes[-1]}, and at most {MAX_SIDE}")
        drawn = row.get("human_boxes") or ()
        if not isinstance(drawn, (list, tuple)):
            raise DataError(f"{place}: human_boxes must be a list of boxes, not {drawn!r}")
        boxes += [_box(box, place) for box in drawn]
        first.append(len(boxes))
    return {
        "file_names": text_column(names),
        "image_ids": text_column([json.dumps(key) for key in images]),
        "image_sizes": np.array(sizes, np.int32).reshape(-1, 2),
        "sources": text_column([str(row.get("source") or "") for row in images.values()]),
        "human_boxes": (np.array(boxes, np.float64).reshape(-1, 4) - shift).astype(np.float32),
        "first_human_boxes": np.array(first, np.int64),
    }


def _hand_columns(hands: Sequence[RawHand], places: Sequence[str], sizes: Array, layout: Layout) -> dict[str, Array]:
    """The columns with one row per hand; `sizes` (N, 2) are those of their images."""
    joints = from_order(_joints(hands, places, layout.fractions), layout.order)
    v = joints[..., 2]
    labels = (v > 0) * np.maximum(v, 1) if layout.fractions else np.array(layout.visibility)[v.astype(np.intp)]
    boxes = np.array([_file_box(hand, place) for hand, place in zip(hands, places, strict=True)]).reshape(-1, 4)
    return {
        **hand_geometry(joints[..., :2] - layout.shift, labels, boxes - layout.shift, sizes),
        "sides": np.array([_side(hand.side, place) for hand, place in zip(hands, places, strict=True)], np.int8),
        "disagreement": np.array(
            [_disagreement(hand.disagreement, place) for hand, place in zip(hands, places, strict=True)], np.float64
        ),
        "crowd": np.array([hand.crowd for hand in hands], bool),
    }


def hand_geometry(points: Array, labels: Array, annotated: Array, sizes: Array) -> dict[str, Array]:
    """The columns of N hands that follow from their joints.

    Args:
        points: (N, 21, 2) in handkit's order, integers at pixel centres.
        labels: (N, 21) visibility, whether the joint lies in the frame or not.
        annotated: (N, 4) xyxy boxes of the file, NaN where it has none.
        sizes: (N, 2) width and height of their images.
    """
    labelled = labels > 0
    joint_boxes = _tight_boxes(points, labelled)
    flat = (joint_boxes[:, 2:] - joint_boxes[:, :2]).max(-1) <= 0
    joint_boxes[flat] = np.nan_to_num(annotated[flat])
    inside = ((points >= -0.5) & (points <= sizes[:, None] - 0.5)).all(-1)
    grown = np.where(flat[:, None], joint_boxes, grow_boxes(joint_boxes, HAND_BOX_FACTOR))
    return {
        "keypoints": points.astype(np.float32),
        "visible": np.where(inside, labels, 0).astype(np.uint8),
        "joint_boxes": joint_boxes.astype(np.float32),
        "boxes": clip_boxes(grown, sizes).astype(np.float32),
        "annotated_boxes": clip_boxes(annotated, sizes).astype(np.float32),
    }


def _space_columns(
    hands: Sequence[RawHand], places: Sequence[str], images: Mapping[Any, Row], layout: Layout, where: str
) -> dict[str, Array]:
    """`xyz_cam` and `camera`, without a row where the layout is 2D."""
    if layout.metres is None:
        return no_space()
    xyz = np.array([_xyz(hand, place) for hand, place in zip(hands, places, strict=True)]).reshape(-1, len(HAND), 3)
    camera = np.array([_camera(row, f"{where}: image {key!r}") for key, row in images.items()], np.float64)
    return {
        "xyz_cam": (from_order(xyz, layout.order) * layout.metres).astype(np.float32),
        "camera": camera.reshape(-1, 3, 3),
    }


def no_space() -> dict[str, Array]:
    """The columns `xyz_cam` and `camera` of a file of 2D."""
    return {"xyz_cam": np.zeros((0, len(HAND), 3), np.float32), "camera": np.zeros((0, 3, 3))}


def _xyz(hand: RawHand, place: str) -> Array:
    try:
        xyz = np.array(hand.xyz, np.float64).reshape(len(HAND), 3)
    except (TypeError, ValueError):
        xyz = np.full((1, 3), np.nan)
    if not np.isfinite(xyz).all():
        raise DataError(f"{place}: joint_cam must be {len(HAND)} joints of x, y, z, all finite")
    return xyz


def _camera(image: Row, place: str) -> Array:
    try:
        (fx, fy), (cx, cy) = image["cam_param"]["focal"], image["cam_param"]["princpt"]
        camera = np.array([(fx, 0, cx), (0, fy, cy), (0, 0, 1)], np.float64)
    except (KeyError, TypeError, ValueError):
        camera = np.full((3, 3), np.nan)
    if not np.isfinite(camera).all():
        raise DataError(f"{place}: needs cam_param with focal and princpt, two numbers each")
    return camera


def _joints(hands: Sequence[RawHand], places: Sequence[str], fractions: bool) -> Array:
    """(N, 21, 3) x, y, v in the file's coordinates."""
    shape = (len(hands), len(HAND), 3)
    try:
        joints = np.array([hand.keypoints for hand in hands], np.float64).reshape(shape)
    except (TypeError, ValueError):
        joints = np.array([_joints_of(hand, place) for hand, place in zip(hands, places, strict=True)])
    v = joints[..., 2]
    allowed = (v >= 0) & (v <= 2) if fractions else (v == 0) | (v == 1) | (v == 2)
    wrong = ~(np.isfinite(joints).all((1, 2)) & allowed.all(1))
    if wrong.any():
        values = "from 0 to 2" if fractions else "0, 1 or 2"
        raise DataError(f"{places[int(wrong.argmax())]}: keypoints must be finite and v must be {values}")
    return joints


def _joints_of(hand: RawHand, place: str) -> Array:
    count = len(HAND)
    try:
        return np.array(hand.keypoints, np.float64).reshape(count, 3)
    except (TypeError, ValueError):
        raise DataError(f"{place}: keypoints must be {count} joints of x, y, v ({3 * count} numbers)") from None


def _file_box(hand: RawHand, place: str) -> tuple[float, ...]:
    return (np.nan,) * 4 if hand.box is None else _box(hand.box, place)


def _box(box: Any, place: str) -> tuple[float, ...]:
    """A file's xywh -> xyxy."""
    try:
        x, y, width, height = map(float, box)
    except (TypeError, ValueError):
        x = y = width = height = np.nan
    if not (np.isfinite(x + y + width + height) and width >= 0 and height >= 0):
        raise DataError(
            f"{place}: a box must be x, y, width, height, finite and not negative in width and height, not {box!r}"
        )
    return (x, y, x + width, y + height)


def _side(side: Any, place: str) -> int:
    if side not in ("left", "right", None):
        raise DataError(f"{place}: hand_side must be 'left', 'right' or absent, not {side!r}")
    return _SIDES[side]


def _disagreement(value: Any, place: str) -> float:
    if value is None:
        return np.nan
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not value >= 0:
        raise DataError(f"{place}: flip_disagreement must be a number that is not negative, not {value!r}")
    return float(value)


def _tight_boxes(points: Array, labelled: Array) -> Array:
    """(N, K, 2) and (N, K) -> (N, 4) boxes of the labelled joints; inside out where there is none."""
    low = np.where(labelled[..., None], points, np.inf).min(-2)
    high = np.where(labelled[..., None], points, -np.inf).max(-2)
    return np.concatenate([low, high], -1)


def text_column(values: Sequence[str]) -> Array:
    """(N,) UTF-8 bytes."""
    return np.array([value.encode() for value in values], np.bytes_)
