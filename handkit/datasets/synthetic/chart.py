"""The hand's chart: the marks of skin on the mesh's texture coordinates."""

from __future__ import annotations

from typing import Any

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
