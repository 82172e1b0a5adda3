"""What the readers of published files share: JSON of numbers, and columns from arrays."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from handkit.datasets.columns import HandColumns, hand_geometry, text_column
from handkit.errors import DataError

Array = NDArray[Any]


def load_json(data: bytes, path: Path, kind: type) -> Any:
    """The JSON document of a file, which must be a `kind`, dict or list.

    Raises:
        DataError: it is no JSON, or of another kind.
    """
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: not a JSON file: {error}") from None
    if not isinstance(document, kind):
        wanted = "an object" if kind is dict else "a list"
        raise DataError(f"{path}: holds {type(document).__name__}, not {wanted}; is it another file of the data set?")
    return document


def numbers(value: Any, shape: tuple[int, ...], place: str) -> Array:
    """`value` as finite float64 of a shape.

    Raises:
        DataError: it is not; `place` names the file, the record and the field.
    """
    try:
        array = np.array(value, np.float64)
    except (TypeError, ValueError, OverflowError):
        array = np.zeros(0)
    if array.shape != shape or not np.isfinite(array).all():
        count = " x ".join(map(str, shape))
        raise DataError(f"{place} must be {count} finite numbers")
    return array


def stacked(values: Sequence[Any], shape: tuple[int, ...], places: Sequence[str]) -> Array:
    """(N, *shape) finite float64 of N values; `places` says for messages where each stands.

    Raises:
        DataError: a value is not; the message names the first.
    """
    try:
        array = np.array(values, np.float64) if len(values) else np.zeros((0, *shape))
        if array.shape == (len(values), *shape) and np.isfinite(array).all():
            return array
    except (TypeError, ValueError, OverflowError):
        pass
    return np.array([numbers(value, shape, place) for value, place in zip(values, places, strict=True)])


def cameras(values: Sequence[Any], places: Sequence[str]) -> Array:
    """(N, 3, 3) intrinsics of N values; `places` as for `stacked`.

    Raises:
        DataError: a value is no 3 x 3 finite numbers, or no camera: its focal lengths are not positive, or its last row
            is not 0 0 1. The message names the first.
    """
    matrices = stacked(values, (3, 3), places)
    positive = (matrices[:, [0, 1], [0, 1]] > 0).all(1)
    wrong = ~(positive & (matrices[:, 2] == (0, 0, 1)).all(1))
    if wrong.any():
        raise DataError(
            f"{places[int(wrong.argmax())]} is no camera: it needs positive focal lengths above a row 0 0 1"
        )
    return matrices


def project(xyz: Array, camera: Array) -> Array:
    """(N, K, 3) points in the camera's frame and (N, 3, 3) intrinsics -> (N, K, 2) pixels; NaN where z <= 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        uvw = xyz @ np.swapaxes(camera, -1, -2)
        pixels: Array = np.where(uvw[..., 2:] > 0, uvw[..., :2] / uvw[..., 2:], np.nan)
    return pixels


def columns(
    *,
    file_names: Sequence[str],
    image_ids: Sequence[str],
    image_sizes: Array,
    owners: Array,
    hand_names: Sequence[str],
    points: Array,
    labels: Array,
    sides: Array,
    xyz_cam: Array,
    camera: Array,
    sources: Sequence[str] | None = None,
    annotated: Array | None = None,
) -> HandColumns:
    """The columns of I images and N hands in 3D.

    Args:
        file_names: I names, relative to the folder of the pictures.
        image_ids: I ids as JSON.
        image_sizes: (I, 2) width and height.
        owners: (N,) the image of each hand, ascending.
        hand_names: N names, for messages.
        points: (N, 21, 2) in handkit's order, integers at pixel centres; NaN where `labels` is 0.
        labels: (N, 21) visibility, whether the joint lies in the frame or not.
        sides: (N,) 1 right, 0 left, -1 unknown.
        xyz_cam: (N, 21, 3) metres.
        camera: (I, 3, 3).
        sources: I names; None: unknown.
        annotated: (N, 4) xyxy boxes of the files, NaN where there is none; None: none has one.
    """
    images, hands = len(file_names), len(hand_names)
    boxes = np.full((hands, 4), np.nan) if annotated is None else annotated
    return HandColumns(
        file_names=text_column(file_names),
        image_ids=text_column(image_ids),
        image_sizes=image_sizes.astype(np.int32),
        sources=text_column(sources or [""] * images),
        first_hands=np.searchsorted(owners, np.arange(images + 1)).astype(np.int64),
        human_boxes=np.zeros((0, 4), np.float32),
        first_human_boxes=np.zeros(images + 1, np.int64),
        hand_names=text_column(hand_names),
        **hand_geometry(np.nan_to_num(points), labels, boxes, image_sizes[owners]),
        sides=sides.astype(np.int8),
        disagreement=np.full(hands, np.nan),
        crowd=np.zeros(hands, bool),
        xyz_cam=xyz_cam.astype(np.float32),
        camera=camera.astype(np.float64),
    )
