"""Rays and what they meet first; ray casting on triangles with Embree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from handkit.errors import MissingExtraError

Array = NDArray[Any]


@dataclass(frozen=True)
class Hits:
    """What N rays met first.

    Args:
        part: (N,) index of a triangle or of another piece of a surface, -1 where nothing was met.
        distance: (N,) along the ray in units of its direction's length; infinite where nothing was met.
    """

    part: Array
    distance: Array


@dataclass(frozen=True)
class TriangleHits(Hits):
    """Where N rays met triangles.

    Args:
        part: (N,) index of a triangle, -1 where nothing was met.
        distance: (N,) along the ray in units of its direction's length; infinite where nothing was met.
        u: (N,) barycentric weight of the triangle's second corner.
        v: (N,) of its third.
    """

    u: Array
    v: Array

    def rows(self, rows: Array, first: int = 0) -> TriangleHits:
        """Some of these hits, their triangles counted from the triangle `first`."""
        return TriangleHits(self.part[rows] - first, self.distance[rows], self.u[rows], self.v[rows])

    def interpolate(self, corners: Array, rows: Array) -> Array:
        """(T, 3, C) values at the triangles' corners -> (len(rows), C) at these hits."""
        at, u, v = corners[self.part[rows]], self.u[rows, None], self.v[rows, None]
        return np.asarray(at[:, 0] * (1 - u - v) + at[:, 1] * u + at[:, 2] * v)

    def interpolate_vertices(self, values: Array, triangles: Array, rows: Array) -> Array:
        """(V, C) values at the (T, 3) triangles' vertices -> (len(rows), C) at these hits."""
        corners = triangles[self.part[rows]]
        u, v = self.u[rows, None], self.v[rows, None]
        return np.asarray(values[corners[:, 0]] * (1 - u - v) + values[corners[:, 1]] * u + values[corners[:, 2]] * v)


class Caster:
    """A scene of triangles that rays are cast into.

    Args:
        vertices: (V, 3).
        triangles: (T, 3) indices.

    Raises:
        MissingExtraError: embreex is not installed.
    """

    def __init__(self, vertices: Array, triangles: Array) -> None:
        try:
            from embreex.mesh_construction import TriangleMesh
            from embreex.rtcore_scene import EmbreeScene
        except ImportError as error:
            raise MissingExtraError("embreex", "synth", "rendering hands") from error
        self._scene = EmbreeScene()
        # The mesh registers itself with the scene and must live as long.
        self._mesh = TriangleMesh(self._scene, vertices.astype(np.float32), triangles.astype(np.int32))

    def first_hits(self, origins: Array, directions: Array) -> TriangleHits:
        """(N, 3) origins and directions -> the nearest triangle of each ray."""
        answer = self._scene.run(_rays(origins), _rays(directions), query="INTERSECT", output=1)
        met = answer["primID"] >= 0
        distance = np.where(met, answer["tfar"], np.inf)
        return TriangleHits(answer["primID"], distance, answer["u"], answer["v"])

    def occluded(self, origins: Array, directions: Array, far: float) -> Array:
        """(N,) bool: something lies within `far` on the way."""
        reach = np.full(len(origins), far, np.float32)
        return np.asarray(self._scene.run(_rays(origins), _rays(directions), dists=reach, query="OCCLUDED") >= 0)


def _rays(values: Array) -> Array:
    return np.ascontiguousarray(values, np.float32)
