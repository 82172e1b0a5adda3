"""Catmull-Clark subdivision as one sparse matrix, so that a posed mesh is smoothed by a single product.

Catmull and Clark, "Recursively generated B-spline surfaces on arbitrary topological meshes", 1978. Vertices on an open
edge stay where they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Array = NDArray[Any]


@dataclass(frozen=True)
class Subdivision:
    """A refined mesh as a function of the coarse one.

    Args:
        matrix: (V', V) sparse; ``matrix @ vertices`` are the fine vertices, and likewise of any vertex attribute.
        quads: (F', 4) fine vertex indices.
        uv: (F', 4, 2) texture coordinates of the fine quads' corners (bilinear).
        triangles: (2 F', 3) int32 fine vertex indices; quad i is cut into the triangles i and F' + i, and
            coarse quad i into the quads 4^levels i and following.
        triangle_uv: (2 F', 3, 2) float32 texture coordinates of the triangles' corners.
    """

    matrix: Any
    quads: Array
    uv: Array
    triangles: Array
    triangle_uv: Array


def subdivide(quads: Array, uv: Array, vertex_count: int, levels: int) -> Subdivision:
    """Refines (F, 4) quads with (F, 4, 2) corner texture coordinates `levels` times."""
    matrix = sparse.identity(vertex_count, format="csr")
    for _ in range(levels):
        step, quads = _refine(quads, matrix.shape[0])
        matrix, uv = step @ matrix, _refine_corners(uv)
    triangles = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]]).astype(np.int32)
    corners = np.concatenate([uv[:, [0, 1, 2]], uv[:, [0, 2, 3]]]).astype(np.float32)
    return Subdivision(matrix.tocsr(), quads, uv, triangles, corners)


def _refine_corners(uv: Array) -> Array:
    middle = (uv + np.roll(uv, -1, 1)) / 2
    centre = np.broadcast_to(uv.mean(1, keepdims=True), uv.shape)
    children = np.stack([uv, middle, centre, np.roll(middle, 1, 1)], 2)
    return children.reshape(-1, 4, 2)


def _refine(quads: Array, count: int) -> tuple[Any, Array]:
    """One level: the (V + F + E, V) matrix and the fine quads. New vertices: the old ones, faces, edges."""
    faces = len(quads)
    ends = np.sort(np.stack([quads, np.roll(quads, -1, 1)], -1), -1).reshape(-1, 2)
    edges, edge_of, uses = np.unique(ends, axis=0, return_inverse=True, return_counts=True)
    edge_of = edge_of.reshape(faces, 4)

    to_face = _averages(quads, count)
    to_middle = _averages(edges, count)
    of_face = sparse.csr_matrix(
        (np.ones(quads.size), (edge_of.ravel(), np.repeat(np.arange(faces), 4))), (len(edges), faces)
    )
    inner = sparse.diags((uses == 2).astype(float))
    to_edge = to_middle - inner @ to_middle / 2 + inner @ of_face @ to_face / 4

    # An inner vertex of valence n moves to (mean of faces + 2 mean of edge middles + (n - 3) itself) / n.
    valence = np.maximum(np.bincount(edges.ravel(), minlength=count), 1)
    open_ends = np.zeros(count, bool)
    open_ends[edges[uses != 2]] = True
    vertex_faces = sparse.csr_matrix((np.ones(quads.size), (quads.ravel(), np.repeat(np.arange(faces), 4))))
    vertex_edges = sparse.csr_matrix((np.ones(edges.size), (edges.ravel(), np.repeat(np.arange(len(edges)), 2))))
    vertex_faces.resize(count, faces)
    vertex_edges.resize(count, len(edges))
    share = np.where(open_ends, 0.0, 1 / valence**2)
    moved = sparse.diags(share) @ (vertex_faces @ to_face + 2 * vertex_edges @ to_middle)
    kept = np.where(open_ends, 1.0, 1 - 3 / valence)
    to_vertex = moved + sparse.diags(kept)

    matrix = sparse.vstack([to_vertex, to_face, to_edge]).tocsr()
    edge_index = count + faces + edge_of
    face_index = np.broadcast_to(count + np.arange(faces)[:, None], (faces, 4))
    fine = np.stack([quads, edge_index, face_index, np.roll(edge_index, 1, 1)], 2).reshape(-1, 4)
    return matrix, fine


def _averages(groups: Array, count: int) -> Any:
    """The (N, V) matrix that averages the members of each of N equally large groups of vertices."""
    rows = np.repeat(np.arange(len(groups)), groups.shape[1])
    values = np.full(groups.size, 1 / groups.shape[1])
    return sparse.csr_matrix((values, (rows, groups.ravel())), (len(groups), count))


def vertex_normals(vertices: Array, triangles: Array) -> Array:
    """(V, 3) unit normals, the faces' weighted by area."""
    a, b, c = (vertices[triangles[:, k]] for k in range(3))
    faces = np.cross(b - a, c - a)
    total = np.stack([np.bincount(triangles.ravel(), np.repeat(faces[:, k], 3), len(vertices)) for k in range(3)], -1)
    return np.asarray(total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-20))
