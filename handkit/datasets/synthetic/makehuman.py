"""The CC0 hand of MakeHuman (mesh hm08), cut out of the body with its arm.

Files: the base mesh, the default rig (bones between the centres of small cubes in the mesh), skinning weights, and
shape targets. Licence: CC0 1.0.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from handkit.datasets.synthetic.arm import BONES, WRIST, Geometry, MeshArm, finger_bones
from handkit.datasets.synthetic.wavefront import read_obj, read_target
from handkit.errors import DataError

Array = NDArray[Any]

#: The hub's card with the files, which are cached under these names.
CARD = "makehuman_hand"
MESH, RIG, WEIGHTS = "base.obj", "rig.default.json", "weights.default.json"
#: Blend shape of handkit -> file of a MakeHuman target, at its strength 1.
TARGETS = {
    "thin_fingers": "r-hand-fingers-diameter-decr.target.gz",
    "thick_fingers": "r-hand-fingers-diameter-incr.target.gz",
    "short_fingers": "r-hand-fingers-length-decr.target.gz",
    "long_fingers": "r-hand-fingers-length-incr.target.gz",
    "lean": "universal-female-young-minmuscle-minweight.target.gz",
    "plump": "universal-male-young-minmuscle-maxweight.target.gz",
}
FILES = (MESH, RIG, WEIGHTS, *TARGETS.values())

_DECIMETRE = 0.1
#: The hand's island in the body's texture: left, bottom and side of a square in texture coordinates.
CHART = (0.3595, 0.0065, 0.197)
# Indices into the body's faces: thumb, then six and two for each finger.
_NAILS = (
    *range(2415, 2421),
    *(face for finger in range(4) for face in range(1741 + 186 * finger, 1747 + 186 * finger)),
    *(face for finger in range(4) for face in range(2465 + 38 * finger, 2467 + 38 * finger)),
)


def _makehuman_bones() -> dict[str, tuple[str, ...]]:
    """Our bone -> MakeHuman's, head of the first to tail of the last."""
    names = {
        "upperarm": ("upperarm01.R", "upperarm02.R"),
        "lowerarm1": ("lowerarm01.R",),
        "lowerarm2": ("lowerarm02.R",),
        "wrist": ("wrist.R",),
    }
    names |= {f"metacarpal{finger}": (f"metacarpal{finger - 1}.R",) for finger in range(2, 6)}
    return names | {bone: (f"{bone}.R",) for bone in BONES if bone.startswith("finger")}


def read_makehuman(files: Mapping[str, Path]) -> MeshArm:
    """Reads the right arm.

    Args:
        files: path of every name in `FILES`.

    Raises:
        DataError: a file is missing, damaged, or does not belong to the others.
    """
    for name in FILES:
        if name not in files or not Path(files[name]).is_file():
            raise DataError(f"the MakeHuman hand needs the file {name}; run `handkit download {CARD}`")
    body = read_obj(files[MESH])
    rig = _json(files[RIG])
    weights = _weights(files[WEIGHTS], len(body.vertices))
    try:
        cubes = {name: np.unique(quads) for name, quads in body.quads.items() if name.startswith("joint-")}
        quads, uv_quads = body.quads["body"], body.uv_quads["body"]
        ends = {bone: (rig[parts[0]]["head"], rig[parts[-1]]["tail"]) for bone, parts in _makehuman_bones().items()}
        ends_of = [_ends(ends, side, cubes) for side in (0, 1)]
    except (KeyError, TypeError) as error:
        raise DataError(f"{files[RIG]} does not fit {files[MESH]}: no {error} in it") from error
    chosen = (weights.sum(1)[quads] > 0.5).all(1)
    kept, quads = np.unique(quads[chosen], return_inverse=True)
    weights = weights[kept] / weights[kept].sum(1, keepdims=True)

    def geometry(points: Array) -> Geometry:
        return Geometry(points[kept], *(np.stack([points[index].mean(0) for index in side]) for side in ends_of))

    rest = geometry(body.vertices)
    shapes = {name: geometry(read_target(files[file], len(body.vertices))) for name, file in TARGETS.items()}
    frame = _hand_frame(rest)
    return MeshArm(
        rest=_moved(rest, frame, rest.heads[WRIST]),
        quads=quads.reshape(-1, 4),
        uv=_chart_uv(body.uv[uv_quads[chosen]]),
        weights=weights,
        nails=np.isin(np.flatnonzero(chosen), _NAILS),
        shapes={name: _moved(shape, frame, np.zeros(3)) for name, shape in shapes.items()},
    )


def _chart_uv(uv: Array) -> Array:
    left, bottom, side = CHART
    local = (uv - (left, bottom)) / side
    inside = np.logical_and(local > 0, local < 1).all((1, 2), keepdims=True)
    return np.where(inside, local * (1, -1) + (0, 1), -1.0)


def _json(path: Path) -> Any:
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except ValueError as error:
        raise DataError(f"{path}: not a JSON file ({error})") from error


def _weights(path: Path, vertex_count: int) -> Array:
    """(vertex_count, B) weights of our bones; vertices of the rest of the body have rows below 1."""
    table = np.zeros((vertex_count, len(BONES)))
    content = _json(path)
    try:
        for column, parts in enumerate(_makehuman_bones().values()):
            for part in parts:
                rows = np.array(content["weights"][part], np.float64).reshape(-1, 2)
                np.add.at(table[:, column], rows[:, 0].astype(np.int64), rows[:, 1])
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise DataError(f"{path}: not the skinning weights of the MakeHuman mesh ({error})") from error
    return table


def _ends(ends: Mapping[str, tuple[Any, Any]], side: int, cubes: Mapping[str, Array]) -> list[Array]:
    """Per bone the indices of the vertices whose mean is its head (side 0) or tail (side 1)."""
    found = []
    for bone in BONES:
        end = ends[bone][side]
        found.append(cubes[end["cube_name"]] if end["strategy"] == "CUBE" else np.array(end["vertex_indices"]))
    return found


def _hand_frame(rest: Geometry) -> Array:
    """(3, 3) rows x, y, z of the hand's frame (see `arm`) in the body's axes."""
    roots = [rest.heads[finger_bones(finger)][0] - rest.heads[WRIST] for finger in (2, 3, 5)]
    y = roots[1] / np.linalg.norm(roots[1])
    # From the forefinger to the pinky about the wrist is counter-clockwise seen from the palm's side of a right hand.
    z = np.cross(roots[0], roots[2])
    z -= y * (z @ y)
    z /= np.linalg.norm(z)
    return np.stack([np.cross(y, z), y, z])


def _moved(geometry: Geometry, frame: Array, origin: Array) -> Geometry:
    parts = (geometry.vertices, geometry.heads, geometry.tails)
    return Geometry(*((part - origin) @ frame.T * _DECIMETRE for part in parts))
