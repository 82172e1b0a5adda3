"""A sleeve: the arm's own surface beyond a cuff, pushed outwards and coloured as cloth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from handkit.datasets.synthetic.noise import solid_noise
from handkit.datasets.synthetic.skin import Material, srgb_to_linear

Array = NDArray[Any]

_MM = 1e-3


@dataclass(frozen=True)
class Sleeve:
    """A sleeve.

    Args:
        start: how far behind the wrist the cuff lies, metres.
        thickness: how far the cloth stands off the skin, metres.
        folds: depth of its folds, metres.
        color: (3,) sRGB in [0, 1].
        stripes: strength of stripes around the arm, 0 for none.
        seed: where in the noise its folds lie.
    """

    start: float
    thickness: float = 6e-3
    folds: float = 4e-3
    color: tuple[float, float, float] = (0.3, 0.35, 0.5)
    stripes: float = 0.0
    seed: float = 0.0


def dressed(sleeve: Sleeve, vertices: Array, normals: Array, rest: Array, arm_place: Array) -> Array:
    """(V, 3) vertices, those beyond the cuff moved out; `rest` is where they lie at rest, `arm_place` how far along."""
    rows = np.flatnonzero(arm_place > sleeve.start)
    inside = arm_place[rows] - sleeve.start
    folds = sleeve.folds * (solid_noise(rest[rows], 45 * _MM, sleeve.seed) + 0.4 * solid_noise(rest[rows], 18 * _MM))
    # The cuff itself is smooth; folds grow behind it.
    growth = np.clip(inside / (40 * _MM), 0, 1)
    rise = np.clip(inside / (6 * _MM), 0, 1)
    off = rise * (2 - rise) * sleeve.thickness * (1 + growth)
    off += np.maximum(folds * growth, -0.8 * sleeve.thickness)
    moved: Array = vertices.copy()
    moved[rows] += normals[rows] * off[:, None]
    return moved


def cloth_material(sleeve: Sleeve, rest: Array) -> Material:
    """The cloth at (N, 3) places of the rest pose."""
    weave = solid_noise(rest, 2 * _MM, sleeve.seed)
    shade = 1 + 0.06 * weave + 0.05 * solid_noise(rest, 60 * _MM, sleeve.seed)
    stripes = 1 - sleeve.stripes * (np.sin(rest[:, 1] * (2 * np.pi / (14 * _MM))) > 0)
    color = srgb_to_linear(np.array(sleeve.color))
    count = len(rest)
    return Material(
        albedo=np.clip(color * (shade * stripes)[:, None], 0, 1),
        roughness=np.full(count, 0.8),
        mirror=np.full(count, 0.02),
        height=0.08 * _MM * weave,
    )
