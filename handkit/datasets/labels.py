"""Labelled hands of whole photographs, read from COCO keypoint JSON for evaluation.

Two layouts are known:

* ``coco``: what people annotate in; coordinates have integers at pixel centres, `file_name` is relative to the JSON's
  folder (or absolute).
* ``handphotos``: edge-to-edge coordinates (0.5 is subtracted), pictures below ``images/`` beside the JSON, per image
  optionally `human_boxes`, per hand `flip_disagreement`, by which its labels are judged.

In both, a hand has 21 joints in handkit's order as flat or nested (x, y, v), optionally `bbox` (xywh), `iscrowd`, and
`hand_side` ('left' or 'right', the person's own side in an un-mirrored photograph).
"""

from __future__ import annotations

import json
import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from handkit.errors import DataError
from handkit.geometry import HAND_BOX_FACTOR, box_area, clip_boxes, grow_boxes
from handkit.hands import Side
from handkit.skeleton import HAND

Array = NDArray[Any]
Layout = Literal["coco", "handphotos"]

#: Pseudo labels are good where those of the photo and of its mirror image differ by less than this share of the hand.
GOOD_DISAGREEMENT = 0.05

_EDGE_TO_EDGE: dict[str, float] = {"coco": 0.0, "handphotos": 0.5}


@dataclass(frozen=True, eq=False)
class HandLabels:
    """N labelled hands of one image. Coordinates are image pixels, integers at pixel centres; boxes are xyxy.

    Args:
        path: the image file.
        image_size: (width, height).
        keypoints: (N, 21, 2) in handkit's order.
        visible: (N, 21) 0 not labelled or outside the frame, 1 labelled but hidden, 2 visible.
        joint_boxes: (N, 4) tight around every labelled joint, those outside the frame too; the file's `bbox` where
            fewer than two joints are labelled.
        boxes: (N, 4) handkit's hand box: `joint_boxes` x 1.15, clipped to the frame.
        handedness: per hand the person's own side, or None where the file does not say.
        good: (N,) bool, False where the file itself gives reason to doubt the joints.
        ignored: (N,) bool: a crowd region or a hand without a joint in the frame. Who finds one makes no error, who
            misses one neither.
        human_boxes: (M, 4) hand boxes that people drew, independent of the joints and in no fixed order.
    """

    path: Path
    image_size: tuple[int, int]
    keypoints: Array
    visible: Array
    joint_boxes: Array
    boxes: Array
    handedness: tuple[Side | None, ...]
    good: Array
    ignored: Array
    human_boxes: Array

    def __len__(self) -> int:
        return len(self.boxes)

    @property
    def areas(self) -> Array:
        """(N,) square pixels of the tight joint boxes."""
        return box_area(self.joint_boxes)

    def measured(self, good_only: bool = False) -> Array:
        """(N,) bool: the hands that count: not ignored and, if asked for, only those with good labels."""
        rows: Array = ~self.ignored & (self.good | (not good_only))
        return rows

    def rotated(self, turns: int) -> HandLabels:
        """The labels of the picture turned clockwise by `turns` quarters: x, y become H - 1 - y, x at each."""
        if turns % 4 == 0:
            return self
        height = self.image_size[1]
        turned = replace(
            self,
            image_size=(height, self.image_size[0]),
            keypoints=_turn_points(self.keypoints, height),
            joint_boxes=_turn_boxes(self.joint_boxes, height),
            boxes=_turn_boxes(self.boxes, height),
            human_boxes=_turn_boxes(self.human_boxes, height),
        )
        return turned.rotated(turns % 4 - 1)


def read_hand_labels(
    path: str | os.PathLike[str], layout: Layout | None = None, image_root: str | os.PathLike[str] | None = None
) -> list[HandLabels]:
    """Reads a COCO keypoint JSON of hands, one record per image in the file's order, images without hands included.

    Args:
        path: the JSON file.
        layout: see the module's docstring; None takes ``handphotos`` if a hand has the field `flip_disagreement`.
        image_root: the folder that `file_name` is relative to; None takes the layout's own. It is not looked into.

    Raises:
        DataError: the file is missing or no JSON object, or a record breaks its documented form; the message names it.
    """
    path = Path(path)
    document = _load(path)
    if layout is None:
        layout = "handphotos" if any("flip_disagreement" in row for row in document["annotations"]) else "coco"
    if layout not in _EDGE_TO_EDGE:
        raise DataError(f"{path}: layout must be 'coco' or 'handphotos', not {layout!r}")
    if image_root is None:
        image_root = path.parent / "images" if layout == "handphotos" else path.parent
    hands: dict[Any, list[Mapping[str, Any]]] = defaultdict(list)
    for row in document["annotations"]:
        hands[row.get("image_id")].append(row)
    images = {row.get("id"): row for row in document["images"]}
    if len(images) != len(document["images"]):
        raise DataError(f"{path}: two images have the same id, or one has none")
    if unknown := hands.keys() - images.keys():
        raise DataError(f"{path}: {len(unknown)} image_id of annotations name no image, e.g. {next(iter(unknown))!r}")
    shift = _EDGE_TO_EDGE[layout]
    return [_labels(row, hands.get(key, []), Path(image_root), shift, str(path)) for key, row in images.items()]


def _load(path: Path) -> dict[str, list[dict[str, Any]]]:
    try:
        document = json.loads(path.read_bytes())
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from None
    except ValueError as error:
        raise DataError(f"{path}: not a JSON file: {error}") from None
    for key in ("images", "annotations"):
        rows = document.get(key) if isinstance(document, dict) else None
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise DataError(f"{path}: COCO keypoint JSON is an object with a list of objects {key!r}")
    return {key: document[key] for key in ("images", "annotations")}


def _labels(
    image: Mapping[str, Any], hands: Sequence[Mapping[str, Any]], root: Path, shift: float, where: str
) -> HandLabels:
    """One image's record; `shift` is subtracted from every coordinate."""
    where = f"{where}: image {image.get('id')!r}"
    try:
        name, size = str(image["file_name"]), (int(image["width"]), int(image["height"]))
    except (KeyError, TypeError, ValueError):
        raise DataError(f"{where}: needs file_name and whole numbers width and height") from None
    places = [f"{where}, annotation {hand.get('id')!r}" for hand in hands]
    joints = np.array([_joints(hand, place) for hand, place in zip(hands, places, strict=True)]).reshape(-1, 21, 3)
    points, labelled = joints[..., :2] - shift, joints[..., 2] > 0
    joint_boxes = _tight_boxes(points, labelled)
    no_extent = (joint_boxes[:, 2:] - joint_boxes[:, :2]).max(-1) <= 0
    for row in np.flatnonzero(no_extent).tolist():
        joint_boxes[row] = _xyxy([hands[row].get("bbox", (0, 0, 0, 0))], places[row])[0] - shift
    inside = ((points >= -0.5) & (points <= np.array(size) - 0.5)).all(-1)
    visible = np.where(inside, joints[..., 2], 0).astype(np.uint8)
    crowd = np.array([bool(hand.get("iscrowd")) for hand in hands], bool)
    return HandLabels(
        path=root / name,
        image_size=size,
        keypoints=points,
        visible=visible,
        joint_boxes=joint_boxes,
        boxes=clip_boxes(np.where(no_extent[:, None], joint_boxes, grow_boxes(joint_boxes, HAND_BOX_FACTOR)), size),
        handedness=tuple(_side(hand, place) for hand, place in zip(hands, places, strict=True)),
        good=np.array([(hand.get("flip_disagreement") or 0) < GOOD_DISAGREEMENT for hand in hands], bool),
        ignored=crowd | ~(visible > 0).any(-1),
        human_boxes=_xyxy(image.get("human_boxes", ()), where) - shift,
    )


def _joints(hand: Mapping[str, Any], where: str) -> Array:
    """(21, 3) x, y, v in the file's coordinates."""
    count = len(HAND)
    try:
        joints = np.array(hand["keypoints"], np.float64).reshape(count, 3)
    except (KeyError, TypeError, ValueError):
        raise DataError(f"{where}: keypoints must be {count} joints of x, y, v ({3 * count} numbers)") from None
    if not np.isfinite(joints).all() or not np.isin(joints[:, 2], (0, 1, 2)).all():
        raise DataError(f"{where}: keypoints must be finite and v must be 0, 1 or 2")
    return joints


def _side(hand: Mapping[str, Any], where: str) -> Side | None:
    side: Side | None = hand.get("hand_side")
    if side not in ("left", "right", None):
        raise DataError(f"{where}: hand_side must be 'left', 'right' or absent, not {side!r}")
    return side


def _xyxy(boxes: Any, where: str) -> Array:
    """(N, 4) xywh of a file -> xyxy float64."""
    try:
        array = np.array(boxes, np.float64).reshape(-1, 4)
    except (TypeError, ValueError):
        array = np.full((1, 4), np.nan)
    if not np.isfinite(array).all() or (array[:, 2:] < 0).any():
        raise DataError(f"{where}: a box must be x, y, width, height, finite and not negative in width and height")
    return np.concatenate([array[:, :2], array[:, :2] + array[:, 2:]], -1)


def _tight_boxes(points: Array, labelled: Array) -> Array:
    """(N, K, 2) and (N, K) -> (N, 4) boxes of the labelled joints; inside out where there is none."""
    low = np.where(labelled[..., None], points, np.inf).min(-2)
    high = np.where(labelled[..., None], points, -np.inf).max(-2)
    return np.concatenate([low, high], -1)


def _turn_points(points: Array, height: int) -> Array:
    return np.stack([height - 1 - points[..., 1], points[..., 0]], -1)


def _turn_boxes(boxes: Array, height: int) -> Array:
    return np.stack([height - 1 - boxes[:, 3], boxes[:, 0], height - 1 - boxes[:, 1], boxes[:, 2]], -1)
