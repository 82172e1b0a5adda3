"""The Rendered Hand Pose data set as its authors publish it: Zimmermann and Brox, ICCV 2017.

``anno_training.pickle`` and ``anno_evaluation.pickle`` lie beside the folders ``color`` and ``mask``: a dict from the
number of a picture to `uv_vis` (42 x 3: pixels, and 1 where the joint is seen), `xyz` (42 x 3 metres in the camera's
frame) and `K` (3 x 3). Joints 0 to 20 are the left hand's, 21 to 41 the right one's: the wrist, then each finger from
tip to base. A mask is 0 on the background, 1 on the person, 2 to 17 on the left hand and 18 to 33 on the right one.
"""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from handkit.datasets.columns import HandColumns
from handkit.datasets.originals.array_pickle import load_arrays
from handkit.datasets.originals.arrays import cameras, columns, stacked
from handkit.errors import DataError
from handkit.skeleton import HAND, from_order

Array = NDArray[Any]
#: All pictures' width and height in pixels.
SIZE = 320
_JOINTS = (2 * len(HAND), 3)
#: The values of a mask, first and last, by side: 0 left, 1 right.
_MASKS = ((2, 17), (18, 33))
#: The largest value of a mask.
LAST_PART = _MASKS[-1][-1]


def read(path: Path, data: bytes) -> HandColumns:
    """The columns of a split: two hands per picture, the left one first.

    A joint that is not seen is labelled but hidden (`visible` 1), unless no joint of its hand is: that hand is not
    labelled.

    Raises:
        DataError: the file is no pickle of arrays, or an entry lacks one of them, or its camera is none; the
            message names it.
    """
    entries = load_arrays(data, str(path))
    if not isinstance(entries, dict) or not all(type(key) is int and key >= 0 for key in entries):
        raise DataError(f"{path}: holds no dict from the numbers of pictures to their annotations")
    keys = sorted(entries)
    of = partial(_field, entries, keys, path)
    uv_vis, xyz = (stacked(values, _JOINTS, places) for values, places in map(of, ("uv_vis", "xyz")))
    camera = cameras(*of("K"))
    joints = from_order(uv_vis.reshape(-1, len(HAND), 3), "rhd")
    seen = joints[..., 2] > 0
    hands = len(joints)
    return columns(
        file_names=[f"color/{key:05d}.png" for key in keys],
        image_ids=[json.dumps(key) for key in keys],
        image_sizes=np.full((len(keys), 2), SIZE),
        owners=np.arange(hands) // 2,
        hand_names=["left hand", "right hand"] * len(keys),
        points=joints[..., :2],
        labels=(1 + seen) * seen.any(-1, keepdims=True),
        sides=np.arange(hands) % 2,
        xyz_cam=from_order(xyz.reshape(-1, len(HAND), 3), "rhd"),
        camera=camera,
    )


def hand_mask(parts: Array, right: bool) -> Array:
    """(H, W) mask of the data set -> 1 where a hand is seen, 2 on everything else before the background."""
    first, last = _MASKS[right]
    mask: Array = np.where((parts >= first) & (parts <= last), 1, np.where(parts > 0, 2, 0)).astype(np.uint8)
    return mask


def hands_mask(parts: Array) -> Array:
    """(H, W) mask of the data set -> 1 where either hand is seen, 2 on the rest of the person."""
    mask: Array = np.where(parts >= _MASKS[0][0], 1, np.where(parts > 0, 2, 0)).astype(np.uint8)
    return mask


def _field(entries: dict[int, Any], keys: list[int], path: Path, field: str) -> tuple[list[Any], list[str]]:
    """A field's values, and where each stands."""
    for key in keys:
        if not isinstance(entries[key], dict) or field not in entries[key]:
            raise DataError(f"{path}: image {key} needs the field {field!r}")
    return [entries[key][field] for key in keys], [f"{path}: image {key}: {field}" for key in keys]
