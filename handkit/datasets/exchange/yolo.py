"""YOLO-pose as Ultralytics trains it: a folder with ``data.yaml``, pictures and a text file of labels for each.

A line is the class, the box (centre and size) and 21 times x, y, v, in shares of the picture's sides, counted from its
edge. Sides are classes. `flip_idx` is the identity: mirroring a hand leaves its joints' order alone.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from handkit.datasets.exchange.labelled import (
    LabelledHand,
    LabelledImage,
    Labels,
    Lost,
    boxed_hands,
    check_joints,
    joint_order,
)
from handkit.errors import DataError, ImageError
from handkit.images import picture_files, picture_size
from handkit.skeleton import HAND, from_order

Array = NDArray[Any]
_CLASSES = {None: "hand", "left": "left_hand", "right": "right_hand"}
_EDGE = 0.5
_COLUMNS = 5 + 3 * len(HAND)


def write_yolo(labels: Labels, folder: Path, pictures: Path) -> list[str]:
    """Writes the folder, with copies of the pictures.

    Args:
        labels: what is written.
        folder: made anew; it must not exist.
        pictures: the folder that the images' names are relative to.

    Returns:
        What the format cannot hold.

    Raises:
        DataError: the folder exists, a picture is missing, or two have names that differ in their ending alone.
    """
    if folder.exists():
        raise DataError(f"{folder}: exists; name a new folder, or remove it")
    _check_names(labels, pictures)
    sides = [side for side in _CLASSES if side in {hand.side for hand in labels.hands}] or [None]
    lost = Lost()
    lost.extras(labels)
    for image in labels.images:
        lost.add("boxes that people drew apart from the hands'", len(image.drawn))
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as beside:
        made = Path(beside) / folder.name
        for image in labels.images:
            lost.add("crowd regions, which are left out", sum(hand.crowd for hand in image.hands))
            hands = [hand for hand in boxed_hands(image, lost) if not hand.crowd]
            lines = [_line(hand, image.size, sides, lost) for hand in hands]
            text = made / "labels" / PurePosixPath(image.name).with_suffix(".txt")
            copy = made / "images" / image.name
            for file in (text, copy):
                file.parent.mkdir(parents=True, exist_ok=True)
            text.write_text("".join(lines), encoding="utf-8")
            shutil.copyfile(pictures / image.name, copy)
        (made / "data.yaml").write_text(_describe(sides), encoding="utf-8")
        made.replace(folder)
    if len(sides) > 1 or sides != [None]:
        lost.add("sides are classes: train with fliplr=0, since YOLO does not swap classes in mirrored pictures")
    return lost.lines()


def _check_names(labels: Labels, pictures: Path) -> None:
    stems: dict[PurePosixPath, str] = {}
    for image in labels.images:
        name = PurePosixPath(image.name)
        if name.is_absolute() or ".." in name.parts:
            raise DataError(f"image {image.name!r} is not below {pictures}")
        if not (pictures / image.name).is_file():
            raise DataError(f"{pictures / image.name}: no such picture, and YOLO needs them; name their --image-root")
        if (other := stems.setdefault(name.with_suffix(""), image.name)) != image.name:
            raise DataError(f"{other} and {image.name} would share a file of labels; rename one picture")


def _describe(sides: list[str | None]) -> str:
    document = {
        "path": ".",
        "train": "images",
        "val": "images",
        "kpt_shape": [len(HAND), 3],
        "flip_idx": list(range(len(HAND))),
        "names": {place: _CLASSES[side] for place, side in enumerate(sides)},
        "kpt_names": {place: list(HAND.joints) for place in range(len(sides))},
    }
    head = "# Written by handkit; val is the training part: put your own there.\n"
    text: str = yaml.safe_dump(document, sort_keys=False, default_flow_style=None, width=1000)
    return head + text


def _line(hand: LabelledHand, size: tuple[int, int], sides: list[str | None], lost: Lost) -> str:
    lost.add("hands without a box (theirs is the joints' box x 1.15)", int(hand.box is None))
    outside = ((hand.joints[:, :2] < -_EDGE) | (hand.joints[:, :2] > np.array(size) - _EDGE)).any(-1)
    joints = hand.joints.copy()
    unfit = (outside & (joints[:, 2] > 0)) | ((joints[:, 2] == 0) & joints[:, :2].any(-1))
    lost.add("joints outside the picture or without a label, whose places are left out", int(unfit.sum()))
    joints[outside, 2] = 0
    box = np.clip(hand.some_box(size), -_EDGE, np.array([*size, *size]) - _EDGE) + _EDGE
    scale = np.array(size, np.float64)
    center, sides_of = (box[:2] + box[2:]) / 2 / scale, (box[2:] - box[:2]) / scale
    places = np.where(joints[:, 2:] > 0, (joints[:, :2] + _EDGE) / scale, 0)
    numbers = [f"{value:.6f}" for value in (*center, *sides_of)]
    for (x, y), v in zip(places.tolist(), joints[:, 2].astype(int).tolist(), strict=True):
        numbers += [f"{x:.6f}", f"{y:.6f}", str(v)]
    return f"{sides.index(hand.side)} {' '.join(numbers)}\n"


def read_yolo(path: Path, order: str | None) -> Labels:
    """Reads ``data.yaml`` and the labels of all pictures below the folder's ``images``.

    Args:
        path: the ``data.yaml`` or its folder.
        order: of `handkit.skeleton.ORDERS`, where the file names no joints (`kpt_names`); None: handkit's.

    Raises:
        DataError: another shape of joints, a foreign order, or a line that is no hand; the message names it.
    """
    path = path / "data.yaml" if path.is_dir() else path
    try:
        described = yaml.safe_load(path.read_bytes())
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from None
    except yaml.YAMLError as error:
        raise DataError(f"{path}: not a YAML file: {error}") from None
    shape = described.get("kpt_shape") if isinstance(described, dict) else None
    if not isinstance(shape, list) or len(shape) != 2 or shape[0] != len(HAND) or shape[1] not in (2, 3):
        raise DataError(f"{path}: kpt_shape must be [{len(HAND)}, 3] or [{len(HAND)}, 2], not {shape!r}")
    places, notes = _order(described, order, str(path))
    sides = _sides(described.get("names"), str(path))
    if described.get("flip_idx") not in (None, list(range(len(HAND)))):
        notes.append("its flip_idx swaps joints, which is wrong for one hand: mirroring leaves their order alone")
    images = []
    root = path.parent / "images"
    for picture in picture_files(root):
        name = picture.relative_to(root)
        images.append(_read_image(picture, name, path.parent / "labels" / name.with_suffix(".txt"), places, sides))
    return Labels(images, notes)


def _order(described: dict[str, Any], order: str | None, where: str) -> tuple[Array, list[str]]:
    named = described.get("kpt_names")
    if isinstance(named, dict) and named and order is None:
        orders = [joint_order(names, f"{where}: kpt_names") for names in named.values()]
        if any((one != orders[0]).any() for one in orders):
            raise DataError(f"{where}: its kpt_names give classes different orders of joints; give them one")
        moved = int((orders[0] != np.arange(len(HAND))).sum())
        return orders[0], [f"{moved} joints stood in another order and were mapped by their names"] if moved else []
    plain = np.arange(len(HAND))
    if order is not None:
        return from_order(plain[:, None], order)[:, 0], [f"joints are taken to be in the order of {order}"]
    return plain, ["the file names no joints: they are taken to be in handkit's order (`handkit data check` looks)"]


def _sides(names: Any, where: str) -> dict[int, str | None]:
    """The side that each class means, by its name."""
    rows = dict(enumerate(names)) if isinstance(names, list) else names
    if not isinstance(rows, dict) or not rows:
        raise DataError(f"{where}: needs the names of its classes, e.g. names: {{0: hand}}")
    try:
        classes = {int(number): str(name).lower() for number, name in rows.items()}
    except (TypeError, ValueError):
        raise DataError(f"{where}: names: a class is a number, not one of {list(rows)}") from None
    return {
        number: next((side for side in ("left", "right") if side in name), None) for number, name in classes.items()
    }


def _read_image(picture: Path, name: Path, text: Path, places: Array, sides: dict[int, str | None]) -> LabelledImage:
    try:
        image = LabelledImage(name.as_posix(), picture_size(picture))
    except ImageError as error:
        raise DataError(str(error)) from None
    try:
        lines = text.read_text("utf-8").splitlines() if text.is_file() else []
    except UnicodeDecodeError:
        raise DataError(f"{text}: is no text") from None
    for number, line in enumerate(lines, 1):
        if line.strip():
            image.hands.append(_read_line(line, image.size, places, sides, f"{text}: line {number}"))
    return image


def _read_line(
    line: str, size: tuple[int, int], places: Array, sides: dict[int, str | None], where: str
) -> LabelledHand:
    try:
        values = np.array(line.split(), np.float64)
    except ValueError:
        raise DataError(f"{where}: not numbers: {line[:60]!r}") from None
    width = 3 if len(values) == _COLUMNS else 2
    if len(values) != 5 + width * len(HAND) or values[0] not in sides:
        raise DataError(f"{where}: needs a class of {sorted(sides)} and {_COLUMNS - 1} numbers, has {len(values) - 1}")
    rows = values[5:].reshape(len(HAND), width)[places]
    scale = np.array(size, np.float64)
    v = rows[:, 2] if width == 3 else np.where(rows.any(-1), 2.0, 0.0)
    joints = np.concatenate([np.where(v[:, None] > 0, rows[:, :2] * scale - _EDGE, 0), v[:, None]], -1)
    center, half = values[1:3] * scale - _EDGE, values[3:5] * scale / 2
    box = np.concatenate([center - half, center + half])
    return LabelledHand(check_joints(joints, where), box, sides[int(values[0])])
