"""Things in the picture: what a hand holds and what stands before it, as small meshes with a patterned surface."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from handkit.datasets.synthetic.noise import solid_noise
from handkit.datasets.synthetic.skin import Material, srgb_to_linear

Array = NDArray[Any]
Kind = Literal["box", "cylinder", "ball"]

_MM = 1e-3
_SEGMENTS = 40


@dataclass(frozen=True)
class Thing:
    """A thing of one simple form.

    Args:
        kind: 'box', 'cylinder' (its axis is the second of its own axes) or 'ball'.
        rotation: (3, 3) from its own axes to those of its frame.
        centre: (3,) metres in its frame.
        size: (3,) half its extent along its own axes, metres.
        held: its frame is the hand's (see `arm`, mirrored with a left hand), else the camera's.
        color: (3,) sRGB in [0, 1].
        accent: (3,) sRGB of its pattern.
        pattern: 0 for plain, else the width of stripes (positive) or patches (negative) in metres.
        roughness: of the surface, 0.1 polished to 0.9 dull.
        mirror: share of light reflected head-on.
        seed: where in the noise its pattern lies.
    """

    kind: Kind
    rotation: Array
    centre: Array
    size: Array
    held: bool = True
    color: tuple[float, float, float] = (0.2, 0.3, 0.5)
    accent: tuple[float, float, float] = (0.8, 0.8, 0.8)
    pattern: float = 0.0
    roughness: float = 0.4
    mirror: float = 0.04
    seed: float = 0.0


@dataclass(frozen=True)
class PlacedThing:
    """A thing before the camera; arrays are in the camera's frame, metres.

    Args:
        thing: what it is.
        vertices: (V, 3).
        normals: (V, 3) unit.
        triangles: (T, 3).
        axes: (3, 3) from its own axes to the camera's, a reflection where a left hand holds it.
        centre: (3,).
    """

    thing: Thing
    vertices: Array
    normals: Array
    triangles: Array
    axes: Array
    centre: Array

    def material(self, points: Array) -> Material:
        """The surface at (N, 3) points in the camera's frame."""
        thing, count = self.thing, len(points)
        own = (points - self.centre) @ self.axes
        color, accent = (srgb_to_linear(np.array(value)) for value in (thing.color, thing.accent))
        share = np.zeros(count)
        if thing.pattern > 0:
            share = (np.sin(own[:, 1] * (np.pi / thing.pattern)) > 0.2).astype(float)
        elif thing.pattern < 0:
            share = (solid_noise(own, -thing.pattern * 3, thing.seed) > 0.5).astype(float)
        wear = 1 + 0.05 * solid_noise(own, 20 * _MM, thing.seed)
        return Material(
            albedo=np.clip((color + share[:, None] * (accent - color)) * wear[:, None], 0, 1),
            roughness=np.full(count, thing.roughness),
            mirror=np.full(count, thing.mirror),
            height=np.zeros(count),
        )


def placed_thing(thing: Thing, to_camera: Array, shift: Array) -> PlacedThing:
    """A thing put before the camera.

    Args:
        thing: the thing.
        to_camera: (3, 3) from the axes of the hand's frame to the camera's, a reflection for a left hand.
        shift: (3,) where the hand's frame begins, metres in the camera's frame.
    """
    vertices, normals, triangles = _MESHES[thing.kind]
    axes, centre = thing.rotation, thing.centre
    if thing.held:
        axes, centre = to_camera @ axes, to_camera @ centre + shift
    normals = normals / thing.size
    normals = normals / np.linalg.norm(normals, axis=1, keepdims=True)
    return PlacedThing(thing, (vertices * thing.size) @ axes.T + centre, normals @ axes.T, triangles, axes, centre)


def _box() -> tuple[Array, Array, Array]:
    corners = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)], float)
    vertices, normals = [], []
    for axis in range(3):
        for sign in (-1.0, 1.0):
            face = np.insert(corners[:: int(sign)], axis, sign, axis=1)
            vertices.append(face)
            normals.append(np.tile(sign * np.eye(3)[axis], (4, 1)))
    quads = np.arange(24).reshape(6, 4)
    return np.concatenate(vertices), np.concatenate(normals), np.concatenate([quads[:, :3], quads[:, [0, 2, 3]]])


def _turned(profile: Array, normals: Array) -> tuple[Array, Array, Array]:
    """A surface of revolution about the second axis from (P, 2) points (radius, height) and their normals."""
    angle = np.arange(_SEGMENTS) * (2 * np.pi / _SEGMENTS)
    around = np.stack([np.cos(angle), np.sin(angle)], -1)

    def turn(values: Array) -> Array:
        radius, height = np.broadcast_arrays(values[:, :1], values[:, 1:])
        x, z = radius * around[:, 0], radius * around[:, 1]
        return np.stack([x, np.broadcast_to(height, x.shape), z], -1).reshape(-1, 3)

    rings = np.arange(len(profile) * _SEGMENTS).reshape(len(profile), _SEGMENTS)
    a, b = rings[:-1], rings[1:]
    c, d = np.roll(b, -1, 1), np.roll(a, -1, 1)
    triangles = np.concatenate([np.stack(parts, -1).reshape(-1, 3) for parts in ((a, b, c), (a, c, d))])
    return turn(profile), turn(normals), triangles


def _cylinder() -> tuple[Array, Array, Array]:
    profile = np.array([(1e-4, -1), (1, -1), (1, -1), (1, 1), (1, 1), (1e-4, 1)], float)
    normals = np.array([(0, -1), (0, -1), (1, 0), (1, 0), (0, 1), (0, 1)], float)
    return _turned(profile, normals)


def _ball() -> tuple[Array, Array, Array]:
    angle = np.linspace(-np.pi / 2, np.pi / 2, 21)
    profile = np.stack([np.maximum(np.cos(angle), 1e-4), np.sin(angle)], -1)
    return _turned(profile, profile)


_MESHES = {"box": _box(), "cylinder": _cylinder(), "ball": _ball()}
