"""From one format to another, and what that cost."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal, get_args

from handkit.datasets.exchange.coco import read_coco, write_coco
from handkit.datasets.exchange.cvat import read_cvat, write_cvat
from handkit.datasets.exchange.label_studio import interface_file, read_label_studio, write_label_studio
from handkit.datasets.exchange.labelled import Labels
from handkit.datasets.exchange.yolo import read_yolo, write_yolo
from handkit.errors import DataError, did_you_mean
from handkit.skeleton import ORDERS

Format = Literal["coco", "yolo", "cvat", "label-studio"]
FORMATS: tuple[Format, ...] = get_args(Format)
#: Formats whose files need not name the joints.
_UNNAMED = ("coco", "yolo")


@dataclass(frozen=True)
class Conversion:
    """What a conversion did.

    Args:
        images: written.
        hands: read; a format without crowd regions leaves those out, and `lost` says so.
        lost: what the new format cannot hold.
        notes: what was assumed or changed while reading.
    """

    images: int
    hands: int
    lost: list[str]
    notes: list[str]


def guess_format(path: Path) -> Format:
    """The format of a file or folder, by its ending and, of JSON, by what it holds.

    Raises:
        DataError: it is none of `FORMATS`.
    """
    if path.is_dir() or path.suffix in (".yaml", ".yml"):
        return "yolo"
    if path.suffix == ".xml":
        return "cvat"
    try:
        document = json.loads(path.read_bytes())
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from None
    except ValueError:
        raise DataError(f"{path}: none of the formats {', '.join(FORMATS)}; name it with --from") from None
    return "label-studio" if isinstance(document, list) else "coco"


def convert(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    to: str,
    of: str | None = None,
    order: str | None = None,
    image_root: str | os.PathLike[str] | None = None,
    overwrite: bool = False,
) -> Conversion:
    """Converts labels of hands.

    Args:
        source: a COCO JSON, a CVAT XML, a Label Studio JSON, or YOLO's ``data.yaml`` or folder.
        target: the file, of YOLO the folder; it is written whole or not at all.
        to: its format.
        of: the source's format; None: see `guess_format`.
        order: the order of the joints, of `handkit.skeleton.ORDERS`, where the source does not name them; a source that
            does is mapped by the names.
        image_root: the folder that the pictures' names are relative to; None: that of the source, or its ``images``.
        overwrite: replace a target file, and Label Studio's interface beside it.

    Raises:
        DataError: an unknown format or order, a source that breaks its form, or a target that is there already.
    """
    source, target = Path(source), Path(target)
    of = guess_format(source) if of is None else of
    for name in (of, to):
        if name not in FORMATS:
            raise DataError(f"no format is called {name!r}; {did_you_mean(name, FORMATS)}")
    if order is not None and (order not in ORDERS or of not in _UNNAMED):
        raise DataError(f"--joint-order takes one of {', '.join(ORDERS)}, for {' and '.join(_UNNAMED)}, not {order!r}")
    _check_target(source, target, to, overwrite)
    labels = _read(source, of, order)
    if not labels.images:
        raise DataError(f"{source}: holds no image, so there is nothing to convert")
    root = _pictures(source, of, labels) if image_root is None else Path(image_root)
    if to == "yolo":
        lost = write_yolo(labels, target, _common_folder(labels, root))
    else:
        if to == "coco":
            _rebase(labels, root, target.parent)
        lost = _WRITERS[to](labels, target)
    return Conversion(len(labels.images), len(labels.hands), lost, labels.notes)


def _check_target(source: Path, target: Path, to: str, overwrite: bool) -> None:
    """Raises where something stands that must stay, at the target or at the interface beside Label Studio's tasks."""
    if to == "yolo":
        if target.exists():
            raise DataError(f"{target} exists; name a new folder")
        return
    beside = interface_file(target)
    for file in (target, beside) if to == "label-studio" else (target,):
        if file.is_dir():
            raise DataError(f"{file} is a folder; name a file")
        if file.exists() and not overwrite:
            raise DataError(f"{file} exists; name another file, or --overwrite")
    if to == "label-studio" and beside.resolve() in (source.resolve(), target.resolve()):
        raise DataError(f"{beside}: the labelling interface would replace it; name a target that is not {target.name}")


_WRITERS = {"coco": write_coco, "cvat": write_cvat, "label-studio": write_label_studio}


def _read(source: Path, of: str, order: str | None) -> Labels:
    if of == "coco":
        return read_coco(source, order)
    if of == "yolo":
        return read_yolo(source, order)
    return read_cvat(source) if of == "cvat" else read_label_studio(source)


def _pictures(source: Path, of: str, labels: Labels) -> Path:
    """Where the pictures are: beside the labels, or in the folder ``images`` beside them."""
    folder = source if source.is_dir() else source.parent
    inside = folder / "images"
    beside = of != "yolo" and (folder / labels.images[0].name).is_file()
    return inside if not beside and (inside / labels.images[0].name).is_file() else folder


def _common_folder(labels: Labels, root: Path) -> Path:
    """The folder that all pictures lie below: `root`, unless names lead out of it; they then begin from there."""
    names = [PurePosixPath(image.name) for image in labels.images]
    if not any(name.is_absolute() or ".." in name.parts for name in names):
        return root
    paths = [(root / name).parent.resolve() / name.name for name in names]
    folder = Path(os.path.commonpath([path.parent for path in paths]))
    for image, path in zip(labels.images, paths, strict=True):
        image.name = path.relative_to(folder).as_posix()
    labels.notes.append(f"pictures do not lie below {root}: their names begin from {folder}")
    return folder


def _rebase(labels: Labels, root: Path, folder: Path) -> None:
    """Names pictures relative to the new file, where they are found; else leaves the names, and says so."""
    missing = 0
    for image in labels.images:
        picture = root / image.name
        if picture.is_file():
            image.name = Path(os.path.relpath(picture.parent.resolve() / picture.name, folder.resolve())).as_posix()
        else:
            missing += 1
    if missing:
        labels.notes.append(f"{missing} pictures are not below {root}: their names are left as they are")
