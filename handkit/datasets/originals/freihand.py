"""FreiHAND as its authors publish it: Zimmermann et al., ICCV 2019.

``training_xyz.json`` (a list of 21 x 3 metres in the camera's frame) and ``training_K.json`` (a list of 3 x 3
intrinsics) lie beside the folder ``training/rgb``, and likewise those of the ``evaluation`` split. The training part
shows every recording four times, one version of all after the other: before a green screen (``gs``) and with that
replaced in three ways (``hom``, ``sample``, ``auto``); its lists hold a recording once.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from handkit.datasets.columns import HandColumns
from handkit.datasets.originals.arrays import cameras, columns, load_json, project, stacked
from handkit.errors import DataError
from handkit.skeleton import HAND

#: The pictures of a recording, in the order of their files; images have them as `source`.
VERSIONS = {"training": ("gs", "hom", "sample", "auto"), "evaluation": ("",)}
#: All pictures' width and height in pixels.
SIZE = 224
_XYZ = "_xyz.json"


def files(path: Path) -> tuple[Path, ...]:
    """``SPLIT_xyz.json`` and the ``SPLIT_K.json`` beside it.

    Raises:
        DataError: `path` has another name.
    """
    split = path.name.removesuffix(_XYZ)
    if split not in VERSIONS or not path.name.endswith(_XYZ):
        raise DataError(f"{path}: FreiHAND's own files are called training_xyz.json and evaluation_xyz.json")
    return path, path.with_name(f"{split}_K.json")


def read(path: Path, xyz_data: bytes, camera_data: bytes) -> HandColumns:
    """The columns of a split: one right hand per picture, its joints projected.

    Raises:
        DataError: a file is no list of such arrays, they differ in length, a matrix is no camera, or a joint lies
            behind it.
    """
    _, camera_path = files(path)
    split = path.name.removesuffix(_XYZ)
    rows, matrices = load_json(xyz_data, path, list), load_json(camera_data, camera_path, list)
    if len(rows) != len(matrices):
        raise DataError(f"{camera_path}: holds {len(matrices)} matrices, but {path.name} {len(rows)} hands")
    xyz = stacked(rows, (len(HAND), 3), [f"{path}: xyz of hand {row}" for row in range(len(rows))])
    camera = cameras(matrices, [f"{camera_path}: K of hand {row}" for row in range(len(rows))])
    points = project(xyz, camera)
    if (behind := np.isnan(points).any((1, 2))).any():
        raise DataError(f"{path}: xyz of hand {behind.argmax()}: a joint is not before the camera")
    versions = VERSIONS[split]
    count = len(rows) * len(versions)
    again = np.tile(np.arange(len(rows)), len(versions))
    return columns(
        file_names=[f"{split}/rgb/{image:08d}.jpg" for image in range(count)],
        image_ids=[str(image) for image in range(count)],
        image_sizes=np.full((count, 2), SIZE),
        owners=np.arange(count),
        hand_names=["right hand"] * count,
        points=points[again],
        labels=np.full((count, len(HAND)), 2),
        sides=np.ones(count),
        xyz_cam=xyz[again],
        camera=camera[again],
        sources=[version for version in versions for _ in rows],
    )
