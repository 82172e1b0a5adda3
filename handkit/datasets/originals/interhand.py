"""InterHand2.6M as its authors publish it: Moon et al., ECCV 2020.

Three files belong together: ``*_data.json`` (COCO-like images with `capture`, `camera` and `frame_idx`, and one
annotation each with `joint_valid`, `hand_type` and `bbox`), ``*_camera.json`` (per capture and camera `campos` in mm,
`camrot`, `focal` and `princpt`) and ``*_joint_3d.json`` (per capture and frame `world_coord`, 42 x 3 mm). Joints 0 to
20 are the right hand's, 21 to 41 the left one's: each finger from tip to base, then the wrist.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from handkit.datasets.columns import HandColumns
from handkit.datasets.originals.arrays import columns, load_json, numbers, project, stacked
from handkit.errors import DataError
from handkit.skeleton import HAND, from_order

Array = NDArray[Any]
_DATA = "_data.json"
_HANDS = {"right": (True, False), "left": (False, True), "interacting": (True, True)}
_CAMERA = {"campos": (3,), "camrot": (3, 3), "focal": (2,), "princpt": (2,)}


class _Records(NamedTuple):
    """The annotations with their images and what belongs to them, in the file's order."""

    images: list[Mapping[str, Any]]
    annotations: list[Mapping[str, Any]]
    places: list[str]


def files(path: Path) -> tuple[Path, ...]:
    """``*_data.json`` with the ``*_camera.json`` and ``*_joint_3d.json`` beside it.

    Raises:
        DataError: `path` has another name.
    """
    if not path.name.endswith(_DATA):
        raise DataError(f"{path}: InterHand2.6M's annotations are called *{_DATA}, beside *_camera.json")
    stem = path.name.removesuffix(_DATA)
    return path, path.with_name(f"{stem}_camera.json"), path.with_name(f"{stem}_joint_3d.json")


def read(path: Path, data: bytes, camera_data: bytes, joint_data: bytes) -> HandColumns:
    """The columns: the hands that `hand_type` names or that have a valid joint, the right one first.

    Joints come from the world through the camera; one that is not valid has neither pixels nor `xyz_cam`. A `bbox` is
    of one hand only where one hand is shown.

    Raises:
        DataError: a file or one of its records has another form, or they do not belong together; the message names it.
    """
    _, camera_path, joint_path = files(path)
    records = _records(load_json(data, path, dict), path)
    cameras = _cameras(records, load_json(camera_data, camera_path, dict), camera_path)
    world = _world(records, load_json(joint_data, joint_path, dict), joint_path)
    valid = _column(records, "joint_valid", (2 * len(HAND), 1))[..., 0] > 0
    xyz = (world - cameras["campos"][:, None]) @ np.swapaxes(cameras["camrot"], -1, -2) / 1000
    camera = _intrinsics(cameras)
    points = project(xyz, camera)
    valid &= ~np.isnan(points).any(-1)
    named = np.array([_HANDS[_hand_type(*pair)] for pair in zip(records.annotations, records.places, strict=True)])
    boxes = _column(records, "bbox", (4,))
    boxes[:, 2:] += boxes[:, :2]
    boxes[named.reshape(-1, 2).all(-1)] = np.nan

    labels = _by_hand(valid[..., None])[..., 0]
    shown = np.flatnonzero(named.reshape(-1) | labels.any(-1))
    owners = shown // 2
    return columns(
        file_names=[str(image["file_name"]) for image in records.images],
        image_ids=[json.dumps(image["id"]) for image in records.images],
        image_sizes=_sizes(records),
        owners=owners,
        hand_names=[_name(records.annotations[row // 2], row) for row in shown.tolist()],
        points=np.where(labels[..., None], _by_hand(points), np.nan)[shown],
        labels=2 * labels[shown],
        sides=1 - shown % 2,
        xyz_cam=np.where(labels[..., None], _by_hand(xyz), np.nan)[shown],
        camera=camera,
        annotated=boxes[owners],
    )


def _records(document: Mapping[str, Any], path: Path) -> _Records:
    for key in ("images", "annotations"):
        if not isinstance(document.get(key), list) or not all(isinstance(row, dict) for row in document[key]):
            raise DataError(f"{path}: needs a list of objects {key!r}")
    by_id = {json.dumps(image.get("id")): image for image in document["images"]}
    found = _Records([], [], [])
    for annotation in document["annotations"]:
        key = json.dumps(annotation.get("image_id"))
        place = f"{path}: image {key}"
        if key not in by_id:
            raise DataError(f"{place} of annotation {annotation.get('id')!r} is not in the list of images")
        image = by_id[key]
        for field in ("file_name", "width", "height", "capture", "camera", "frame_idx"):
            if field not in image:
                raise DataError(f"{place} needs the field {field!r}")
        found.images.append(image)
        found.annotations.append(annotation)
        found.places.append(place)
    if len({json.dumps(image["id"]) for image in found.images}) != len(found.images):
        raise DataError(f"{path}: an image has two annotations; InterHand2.6M has one for both hands")
    return found


def _cameras(records: _Records, document: Mapping[str, Any], path: Path) -> dict[str, Array]:
    """Per annotation what its camera is, by field."""
    known: dict[tuple[str, str], dict[str, Array]] = {}
    for image in records.images:
        key = str(image["capture"]), str(image["camera"])
        if key not in known:
            known[key] = {}
            for field, shape in _CAMERA.items():
                value = _entry(document, (key[0], field, key[1]), path)
                known[key][field] = numbers(value, shape, f"{path}: {field} of camera {key[1]} in capture {key[0]}")
    rows = [known[str(image["capture"]), str(image["camera"])] for image in records.images]
    return {field: np.array([row[field] for row in rows]).reshape(-1, *shape) for field, shape in _CAMERA.items()}


def _world(records: _Records, document: Mapping[str, Any], path: Path) -> Array:
    """(A, 42, 3) mm."""
    keys = [(str(image["capture"]), str(image["frame_idx"]), "world_coord") for image in records.images]
    places = [f"{path}: world_coord of frame {frame} in capture {capture}" for capture, frame, _ in keys]
    return stacked([_entry(document, key, path) for key in keys], (2 * len(HAND), 3), places)


def _entry(document: Any, keys: Sequence[str], path: Path) -> Any:
    for depth, key in enumerate(keys):
        if not isinstance(document, dict) or key not in document:
            above = " of ".join(map(repr, reversed(keys[:depth]))) or "the file"
            raise DataError(f"{path}: {above} has no entry {key!r}, which the annotations name")
        document = document[key]
    return document


def _column(records: _Records, field: str, shape: tuple[int, ...]) -> Array:
    """(A, *shape) of a field of the annotations."""
    for annotation, place in zip(records.annotations, records.places, strict=True):
        if field not in annotation:
            raise DataError(f"{place}: the annotation needs the field {field!r}")
    places = [f"{place}: {field}" for place in records.places]
    return stacked([annotation[field] for annotation in records.annotations], shape, places)


def _hand_type(annotation: Mapping[str, Any], place: str) -> str:
    kind = annotation.get("hand_type")
    if not isinstance(kind, str) or kind not in _HANDS:
        raise DataError(f"{place}: hand_type must be 'right', 'left' or 'interacting', not {kind!r}")
    return kind


def _sizes(records: _Records) -> Array:
    sizes = [(image["width"], image["height"]) for image in records.images]
    made = stacked(sizes, (2,), [f"{place}: width and height" for place in records.places])
    if (small := (made < 1).any(-1)).any():
        raise DataError(f"{records.places[int(small.argmax())]}: width and height must be positive")
    return made


def _intrinsics(cameras: Mapping[str, Array]) -> Array:
    """(A, 3, 3)."""
    made = np.zeros((len(cameras["focal"]), 3, 3))
    made[:, (0, 1), (0, 1)] = cameras["focal"]
    made[:, :2, 2] = cameras["princpt"]
    made[:, 2, 2] = 1
    return made


def _by_hand(values: Array) -> Array:
    """(A, 42, D) -> (2 A, 21, D) in handkit's order, right hands in even rows."""
    return from_order(values.reshape(-1, len(HAND), values.shape[-1]), "interhand")


def _name(annotation: Mapping[str, Any], row: int) -> str:
    return f"annotation {annotation.get('id')!r}, {('right', 'left')[row % 2]} hand"
