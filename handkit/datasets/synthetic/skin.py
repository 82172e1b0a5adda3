"""What a point of skin looks like: its colour and gloss from tone, chart and noise."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from handkit.datasets.synthetic.noise import solid_noise

Array = NDArray[Any]

# sRGB of the back of the hand from very light to very dark skin, and of the palm that goes with it.
_BACKS = ((238, 200, 180), (226, 180, 155), (206, 155, 124), (172, 121, 90), (124, 82, 60), (84, 56, 44))
_PALMS = ((240, 200, 184), (232, 188, 168), (220, 172, 148), (204, 152, 126), (186, 134, 112), (166, 120, 102))
# How strongly blood and creases darken red, green and blue.
_BLOOD = np.array([0.05, 0.34, 0.28], np.float32)
_CREASE = np.array([0.30, 0.48, 0.50], np.float32)
_MM = 1e-3


@dataclass(frozen=True)
class Skin:
    """One person's skin.

    Args:
        tone: 0 very light to 1 very dark.
        flush: how red knuckles, fingertips and palm are; 1 is usual.
        mottling: strength of the uneven colour; 1 is usual.
        relief: strength of creases and wrinkles; 1 is usual, more looks older.
        roughness: of the surface, 0.3 moist to 0.6 dry.
        seed: where in the noise this person lies.
        polish: (3,) sRGB of nail polish in [0, 1], or None.
        chart: file name of a photographed skin in the folder `HandSynth` was given, or None for a skin by rule.
    """

    tone: float = 0.25
    flush: float = 1.0
    mottling: float = 1.0
    relief: float = 1.0
    roughness: float = 0.45
    seed: float = 0.0
    polish: tuple[float, float, float] | None = None
    chart: str | None = None


@dataclass(frozen=True)
class Material:
    """The surface at N points.

    Args:
        albedo: (N, 3) linear RGB.
        roughness: (N,) of the reflection.
        mirror: (N,) share of light reflected head-on.
        height: (N,) metres above the smooth surface.
    """

    albedo: Array
    roughness: Array
    mirror: Array
    height: Array

    def set_rows(self, rows: Array, other: Material) -> None:
        """Overwrites the values at some indices."""
        for field in fields(self):
            getattr(self, field.name)[rows] = getattr(other, field.name)

    def with_rows(self, rows: Array, other: Material) -> Material:
        """Another material's values at the rows of a (N,) mask."""
        if not rows.any():
            return self
        parts = {field.name: getattr(self, field.name).copy() for field in fields(self)}
        for name, values in parts.items():
            values[rows] = getattr(other, name)
        return Material(**parts)


def srgb_to_linear(value: Array) -> Array:
    """[0, 1] display values -> light (IEC 61966-2-1)."""
    value = np.asarray(value)
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def linear_to_srgb(value: Array) -> Array:
    """Light in [0, 1] -> display values."""
    value = np.clip(value, 0, 1)
    return np.asarray(np.where(value <= 0.0031308, value * 12.92, 1.055 * value ** (1 / 2.4) - 0.055))


def _tone(table: tuple[tuple[int, int, int], ...], tone: float) -> Array:
    linear = srgb_to_linear(np.array(table) / 255) * 0.92
    place = np.linspace(0, 1, len(table))
    return np.array([np.interp(tone, place, channel) for channel in linear.T], np.float32)


def tones(skin: Skin) -> tuple[Array, Array]:
    """(3,) linear RGB of the back of the hand, and of its palm."""
    return _tone(_BACKS, skin.tone), _tone(_PALMS, skin.tone)


def _nail(palm: Array, place: Array, grain: Array) -> Array:
    """(N, 3) albedo of nails: a pink bed, a pale moon at the root, a white free edge."""
    pale = 0.35 * (1 - np.clip((place - 0.1) / 0.16, 0, 1)) + 0.75 * np.clip((place - 0.86) / 0.06, 0, 1)
    bed = palm * np.array([1.0, 0.84, 0.82], np.float32) * (1 + 0.03 * grain[:, None])
    return np.asarray(bed + pale[:, None] * (np.array([0.82, 0.76, 0.68], np.float32) - bed))


def skin_material(skin: Skin, rest: Array, chart: Array, nail_place: Array) -> Material:
    """The surface at N points.

    Args:
        skin: whose skin.
        rest: (N, 3) where the points lie on the rest pose, metres.
        chart: (N, 4) the layers of `markings.LAYERS` there.
        nail_place: (N,) on nail plates how far from the root (0) to the edge (1), elsewhere negative.
    """
    nail = (nail_place >= 0).astype(np.float32)
    palmar, flush, crease, height = chart.T
    patches = solid_noise(rest, 25 * _MM, skin.seed)
    grain = solid_noise(rest, 4 * _MM, skin.seed + 7)
    pores = solid_noise(rest, 1.3 * _MM, skin.seed + 3)
    back, palm = tones(skin)
    albedo = back + palmar[:, None] * (palm - back)
    blood = skin.flush * flush + skin.mottling * (0.16 * patches + 0.14 * grain)
    albedo = albedo * np.exp(-np.maximum(blood, -0.5)[:, None] * _BLOOD)
    albedo *= 1 + skin.mottling * (0.03 * patches + 0.03 * grain + 0.02 * pores)[:, None]
    albedo *= 1 - np.clip(crease * skin.relief * 0.6, 0, 1)[:, None] * _CREASE
    bed = _nail(palm, nail_place, grain) if skin.polish is None else srgb_to_linear(np.array(skin.polish))
    albedo += nail[:, None] * (bed - albedo)
    return Material(
        albedo=np.clip(albedo, 0, 1),
        roughness=skin.roughness * (1 - (0.3 if skin.polish is None else 0.55) * nail),
        mirror=0.028 + 0.022 * nail,
        height=skin.relief * (height + 0.035 * _MM * pores + 0.03 * _MM * grain) * (1 - nail),
    )
