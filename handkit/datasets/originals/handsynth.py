"""Rendered hands as `handkit data synth` writes them: COCO keypoint JSON, and beside it two arrays with a row per hand.

``xyz_cam.npy`` (hands, 21, 3) are metres in the camera's frame, ``camera.npy`` (hands, 3, 3) the intrinsics of the
hands' pictures. The JSON is written last, so that the arrays may hold more hands than it.
"""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from handkit.datasets.columns import HandColumns, load_document, parse
from handkit.datasets.records import Layout
from handkit.errors import DataError
from handkit.skeleton import HAND

Array = NDArray[Any]
XYZ, CAMERA = "xyz_cam.npy", "camera.npy"


def files(path: Path) -> tuple[Path, ...]:
    """The JSON and both arrays."""
    return path, path.with_name(XYZ), path.with_name(CAMERA)


def read(path: Path, hands: bytes, xyz: bytes, camera: bytes, *, layout: Layout) -> HandColumns:
    """The columns of a folder; the camera of a picture without a hand is NaN.

    Args:
        path: the JSON.
        hands: its bytes.
        xyz: those of ``xyz_cam.npy``.
        camera: those of ``camera.npy``.
        layout: how the JSON is read.

    Raises:
        DataError: a record of the JSON breaks its documented form, or an array cannot be read or does not belong to it.
    """
    columns = parse(load_document(hands, str(path)), layout, str(path))
    count, first = len(columns.crowd), columns.first_hands
    cameras = np.full((len(columns.file_names), 3, 3), np.nan)
    shown = np.flatnonzero(np.diff(first))
    cameras[shown] = _rows(path, CAMERA, camera, (3, 3), count)[first[shown]]
    joints = _rows(path, XYZ, xyz, (len(HAND), 3), count)
    return replace(columns, xyz_cam=np.array(joints, np.float32), camera=cameras)


def _rows(path: Path, name: str, data: bytes, shape: tuple[int, int], count: int) -> Array:
    """The first `count` rows of an array."""
    try:
        array: Array = np.load(io.BytesIO(data), allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"{path.parent}: {name} cannot be read ({error}); render again") from None
    if array.shape[1:] != shape or array.dtype.kind != "f":
        raise DataError(f"{path.parent}: {name} is no array of (hands, {shape[0]}, {shape[1]}) numbers; render again")
    if len(array) < count:
        raise DataError(f"{path.parent}: {XYZ} and {CAMERA} hold fewer hands than {path.name}; render again")
    return array[:count]
