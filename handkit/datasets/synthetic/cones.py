"""Rays from the camera onto round cones, in closed form.

A round cone joins a sphere of radius ra about a with one of radius rb about b; it is the union of the two and of a
side between them. With v = b - a, e = ra - rb and D = |v|^2 - e^2, the side is where D (|p - a|^2 - ra^2) = y^2 for
y = (p - a) v - ra e, as far as 0 <= y <= D: the envelope of the spheres of radius ra - s e about a + s v, of which the
one with s = y / D touches it in p.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from handkit.datasets.synthetic.rays import Hits

Array = NDArray[Any]

# Many small windows are computed together, the k largest ones in groups of their own.
_SPLITS = (12, 20, 26, 30, 34, 40)


@dataclass(frozen=True)
class Cones:
    """C round cones before the camera, made of V spheres; no sphere of a cone lies within its other one.

    Args:
        centres: (V, 3) metres in the camera's frame.
        radii: (V,) metres.
        ends: (C, 2) indices of each cone's spheres; every sphere belongs to a cone.
    """

    centres: Array
    radii: Array
    ends: Array

    @cached_property
    def _sides(self) -> Array:
        """(9, C): the numbers of `_side`."""
        (a, b), (ra, rb) = self.centres[self.ends.T], self.radii[self.ends.T]
        v, e = b - a, ra - rb
        length = (v * v).sum(1) - e * e
        c = (a * v).sum(1) + ra * e
        linear = length[:, None] * a - c[:, None] * v
        square = length * ((a * a).sum(1) - ra * ra) - c * c
        return np.vstack([length, c, square, v.T, linear.T]).astype(np.float32)

    @cached_property
    def _balls(self) -> Array:
        """(4, V): the numbers of `_ball`."""
        return np.vstack([(self.centres**2).sum(1) - self.radii**2, self.centres.T]).astype(np.float32)

    @cached_property
    def _first_cone(self) -> Array:
        """(V,) a cone that each sphere belongs to."""
        return np.unique(self.ends, return_index=True)[1] // 2

    def depths(self, x: Array, y: Array) -> tuple[Array, Array]:
        """What rays (x, y, 1) meet first.

        Args:
            x: (1, w) float32 ascending.
            y: (h, 1) float32 ascending.

        Returns:
            (h, w) float32 depth, infinite where nothing is, and (h, w) the nearest cone or -1.
        """
        depth = np.full((y.size, x.size), np.inf, np.float32)
        nearest = np.full(depth.shape, -1, np.int16)
        balls, sides = self.boxes()
        everything = [(balls, self._balls, _ball, self._first_cone), (sides, self._sides, _side, np.arange(len(sides)))]
        for boxes, numbers, meet, cones in everything:
            start = np.stack([np.searchsorted(x[0], boxes[:, 0]), np.searchsorted(y[:, 0], boxes[:, 1])], 1)
            stop = np.stack([np.searchsorted(x[0], boxes[:, 2]), np.searchsorted(y[:, 0], boxes[:, 3])], 1)
            for group in _groups(stop - start):
                t = meet(numbers[:, group, None, None], *_windows(x, y, start[group], stop[group]))
                windows = zip(start[group].tolist(), stop[group].tolist(), cones[group].tolist(), t, strict=True)
                for (left, top), (right, bottom), cone, values in windows:
                    part = np.s_[top:bottom, left:right]
                    values = values[: bottom - top, : right - left]
                    closer = values < depth[part]
                    np.copyto(depth[part], values, where=closer)
                    np.copyto(nearest[part], cone, where=closer, casting="unsafe")
        return depth, nearest

    def first_hits(self, origins: Array, directions: Array) -> Hits:
        """(N, 3) origins, all of them the camera's (0), and directions with z > 0 -> the nearest cone of each ray."""
        x, y = (directions[:, :2] / directions[:, 2:]).T
        balls, sides = _ball(self._balls[..., None], x, y), _side(self._sides[..., None], x, y)
        t = np.concatenate([balls, sides])
        part = np.concatenate([self._first_cone, np.arange(len(sides))])[t.argmin(0)]
        t = t.min(0)
        return Hits(np.where(np.isfinite(t), part, -1), t / directions[:, 2])

    def places(self, cone: Array, points: Array) -> tuple[Array, Array]:
        """Of (N, 3) points on the surface of these cones: (N,) s from 0 to 1 along them, and (N, 3) unit normals."""
        (a, b), (ra, rb) = self.centres[self.ends.T], self.radii[self.ends.T]
        v = b - a
        length = (v * v).sum(1) - (ra - rb) ** 2
        # s = ((p - a) v - ra e) / D, linear in p.
        slope = (v / length[:, None]).astype(np.float32)
        start = (((a * v).sum(1) + ra * (ra - rb)) / length).astype(np.float32)
        s = np.clip(np.einsum("ij,ij->i", points, slope[cone]) - start[cone], 0, 1)
        normals = points - a.astype(np.float32)[cone] - s[:, None] * v.astype(np.float32)[cone]
        return s, normals / np.sqrt(np.einsum("ij,ij->i", normals, normals))[:, None]

    def boxes(self) -> tuple[Array, Array]:
        """(V, 4) and (C, 4) x1, y1, x2, y2 that hold the spheres' and the cones' outlines among rays (x, y, 1).

        Infinite where a sphere reaches the camera's plane.
        """
        near, far = ((self.centres[:, 2] + side * self.radii)[:, None] for side in (-1, 1))
        low, high = (self.centres[:, :2] + side * self.radii[:, None] for side in (-1, 1))
        with np.errstate(divide="ignore", invalid="ignore"):
            low, high = np.minimum(low / near, low / far), np.maximum(high / near, high / far)
        low, high = np.where(near > 0, low, -np.inf), np.where(near > 0, high, np.inf)
        ends = self.ends.T
        cones = np.hstack([low[ends].min(0), high[ends].max(0)])
        return np.hstack([low, high]), cones


def _groups(sizes: Array) -> list[Array]:
    """(N, 2) widths and heights of windows -> indices of those that are not empty, in groups of about one size."""
    order = sizes.prod(1).argsort()
    return [part for part in np.split(order[(sizes[order] > 0).all(1)], _SPLITS) if len(part)]


def _windows(x: Array, y: Array, start: Array, stop: Array) -> tuple[Array, Array]:
    """Columns (N, 1, w) and rows (N, h, 1) of N windows (left, top) to (right, bottom), as large as the largest."""
    width, height = (stop - start).max(0)
    columns = np.minimum(start[:, :1] + np.arange(width), x.size - 1)
    rows = np.minimum(start[:, 1:] + np.arange(height), y.size - 1)
    return x[0, columns][:, None], y[rows, 0][..., None]


def _ball(numbers: Any, x: Array, y: Array) -> Array:
    """t at which rays t (x, y, 1) meet a sphere, infinite where they miss it.

    |t d - c|^2 = r^2 for d = (x, y, 1); `numbers` are |c|^2 - r^2 and c.
    """
    square, cx, cy, cz = numbers
    dd = x * x + (y * y + 1)
    ahead = x * cx + (y * cy + cz)
    inside = ahead * ahead - dd * square
    hit = inside > 0
    t = (ahead - np.sqrt(np.where(hit, inside, 0))) / dd
    return np.where(hit & (t > 0), t, np.inf)


def _side(numbers: Any, x: Array, y: Array) -> Array:
    """t at which rays t (x, y, 1) meet the side of a round cone, infinite where they miss it.

    A t^2 - 2 B t + C = 0 with A = D |d|^2 - (v d)^2 and B = (D a - c v) d, where c = a v + ra e; `numbers` are D, c,
    C, v and D a - c v. The root is the nearer one, or, where the ray runs within the cone's opening and A is negative,
    the one at which it enters the cone and not its mirror image beyond the apex.
    """
    length, c, square, vx, vy, vz, bx, by, bz = numbers
    along = x * vx + (y * vy + vz)
    B = x * bx + (y * by + bz)
    A = x * x * length + (y * y + 1) * length
    A -= along * along
    inside = B * B
    inside -= A * square
    hit = inside > 0
    B -= np.sqrt(np.where(hit, inside, 0))
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.divide(B, A, out=B)
    along *= t
    hit &= along >= c
    hit &= along <= c + length
    hit &= t > 0
    return np.where(hit, t, np.inf)
