"""What a layout of annotation files says: which fields of a record are a hand, and how its numbers are meant."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

Row = Mapping[str, Any]


class RawHand(NamedTuple):
    """One hand as the file has it, unchecked."""

    name: str
    keypoints: Any
    box: Any = None
    side: Any = None
    crowd: bool = False
    disagreement: Any = None
    xyz: Any = None


@dataclass(frozen=True)
class Layout:
    """How a COCO JSON is read.

    Args:
        hands: the hands of one annotation, given its image's record and where it stands, for messages.
        shift: subtracted from every coordinate, so that integers are pixel centres.
        pictures: the folder of the pictures, relative to the JSON's.
        fractions: v may be any number from 0 to 2, not only 0, 1 and 2.
        visibility: handkit's visibility of the file's v = 0, 1 and 2.
        order: the joints' order, one of `handkit.skeleton.ORDERS`.
        metres: how many a unit of the hands' `xyz` is, in a file whose hands have one and whose images have
            `cam_param`; None: the file is 2D.
    """

    hands: Callable[[Row, Row, str], Iterator[RawHand]]
    shift: float = 0.0
    pictures: str = "."
    fractions: bool = False
    visibility: tuple[int, int, int] = (0, 1, 2)
    order: str = "coco_wholebody_hand"
    metres: float | None = None


@dataclass(frozen=True)
class Original:
    """How files are read that are no COCO JSON, or several files that belong together.

    Args:
        read: the columns (`handkit.datasets.columns.HandColumns`), given the path of the first file and the bytes of
            all of them.
        files: all files, given the first one's path.
        pictures: the folder of the pictures, relative to the first file's.
    """

    read: Callable[..., Any]
    files: Callable[[Path], tuple[Path, ...]] = lambda path: (path,)
    pictures: str = "."
