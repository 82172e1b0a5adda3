"""Catmull-Clark against its definition."""

from __future__ import annotations

import numpy as np
import pytest

from handkit.datasets.synthetic.subdivision import subdivide, vertex_normals

CUBE = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], float)
CUBE_QUADS = np.array([[0, 1, 3, 2], [4, 6, 7, 5], [0, 4, 5, 1], [2, 3, 7, 6], [0, 2, 6, 4], [1, 5, 7, 3]])
CORNERS = np.tile(np.array([[0, 0], [1, 0], [1, 1], [0, 1]], float), (6, 1, 1))


def test_a_cube_becomes_what_the_paper_says() -> None:
    fine = subdivide(CUBE_QUADS, CORNERS, 8, 1)
    vertices = fine.matrix @ CUBE
    assert vertices.shape == (8 + 6 + 12, 3)
    # A corner of valence 3: (mean of faces + 2 mean of edge middles) / 3 = (1/3 + 2 * 2/3) / 3 = 5/9.
    np.testing.assert_allclose(vertices[:8], CUBE * 5 / 9)
    np.testing.assert_allclose(np.linalg.norm(vertices[8:14], axis=1), 1)
    # An edge: mean of its ends and of the two faces beside it.
    np.testing.assert_allclose(np.abs(vertices[14:]).max(1), 0.75)


def test_rows_sum_to_one_and_a_closed_mesh_stays_closed() -> None:
    fine = subdivide(CUBE_QUADS, CORNERS, 8, 3)
    np.testing.assert_allclose(np.asarray(fine.matrix.sum(1)).ravel(), 1)
    ends = np.sort(np.concatenate([fine.quads[:, [i, (i + 1) % 4]] for i in range(4)]), 1)
    _, uses = np.unique(ends, axis=0, return_counts=True)
    assert (uses == 2).all()
    assert len(fine.triangles) == 2 * 6 * 4**3


def test_children_lie_in_their_parents_texture() -> None:
    corners = CORNERS + np.arange(6)[:, None, None] * 10
    fine = subdivide(CUBE_QUADS, corners, 8, 2)
    assert (np.floor(fine.uv.reshape(6, 16, 4, 2).mean(2) / 10) == np.arange(6)[:, None, None]).all()
    np.testing.assert_allclose(fine.uv.reshape(6, -1, 2).max(1), corners.max(1))


def test_normals_point_outwards_with_the_winding() -> None:
    fine = subdivide(CUBE_QUADS, CORNERS, 8, 3)
    vertices = fine.matrix @ CUBE
    normals = vertex_normals(vertices, fine.triangles)
    facing = (normals * vertices / np.linalg.norm(vertices, axis=1, keepdims=True)).sum(1)
    assert facing.min() > 0.9


def test_open_edges_stay_in_place() -> None:
    grid = np.array([[x, y, x * y] for x in range(3) for y in range(3)], float)
    quads = np.array([[0, 3, 4, 1], [1, 4, 5, 2], [3, 6, 7, 4], [4, 7, 8, 5]])
    fine = subdivide(quads, CORNERS[:4], 9, 1)
    vertices = fine.matrix @ grid
    border = [0, 1, 2, 3, 5, 6, 7, 8]
    np.testing.assert_allclose(vertices[border], grid[border])
    assert vertices[4] == pytest.approx(grid[4])  # a flat grid's middle has no reason to move
