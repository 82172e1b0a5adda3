"""Rendered pictures on disk: rendered once, in pieces that are whole or not there, read many times.

The folder holds

* ``generator.json``: what the pictures were made by; another generator may not add to them;
* ``FIRST-LAST/`` per shard, by the numbers of its pictures: ``images/NUMBER.jpg``, ``masks/NUMBER.png`` (which hand a
  pixel shows, counted from 1 in the order of the annotations; 255 other things before the background; 0 background) and
  ``hands.json``, COCO keypoint JSON with `xyz_cam` (63 numbers, metres) per hand and `camera` (9 numbers) per picture;
* of all whole shards ``hands.json``, the same with paths from this folder, ``xyz_cam.npy`` (hands, 21, 3) and
  ``camera.npy`` (hands, 3, 3), both float32;
* ``contact_sheet.png`` once everything is rendered.

A hand of which fewer than eight joints lie in the frame or fewer than five are seen, and in scenes one of which less
than a fifth is seen, is a crowd region (`iscrowd`), which readers leave out and `ImageBoxes` calls ignored. Equal
arguments give equal files, whatever the number of workers.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from handkit.datasets.originals.handsynth import CAMERA, XYZ
from handkit.datasets.synthetic.generated import Generated
from handkit.datasets.synthetic.handscenes import LEAST_SHARE
from handkit.datasets.synthetic.workers import each
from handkit.drawing.sheets import contact_sheet
from handkit.errors import DataError, HandkitError
from handkit.files import write_json, writing
from handkit.images import read_image

Array = NDArray[Any]

GENERATOR, HANDS, SHEET = "generator.json", "hands.json", "contact_sheet.png"
#: Another number: the same seed gives other pictures or labels than before.
VERSION = 2
_JPEG_QUALITY = 95
_LEAST_INSIDE, _LEAST_SEEN = 8, 5
_SHEET_PICTURES = 64


class Picture(NamedTuple):
    """A rendered picture, ready to be written.

    Args:
        jpeg: its bytes.
        mask: bytes of the PNG.
        camera: 9 numbers, the intrinsics row by row.
        hands: COCO annotations without ids.
    """

    jpeg: bytes
    mask: bytes
    camera: list[float]
    hands: list[dict[str, Any]]


class Progress(NamedTuple):
    """How far the rendering is.

    Args:
        pictures: on disk, in whole shards, and rendered of the next one.
        total: to be on disk in the end.
        rendered: by this run.
    """

    pictures: int
    total: int
    rendered: int


def write_shards(
    dataset: Generated,
    folder: Path,
    shard_size: int = 500,
    workers: int = 1,
    report: Callable[[Progress], None] = lambda progress: None,
) -> None:
    """Renders all items of a data set that are not in the folder yet; only one process may do so at a time.

    The labels of all shards together are written anew by every call. Of the same generator more pictures may be asked
    for than before; a last shard that ended before it was full is then rendered again.

    Args:
        dataset: the generator.
        folder: made if absent; shards of the same generator that are in it stay.
        shard_size: pictures per shard.
        workers: processes that render.
        report: told of the progress after every picture.

    Raises:
        DataError: the folder holds other things, or cannot be written; whole shards stay and the same call goes on. An
            endless data set is not in its first epoch.
        HubError: the files of the hand cannot be had.
        MissingExtraError: what renders the source is not installed.
    """
    if shard_size < 1 or workers < 1:
        raise DataError(f"shard_size and workers must be at least 1, not {shard_size} and {workers}")
    total = len(dataset)
    if not total:
        raise DataError("there is nothing to render: count is 0")
    if dataset.endless and dataset.epoch:
        raise DataError(f"shards hold an endless data set's first epoch: set_epoch(0), not {dataset.epoch}")
    with _naming_the_disk(folder):
        generator = _generator(dataset, shard_size)
        _refuse_others(folder, generator)
        shards = [range(first, min(first + shard_size, total)) for first in range(0, total, shard_size)]
        missing = [shard for shard in shards if not (folder / _name(shard)).is_dir()]
        done = total - sum(map(len, missing))
        rendered = 0
        if missing:
            # A missing mesh is told here, once, and not by every worker; the folder is still whose it was.
            dataset.scene(0)
        _claim(folder, generator)
        with each(_render, dataset, workers) as render:
            for shard in missing:
                with _new_folder(folder / _name(shard)) as part:
                    pictures = []
                    for number, picture in zip(shard, render(shard), strict=True):
                        _write_picture(part, number, picture)
                        pictures.append(picture._replace(jpeg=b"", mask=b""))
                        rendered += 1
                        report(Progress(done + rendered, total, rendered))
                    write_json(part / HANDS, _document(shard, pictures, dataset.image_size))
                _merge(folder, shards)
        if not missing:
            _merge(folder, shards)  # The labels of all shards may be damaged where every shard is whole.
        for cut in _found(folder) - {_name(shard) for shard in shards}:
            shutil.rmtree(folder / cut)  # The labels name the full one since it is there.
        if not (folder / SHEET).is_file():
            _write_sheet(folder, shards)


def _generator(dataset: Generated, shard_size: int) -> dict[str, Any]:
    return {"version": VERSION, "shard_size": shard_size, "jpeg_quality": _JPEG_QUALITY, **dataset.recipe()}


def _refuse_others(folder: Path, generator: dict[str, Any]) -> None:
    """Raises if the folder holds pictures of another generator, or more than it is to hold, or something else."""
    if (folder / GENERATOR).is_file():
        found = _read_json(folder / GENERATOR)
        keys = sorted({*found, *generator})
        wrong = [key for key in keys if found.get(key) != generator.get(key)]
        more = wrong == ["count"] and isinstance(found.get("count"), int) and found["count"] < generator["count"]
        if wrong and not more and _found(folder):
            differences = ", ".join(f"{key} {found.get(key)!r} there, {generator.get(key)!r} here" for key in wrong)
            raise DataError(f"{folder}: holds pictures of another generator ({differences}); choose another folder")
    elif folder.is_dir() and any(folder.iterdir()):
        raise DataError(f"{folder}: is not empty and has no {GENERATOR}; choose another folder")


def _claim(folder: Path, generator: dict[str, Any]) -> None:
    """Makes the folder this generator's; removes what an interruption left, and the sheet of fewer pictures."""
    path = folder / GENERATOR
    if not path.is_file() or _read_json(path) != generator:
        (folder / SHEET).unlink(missing_ok=True)
        write_json(path, generator)
    for part in folder.glob(".*.part"):
        shutil.rmtree(part) if part.is_dir() else part.unlink()


def _found(folder: Path) -> set[str]:
    """The names of the shards that are there."""
    return {path.name for path in folder.glob("[0-9]*-[0-9]*") if path.is_dir()}


@contextlib.contextmanager
def _new_folder(path: Path) -> Iterator[Path]:
    """A folder that is renamed to `path`, its files on the disk, when the block ends without an error, else removed."""
    part = path.with_name(f".{path.name}.part")
    try:
        for name in ("images", "masks"):
            (part / name).mkdir(parents=True)
        yield part
        for file in part.glob("*/*"):
            with open(file, "rb+") as written:
                os.fsync(written.fileno())
        part.replace(path)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise


@contextlib.contextmanager
def _naming_the_disk(folder: Path) -> Iterator[None]:
    try:
        yield
    except HandkitError:  # A file of the hub that cannot be had is an OSError too.
        raise
    except OSError as error:
        reason = error.strerror or error
        raise DataError(
            f"{folder}: cannot be written: {reason}; whole shards are kept, the same command goes on"
        ) from (error)


def _render(dataset: Generated, index: int) -> Picture:
    scene = dataset.scene(index)
    image, shown, hands = dataset.picture(scene)
    jpeg = cv2.imencode(".jpg", image[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])[1].tobytes()
    return Picture(
        jpeg=jpeg,
        mask=cv2.imencode(".png", shown)[1].tobytes(),
        camera=scene.camera.matrix().ravel().tolist(),
        hands=[_annotation(hand) for hand in hands],
    )


def _annotation(hand: dict[str, Any]) -> dict[str, Any]:
    visible = hand["visible"]
    # In the file 0 is a joint without a label; one outside the frame has a place and no more.
    points = np.column_stack([hand["keypoints"].astype(float).round(2), np.maximum(visible, 1)])
    x1, y1, x2, y2 = hand["box"].astype(float).round(2).tolist()
    return {
        "hand_side": "right" if hand["right"] else "left",
        "bbox": [x1, y1, round(x2 - x1, 2), round(y2 - y1, 2)],
        "iscrowd": int(_hardly_seen(hand)),
        "keypoints": points.ravel().tolist(),
        "xyz_cam": hand["xyz_cam"].astype(float).round(5).ravel().tolist(),
    }


def _hardly_seen(hand: dict[str, Any]) -> bool:
    if "share" in hand:
        return bool(hand["share"] < LEAST_SHARE)
    return bool((hand["visible"] > 0).sum() < _LEAST_INSIDE or (hand["visible"] == 2).sum() < _LEAST_SEEN)


def _write_picture(part: Path, number: int, picture: Picture) -> None:
    (part / "images" / f"{number:08d}.jpg").write_bytes(picture.jpeg)
    (part / "masks" / f"{number:08d}.png").write_bytes(picture.mask)


def _document(shard: range, pictures: Sequence[Picture], size: tuple[int, int]) -> dict[str, Any]:
    """COCO keypoint JSON; ids are the picture's number, and ten times it plus the hand's."""
    images, annotations = [], []
    for number, picture in zip(shard, pictures, strict=True):
        row = {"id": number, "file_name": f"images/{number:08d}.jpg", "width": size[0], "height": size[1]}
        images.append({**row, "source": "synthetic", "camera": picture.camera})
        for index, hand in enumerate(picture.hands):
            annotations.append({"id": 10 * number + index, "image_id": number, "category_id": 1, **hand})
    return {"images": images, "annotations": annotations}


def _merge(folder: Path, shards: Sequence[range]) -> None:
    """Writes the labels of all whole shards, the JSON last, so that it never names what the arrays lack."""
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for shard in shards:
        if (folder / _name(shard) / HANDS).is_file():
            document = _read_json(folder / _name(shard) / HANDS)
            images += [{**row, "file_name": f"{_name(shard)}/{row['file_name']}"} for row in document["images"]]
            annotations += document["annotations"]
    cameras = {row["id"]: row["camera"] for row in images}
    arrays = {
        XYZ: np.array([row["xyz_cam"] for row in annotations], np.float32).reshape(-1, 21, 3),
        CAMERA: np.array([cameras[row["image_id"]] for row in annotations], np.float32).reshape(-1, 3, 3),
    }
    for name, array in arrays.items():
        with writing(folder / name) as file:
            np.save(file, array, allow_pickle=False)
    annotations = [{key: value for key, value in row.items() if key != "xyz_cam"} for row in annotations]
    with writing(folder / HANDS, "w") as file:
        json.dump({"images": images, "annotations": annotations}, file)


def _write_sheet(folder: Path, shards: Sequence[range]) -> None:
    numbers = [(shard, number) for shard in shards for number in shard][:_SHEET_PICTURES]
    pictures = [read_image(folder / _name(shard) / "images" / f"{number:08d}.jpg") for shard, number in numbers]
    with writing(folder / SHEET) as file:
        file.write(cv2.imencode(".png", contact_sheet(pictures)[:, :, ::-1])[1].tobytes())


def _name(shard: range) -> str:
    return f"{shard[0]:08d}-{shard[-1]:08d}"


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_bytes())
    except ValueError as error:
        raise DataError(f"{path}: not a JSON file ({error}); remove its folder to have it rendered again") from None
    if not isinstance(content, dict):
        raise DataError(f"{path}: not a JSON object; remove its folder to have it rendered again")
    return content
