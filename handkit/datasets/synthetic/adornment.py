"""Rings, bracelets and watches: bands of another material painted around a finger or the arm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from handkit.datasets.synthetic.arm import ELBOW, FINGERS_AT, Geometry
from handkit.datasets.synthetic.skin import Material, srgb_to_linear

Array = NDArray[Any]

_MM = 1e-3


@dataclass(frozen=True)
class Band:
    """A band around a bone.

    Args:
        bone: index into `BONES`: a bone of a finger, or `ELBOW` for the forearm.
        place: where its middle lies: share of the finger bone's length, or metres from the wrist to the elbow.
        half: half its width, metres.
        height: how far it stands off the skin, metres.
        color: (3,) sRGB in [0, 1].
        roughness: of its surface.
        mirror: share of light reflected head-on, large for metal.
        dial: radius of a watch's round face on the back of the arm, metres; 0 for none.
        dial_color: (3,) sRGB of the face.
    """

    bone: int
    place: float
    half: float
    height: float = 1e-3
    color: tuple[float, float, float] = (0.85, 0.68, 0.35)
    roughness: float = 0.25
    mirror: float = 0.5
    dial: float = 0.0
    dial_color: tuple[float, float, float] = (0.9, 0.9, 0.88)


def wear(band: Band, bones: Geometry, material: Material, rest: Array, strongest: Array) -> Material:
    """The material with a band over it.

    Args:
        band: the band.
        bones: the arm at rest.
        material: of the bare surface at N points.
        rest: (N, 3) where they lie at rest, metres.
        strongest: (N,) index into `BONES` of the bone that moves each point most.
    """
    off, on = _distances(band, bones, rest, strongest)
    covered = on & (off < 1)
    color = np.tile(srgb_to_linear(np.array(band.color)), (len(rest), 1))
    height = band.height * np.sqrt(np.clip(1 - off**4, 0, 1))
    if band.dial:
        elbow = bones.heads[ELBOW]
        across = np.hypot(rest @ elbow / np.linalg.norm(elbow) - band.place, rest[:, 0])
        face = on & (across < band.dial) & (rest[:, 2] < 0)
        inner = face & (across < 0.86 * band.dial)
        color[face], color[inner] = 0.75 * color[face], srgb_to_linear(np.array(band.dial_color))
        height = np.where(face, band.height + np.where(inner, 1.5, 2.5) * _MM, height)
        covered |= face
    count = int(covered.sum())
    cover = Material(color[covered], np.full(count, band.roughness), np.full(count, band.mirror), height[covered])
    return material.with_rows(covered, cover)


def _distances(band: Band, bones: Geometry, rest: Array, strongest: Array) -> tuple[Array, Array]:
    """(N,) distance from the band's middle over half its width, and (N,) bool which points are on its limb."""
    if band.bone >= FINGERS_AT:
        head, bone = bones.heads[band.bone], bones.tails[band.bone] - bones.heads[band.bone]
        length = np.linalg.norm(bone)
        along = (rest - head) @ (bone / length) - band.place * length
        near = np.linalg.norm(np.cross(rest - head, bone / length), axis=1) < 16 * _MM
        return np.abs(along) / band.half, near & (strongest >= FINGERS_AT) & _same_finger(strongest, band.bone)
    elbow = bones.heads[ELBOW]
    along = rest @ (elbow / np.linalg.norm(elbow)) - band.place
    return np.abs(along) / band.half, strongest < FINGERS_AT


def _same_finger(strongest: Array, bone: int) -> Array:
    return np.asarray((strongest - FINGERS_AT) // 3 == (bone - FINGERS_AT) // 3)
