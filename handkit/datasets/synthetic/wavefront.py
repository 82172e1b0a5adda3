"""Reading the part of Wavefront OBJ and of MakeHuman's ``.target.gz`` files that a hand mesh needs."""

from __future__ import annotations

import gzip
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from handkit.errors import DataError

Array = NDArray[Any]


@dataclass(frozen=True)
class Wavefront:
    """A mesh of quads in named groups.

    Args:
        vertices: (V, 3) float64 in the file's unit.
        uv: (T, 2) float64 texture coordinates, v upwards.
        quads: group name -> (F, 4) int64 vertex indices.
        uv_quads: group name -> (F, 4) int64 texture indices.
    """

    vertices: Array
    uv: Array
    quads: dict[str, Array]
    uv_quads: dict[str, Array]


def read_obj(path: Path) -> Wavefront:
    """Reads an OBJ file whose faces are quads ``v/vt``.

    Raises:
        DataError: a line cannot be read, a face is no quad with texture coordinates, or an index is out of range; the
            message names the file.
    """
    rows: dict[str, list[list[float]]] = {"v": [], "vt": []}
    faces: dict[str, list[list[list[int]]]] = {}
    group = faces.setdefault("", [])
    try:
        for line in path.read_text(encoding="utf-8").splitlines():
            kind, *values = line.split() or [""]
            if kind in rows:
                rows[kind].append([float(value) for value in values[: 3 if kind == "v" else 2]])
            elif kind == "g":
                group = faces.setdefault(values[0], [])
            elif kind == "f":
                group.append([[int(index) - 1 for index in value.split("/")[:2]] for value in values])
        vertices, uv = np.array(rows["v"], np.float64).reshape(-1, 3), np.array(rows["vt"], np.float64).reshape(-1, 2)
        corners = {name: np.array(face, np.int64).reshape(-1, 4, 2) for name, face in faces.items() if face}
    except (ValueError, IndexError) as error:
        raise DataError(f"{path}: not a readable OBJ mesh of quads v/vt ({error})") from error
    limit = np.array([len(vertices), len(uv)])
    if not corners or any((face < 0).any() or (face >= limit).any() for face in corners.values()):
        raise DataError(f"{path}: no faces, or one that names a vertex not in the file; it is cut off or damaged")
    quads, uv_quads = ({name: face[..., part] for name, face in corners.items()} for part in (0, 1))
    return Wavefront(vertices, uv, quads, uv_quads)


def read_target(path: Path, vertex_count: int) -> Array:
    """Reads a MakeHuman shape target, lines of ``index dx dy dz``, as (vertex_count, 3) displacements.

    Raises:
        DataError: the file is not gzip, a line cannot be read, or an index is out of range.
    """
    moved = np.zeros((vertex_count, 3))
    try:
        with gzip.open(path, "rt", encoding="utf-8") as file:
            rows = [line.split() for line in file if not line.startswith("#")]
        table = np.array(rows, np.float64).reshape(-1, 4)
        index = table[:, 0].astype(np.int64)
        if not len(index) or index.min() < 0:
            raise ValueError("no lines, or a negative index")
        moved[index] = table[:, 1:]
    except (ValueError, IndexError, OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path}: not a readable MakeHuman target ({error})") from error
    return moved
