"""WFLW: Wu et al., Look at Boundary: A Boundary-Aware Face Alignment Algorithm, CVPR 2018."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from handkit.errors import DataError
from handkit.registry import DATASETS
from handkit.skeleton import WFLW as FACE
from handkit.transforms.base import Sample

Array = NDArray[Any]
#: What makes a face hard, in the order of a line's flags.
ATTRIBUTES = ("pose", "expression", "illumination", "make-up", "occlusion", "blur")
Attribute = Literal["pose", "expression", "illumination", "make-up", "occlusion", "blur"]
_POINTS = 2 * len(FACE)
_NUMBERS = _POINTS + 4 + len(ATTRIBUTES)


@DATASETS.register_module()
class WFLW:
    """One sample per face of a list of WFLW's, whose lines hold 98 points, a box, six flags and a picture's name.

    Samples hold no pixels yet: `source`, `name`, `sample_id`, `box` (the file's, which lies tight around the points),
    `keypoints` (98, 2) and `visible` 2 for all of them, since the file does not say which are hidden, `hand` 1, and
    `mirror`, the order of the points in a mirrored picture. Coordinates are taken as they stand, integers at pixel
    centres.

    Args:
        ann_file: ``list_98pt_rect_attr_train.txt``, ``list_98pt_rect_attr_test.txt``, or another of this form.
        image_root: the folder ``WFLW_images``.
        attribute: only the faces with this flag, as the paper's table has them; None: all.

    Raises:
        DataError: the file cannot be read, a line of another form, an unknown attribute, or no face is left.
    """

    def __init__(
        self,
        ann_file: str | os.PathLike[str],
        image_root: str | os.PathLike[str],
        attribute: Attribute | None = None,
    ) -> None:
        if attribute is not None and attribute not in ATTRIBUTES:
            raise DataError(f"WFLW: attribute must be one of {', '.join(ATTRIBUTES)}, not {attribute!r}")
        self.path = Path(ann_file)
        self.image_root = Path(image_root)
        self._numbers, self._names, self._lines = _read(self.path)
        if attribute is not None:
            kept = np.flatnonzero(self._numbers[:, _POINTS + 4 + ATTRIBUTES.index(attribute)])
            self._numbers, self._names, self._lines = self._numbers[kept], self._names[kept], self._lines[kept]
        if not len(self._names):
            raise DataError(f"{self.path}: shows no face{'' if attribute is None else f' with the flag {attribute!r}'}")

    def __len__(self) -> int:
        return len(self._names)

    def __getitem__(self, index: int) -> Sample:
        """Sample `index`, without its pixels."""
        if not -len(self) <= index < len(self):
            raise IndexError(f"face {index} of {len(self)}")
        numbers = self._numbers[index]
        source = str(self.image_root / self._names[index].decode())
        place = f"{self.path.name}: line {self._lines[index]}"
        return {
            "source": source,
            "name": f"{source} ({place})",
            "sample_id": place,
            "box": numbers[_POINTS : _POINTS + 4].copy(),
            "keypoints": numbers[:_POINTS].reshape(-1, 2).copy(),
            "visible": np.full(len(FACE), 2, np.uint8),
            "hand": np.float32(1),
            "mirror": np.array(FACE.mirror),
        }


def _read(path: Path) -> tuple[Array, Array, Array]:
    """(N, 206) float32 numbers, (N,) UTF-8 names and (N,) lines, empty ones left out."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read: {error}") from None
    rows, names, lines = list[Array](), list[bytes](), list[int]()
    for line, row in enumerate(text.splitlines(), 1):
        fields = row.split(maxsplit=_NUMBERS)
        if not fields:
            continue
        if len(fields) != _NUMBERS + 1:
            raise DataError(
                f"{path}: line {line} has {len(fields)} fields; WFLW's have {_NUMBERS} numbers (98 points, a box, six "
                "flags) and the name of a picture"
            )
        rows.append(_numbers(fields[:-1], f"{path}: line {line}"))
        names.append(fields[-1].strip().encode())
        lines.append(line)
    return np.array(rows, np.float32).reshape(-1, _NUMBERS), np.array(names, bytes), np.array(lines)


def _numbers(fields: list[str], where: str) -> Array:
    try:
        numbers = np.array(fields, np.float32)
    except ValueError as error:
        raise DataError(f"{where}: {error}") from None
    if len(strange := np.flatnonzero(~np.isfinite(numbers))):
        raise DataError(f"{where}: needs finite numbers, got {fields[strange[0]]} in field {strange[0] + 1}")
    x1, y1, x2, y2 = numbers[_POINTS : _POINTS + 4].tolist()
    if not (x2 > x1 and y2 > y1):
        raise DataError(f"{where}: needs a box of x1 < x2 and y1 < y2, got {(x1, y1, x2, y2)}")
    if not np.isin(numbers[_POINTS + 4 :], (0, 1)).all():
        raise DataError(f"{where}: flags must be 0 or 1, got {' '.join(fields[_POINTS + 4 :])}")
    return numbers
