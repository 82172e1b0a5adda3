"""Light on skin: a soft key light with shadow, a fill, the sky's ambience with occlusion, and light under the skin.

Works on the grid of samples of an image, so that light can be spread to neighbouring samples. Colours are linear RGB;
directions are in the camera's frame (x right, y down, z forward) and point away from the surface.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from handkit.datasets.synthetic.rays import Caster
from handkit.datasets.synthetic.skin import Material

Array = NDArray[Any]

# Mean path of red, green and blue light under skin, metres (order of d'Eon and Luebke, GPU Gems 3, chapter 14).
_SCATTER = (1.6e-3, 0.7e-3, 0.45e-3)
_LIFT = 3e-4
_REACH = 0.06


@dataclass(frozen=True)
class Light:
    """The light of a scene.

    Args:
        key: (3,) unit direction to the main light.
        key_color: (3,).
        softness: tangent of the main light's angular radius; large lights have soft shadows.
        fill: (3,) unit direction to a second light, which casts no shadow.
        fill_color: (3,).
        up: (3,) unit direction to the sky.
        sky_color: (3,) ambience from above.
        ground_color: (3,) from below.
    """

    key: Array
    key_color: Array
    softness: float
    fill: Array
    fill_color: Array
    up: Array
    sky_color: Array
    ground_color: Array


@dataclass(frozen=True)
class Samples:
    """The hand's surface at the samples of a grid of (h, w), N of which show it.

    Args:
        mask: (h, w) bool, where the hand is seen.
        points: (N, 3) in the camera's frame, metres.
        normals: (N, 3) unit.
        spacing: metres between neighbouring samples on the hand, about.
    """

    mask: Array
    points: Array
    normals: Array
    spacing: float

    def grid(self, values: Array) -> Array:
        """(N, ...) -> (h, w, ...) float32, 0 off the hand."""
        out = np.zeros((*self.mask.shape, *values.shape[1:]), np.float32)
        out[self.mask] = values
        return out

    def spread(self, values: Array, width: float) -> Array:
        """(N, ...) averaged over neighbours on the hand with a gaussian of deviation `width` metres."""
        sigma = width / self.spacing
        if sigma < 0.3:
            return values
        weight = cv2.GaussianBlur(self.mask.astype(np.float32), (0, 0), sigma)[self.mask]
        blurred = cv2.GaussianBlur(self.grid(values), (0, 0), sigma)[self.mask]
        return np.asarray(blurred / weight.reshape(-1, *[1] * (values.ndim - 1)))


def unit(vectors: Array) -> Array:
    """(..., 3) vectors scaled to length 1."""
    length = np.sqrt(np.einsum("...i,...i->...", vectors, vectors))[..., None]
    return np.asarray(vectors / np.maximum(length, 1e-20))


def shade(samples: Samples, material: Material, light: Light, caster: Caster, rng: np.random.Generator) -> Array:
    """(N, 3) linear RGB that leaves the samples towards the camera (at the origin)."""
    light = _single(light)
    normals = bumped_normals(samples, material.height)
    origins = samples.points + np.float32(_LIFT) * samples.normals
    toward = unit(light.key + light.softness * rng.standard_normal(origins.shape, np.float32))
    seen = np.float32(1) - caster.occluded(origins, toward, 1.0)
    seen = samples.spread(seen, 1.3 * samples.spacing)
    open_sky = np.float32(1) - caster.occluded(
        origins, unit(samples.normals + unit(rng.standard_normal(origins.shape, np.float32))), _REACH
    )
    open_sky = samples.spread(open_sky, max(2.5e-3, 2.5 * samples.spacing))

    up = normals @ light.up
    ambience = light.ground_color + (light.sky_color - light.ground_color) * (up[:, None] + 1) / 2
    # What an occluded point loses in white light it partly gets back from red-lit skin nearby.
    ambience = ambience * open_sky[:, None] ** np.array([0.75, 1.0, 1.05], np.float32)
    key = np.clip(normals @ light.key, 0, None) * seen
    fill = np.clip(0.8 * (normals @ light.fill) + 0.2, 0, None) * open_sky
    light_in = ambience + key[:, None] * light.key_color + fill[:, None] * light.fill_color
    under = np.stack([samples.spread(light_in[:, k], width) for k, width in enumerate(_SCATTER)], -1)
    # Most light leaves the skin where it scattered to, the rest where it fell: this keeps the relief.
    diffuse = material.albedo * (0.7 * under + 0.3 * light_in)

    view = unit(-samples.points)
    gloss = _reflection(normals, view, light.key, material) * seen
    shine = gloss[:, None] * light.key_color
    shine += (_reflection(normals, view, light.fill, material) * open_sky)[:, None] * light.fill_color
    fresnel = material.mirror + (1 - material.mirror) * (1 - np.clip((normals * view).sum(1), 0, 1)) ** 5
    shine += (0.5 * fresnel * open_sky)[:, None] * ambience
    return np.asarray(diffuse + shine)


def _single(light: Light) -> Light:
    """The light with its arrays in single precision."""
    names = ("key", "key_color", "fill", "fill_color", "up", "sky_color", "ground_color")
    arrays: dict[str, Any] = {name: getattr(light, name).astype(np.float32) for name in names}
    return replace(light, **arrays)


def bumped_normals(samples: Samples, height: Array) -> Array:
    """Normals tilted by the slope of a height, from differences between neighbouring samples.

    Mikkelsen, "Bump mapping unparametrized surfaces on the GPU", 2010. Slopes across the hand's outline count as 0.
    """
    grid = samples.grid(np.column_stack([samples.points, height]))
    slopes = []
    for axis in (1, 0):
        ahead, behind = np.roll(grid, -1, axis), np.roll(grid, 1, axis)
        step = (ahead - behind)[samples.mask] / 2
        step[np.abs(step[:, 2]) > 4 * samples.spacing] = 0
        slopes.append(step)
    right, down = slopes
    across, along = np.cross(down[:, :3], samples.normals), np.cross(samples.normals, right[:, :3])
    area = (right[:, :3] * across).sum(1, keepdims=True)
    tilt = np.sign(area) * (right[:, 3:] * across + down[:, 3:] * along)
    bumped = unit(np.abs(area) * samples.normals - tilt)
    return np.where(np.abs(area) > 1e-14, bumped, samples.normals)


def _reflection(normals: Array, view: Array, toward: Array, material: Material) -> Array:
    """(N,) reflected share of a light's colour: GGX with Schlick's Fresnel and Smith's masking (Walter et al. 2007)."""
    half = unit(view + toward)
    cos_light = np.clip(normals @ toward, 0, 1)
    cos_view = np.clip((normals * view).sum(1), 0.05, 1)
    cos_half = np.clip((normals * half).sum(1), 0, 1)
    alpha = material.roughness**2
    spread = alpha**2 / (np.pi * ((alpha**2 - 1) * cos_half**2 + 1) ** 2)
    fresnel = material.mirror + (1 - material.mirror) * (1 - np.clip((view * half).sum(1), 0, 1)) ** 5
    k = alpha / 2
    masking = 1 / ((cos_light * (1 - k) + k) * (cos_view * (1 - k) + k))
    return np.asarray(spread * fresnel * masking / 4 * cos_light * np.pi)
