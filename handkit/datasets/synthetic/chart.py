"""The hand's chart: the marks of skin on the mesh's texture coordinates."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from handkit.datasets.synthetic.arm import MeshArm
from handkit.datasets.synthetic.markings import LAYERS, markings
from handkit.datasets.synthetic.rays import Caster
from handkit.datasets.synthetic.subdivision import Subdivision, vertex_normals

Array = NDArray[Any]


def bake_chart(model: MeshArm, fine: Subdivision, size: int = 1024) -> tuple[Array, Array]:
    """Paints the chart and, more coarsely, the vertices, for what lies outside the chart.

    Returns:
        (size, size, 4) float32 with the layers of `LAYERS`, texels off the hand repeating its edge; and (V', 4) their
        values at the fine vertices.
    """
    x, y = np.meshgrid((np.arange(size) + 0.5) / size, (np.arange(size) + 0.5) / size)
    corners = np.concatenate([fine.triangle_uv, np.zeros_like(fine.triangle_uv[..., :1])], -1)
    caster = Caster(corners.reshape(-1, 3), np.arange(corners.size // 3).reshape(-1, 3))
    origins = np.stack([x, y, np.ones_like(x)], -1).reshape(-1, 3)
    hits = caster.first_hits(origins, np.broadcast_to(np.array([0.0, 0.0, -1.0]), origins.shape))
    rows = np.flatnonzero(hits.part >= 0)

    vertices = fine.matrix @ model.rest.vertices
    normals = vertex_normals(vertices, fine.triangles)
    attributes = np.hstack([vertices, normals, fine.matrix @ model.weights]).astype(np.float32)
    found = hits.interpolate(attributes[fine.triangles], rows)
    chart: Array = np.zeros((size * size, len(LAYERS)), np.float32)
    chart[rows] = markings(model.rest, found)
    chart = chart.reshape(size, size, -1)
    nearest = ndimage.distance_transform_edt(
        (hits.part < 0).reshape(size, size), return_distances=False, return_indices=True
    )
    return np.ascontiguousarray(chart[tuple(nearest)]), markings(model.rest, attributes)


def nail_places(model: MeshArm, fine: Subdivision) -> Array:
    """(V',) how far along its finger's nail a fine vertex lies: 0 at the root, 1 at the edge, beyond that outside."""
    vertices = fine.matrix @ model.rest.vertices
    plates = model.rest.vertices[model.quads[model.nails]]
    owner = model.weights[model.quads[model.nails]].sum(1).argmax(1)
    places = np.zeros(len(vertices))
    strongest = (fine.matrix @ model.weights).argmax(1)
    for bone in np.unique(owner):
        tip = model.rest.tails[bone] - model.rest.heads[bone]
        low, high = np.quantile(plates[owner == bone] @ tip, (0, 1))
        rows = strongest == bone
        places[rows] = (vertices[rows] @ tip - low) / (high - low)
    return places


def halved(chart: Array) -> list[Array]:
    """A chart and its halves, for hands that are small in the picture."""
    charts = [chart]
    for _ in range(4):
        height, width = charts[-1].shape[:2]
        charts.append(cv2.resize(charts[-1], (width // 2, height // 2), interpolation=cv2.INTER_AREA))
    return charts


def look_up(charts: list[Array], uv: Array, spacing: float) -> Array:
    """(N, C) values at (N, 2) places in [0, 1], from the level whose texels are about as large as `spacing`.

    Args:
        charts: from `halved`.
        uv: from the chart's upper left; outside it the edge goes on.
        spacing: between neighbouring places, in widths of the chart.
    """
    level = int(np.clip(np.log2(max(spacing, 1e-9) * charts[0].shape[1]), 0, len(charts) - 1))
    chart = charts[level]
    # cv2.remap takes no list of places longer than 32,767, but a picture of them.
    count, width = len(uv), 4096
    place: Array = np.zeros((-(-max(count, 1) // width) * width, 2), np.float32)
    place[:count] = uv * (chart.shape[1], chart.shape[0]) - 0.5
    place = place.reshape(-1, width, 2)
    found = cv2.remap(chart, place[..., 0], place[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(found.reshape(-1, chart.shape[2])[:count])
