"""From a scene to a picture of a hand of round cones: every sample's nearest cone, then simple light on skin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from handkit.datasets.synthetic.arm import ELBOW, FINGERS_AT, WRIST
from handkit.datasets.synthetic.background import room
from handkit.datasets.synthetic.capsules import CapsuleArm
from handkit.datasets.synthetic.cones import Cones
from handkit.datasets.synthetic.picture import SUPERSAMPLING, Window, expose, labels_of, window_of
from handkit.datasets.synthetic.posing import bone_transforms, moved, posed_bones
from handkit.datasets.synthetic.scene import MIRROR, Scene
from handkit.datasets.synthetic.shading import Light, Samples, unit
from handkit.datasets.synthetic.skin import srgb_to_linear, tones
from handkit.datasets.synthetic.surface import HAND_END
from handkit.datasets.synthetic.visibility import visibility

Array = NDArray[Any]

_MM = 1e-3
# Over how wide a neighbourhood normals are averaged, so that the flesh has no seams.
_SMOOTH = 2 * _MM
# Where two fingers meet light is lost: over how wide a neighbourhood, and how much per metre of depth.
_CREVICE = 6 * _MM
_LOSS = 55.0
# How strongly blood and creases darken red, green and blue.
_BLOOD = np.array([0.05, 0.3, 0.24], np.float32)
_NAIL = np.array([0.3, 0.2, 0.16], np.float32)


@dataclass(frozen=True)
class _Placed:
    """A capsule arm before the camera; arrays are in the camera's frame, metres.

    Args:
        cones: its surface.
        joints: (21, 3).
        palmar: (C, 3) unit direction to each cone's palmar side.
        wrist: (3,) the rig's wrist.
        along: (3,) unit direction from it to the elbow.
    """

    cones: Cones
    joints: Array
    palmar: Array
    wrist: Array
    along: Array


class CapsuleRenderer:
    """Renders scenes with an arm of round cones.

    Args:
        arm: the arm.
    """

    def __init__(self, arm: CapsuleArm) -> None:
        self._arm = arm
        self._own = arm.own()
        self._depths = arm.depths()
        self._forearm = arm.owner < WRIST
        part = np.maximum(arm.owner - FINGERS_AT, -1)
        # What the back and the palm's side of a cone show: redness at its start and at its end.
        self._joint = (part >= 0).astype(np.float32)

    def labels(self, scene: Scene) -> list[dict[str, Any]]:
        """Of the hand an item as `HandSynth` describes it, without ``img`` and ``mask``."""
        return [self._labels(scene, self._place(scene))]

    def render(self, scene: Scene) -> tuple[Array, Array, list[dict[str, Any]]]:
        """A picture, its mask as `Window.cover` leaves it, and what `labels` gives.

        Of a scene with things, bands or a second hand only the first hand is shown.
        """
        rng = np.random.default_rng(scene.seed)
        placed = self._place(scene)
        image = room(rng, scene.camera.image_size)
        mask = np.zeros(image.shape[:2], np.uint8)
        middle = (np.array(scene.camera.image_size * 2) - 1) / 2
        window = window_of(placed.cones.boxes()[1] * scene.camera.focal + middle, scene.camera)
        if window is not None:
            window.cover(image, mask, self._shade(scene, placed, window))
        return expose(image, scene.sensor, rng), mask, [self._labels(scene, placed)]

    def _labels(self, scene: Scene, placed: _Placed) -> dict[str, Any]:
        visible = visibility(placed.joints, self._depths * scene.scale, self._own, placed.cones, scene.camera)
        return labels_of(scene, placed.joints, visible)

    def _place(self, scene: Scene) -> _Placed:
        """Poses the arm, mirrors it for a left hand, and puts it before the camera."""
        arm = self._arm
        rest = arm.shaped(scene.shape, scene.scale)
        moves = bone_transforms(rest, scene.pose)
        bent = posed_bones(rest, moves)
        to_camera = (scene.rotation * (MIRROR if scene.side == "left" else np.ones(3))).T
        joints = bent.joints() @ to_camera
        shift = scene.position - (joints.min(0) + joints.max(0)) / 2
        centres = moved(moves[arm.bone], rest.vertices) @ to_camera + shift
        radii = arm.radii_of(scene.shape, scene.scale)
        palmar = np.einsum("cij,cj->ci", moves[arm.owner, :, :3], arm.palmar) @ to_camera
        return _Placed(
            cones=Cones(centres, radii, arm.cones),
            joints=joints + shift,
            palmar=palmar.astype(np.float32),
            wrist=bent.heads[WRIST] @ to_camera + shift,
            along=unit((bent.heads[ELBOW] - bent.heads[WRIST]) @ to_camera),
        )

    def _shade(self, scene: Scene, placed: _Placed, window: Window) -> Array:
        """(h, w, 5) of the pixels in a window, as `Window.cover` takes them.

        Every sample is tested for coverage, but only the nearest one of each pixel is lit.
        """
        x, y = _slopes(scene, window)
        depth, cones = (window.per_pixel(values) for values in placed.cones.depths(x, y))
        covered = (cones >= 0).mean(2, dtype=np.float32)
        mask = covered > 0
        nearest = depth[mask].argmin(1)
        row, column = np.nonzero(mask)
        below, aside = np.divmod(nearest, SUPERSAMPLING)
        z, cone = (values[mask][np.arange(len(row)), nearest] for values in (depth, cones))
        slopes = x[0, column * SUPERSAMPLING + aside], y[row * SUPERSAMPLING + below, 0]
        points = np.stack([slopes[0] * z, slopes[1] * z, z], -1)
        place, normals = placed.cones.places(cone, points)
        samples = Samples(mask, points, normals, float(scene.position[2]) / scene.camera.focal)
        normals = unit(samples.spread(normals, _SMOOTH))
        behind = (points - placed.wrist) @ placed.along
        hand = ~self._forearm[cone] | (behind < HAND_END)
        albedo = self._albedo(scene, placed, cone, place, normals, behind)
        light = _light(scene.light, normals) * _crevices(samples)[:, None]
        layers = np.column_stack([albedo * light, np.ones_like(z), hand]) * covered[mask][:, None]
        return samples.grid(layers)

    def _albedo(self, scene: Scene, placed: _Placed, cone: Array, place: Array, normals: Array, behind: Array) -> Array:
        """(N, 3) linear RGB of skin, nails and sleeve."""
        side = (normals * placed.palmar[cone]).sum(1)
        palmar = np.clip(side * 2 + 0.3, 0, 1)[:, None]
        back, palm = tones(scene.skin)
        albedo = back + palmar * (palm - back)
        # Joints are creased and redder, tips redder.
        ends = np.minimum(place, 1 - place) * 30 * _MM
        joint = self._joint[cone] * np.exp(-((ends / (3 * _MM)) ** 2))
        blood = scene.skin.flush * joint * 0.5 + 0.25 * self._joint[cone]
        albedo = albedo * np.exp(-blood[:, None] * _BLOOD) * (1 - 0.12 * scene.skin.relief * joint)[:, None]
        nail = self._arm.nails[cone] & (side < -0.6) & (place > 0.4)
        albedo[nail] += (0.9 * palm + 0.06 - albedo[nail]) * 0.8
        if scene.sleeve is not None:
            cloth = self._forearm[cone] & (behind > scene.sleeve.start)
            albedo[cloth] = srgb_to_linear(np.array(scene.sleeve.color))
        return np.asarray(albedo)


def _slopes(scene: Scene, window: Window) -> tuple[Array, Array]:
    """Rays (x, y, 1) through the samples: x (1, w) and y (h, 1) float32."""
    left, top = (np.array(scene.camera.image_size) - 1) / 2
    x = ((window.xs - left) / scene.camera.focal).astype(np.float32)[None]
    y = ((window.ys - top) / scene.camera.focal).astype(np.float32)[:, None]
    return x, y


def _light(light: Light, normals: Array) -> Array:
    """(N, 3) light that falls on the skin: key and fill without shadows, and ambience from above and below."""
    up = (normals @ light.up)[:, None]
    ambience = light.ground_color + (light.sky_color - light.ground_color) * (up + 1) / 2
    # Light that enters skin comes out around the corner, too.
    key = np.clip((normals @ light.key + 0.15) / 1.15, 0, None)[:, None]
    fill = np.clip(0.8 * (normals @ light.fill) + 0.2, 0, None)[:, None]
    return np.asarray(ambience + key * light.key_color + fill * light.fill_color)


def _crevices(samples: Samples) -> Array:
    """(N,) share of light left where neighbours stand nearer to the camera: Luft et al., "Image enhancement by
    unsharp masking the depth buffer", 2006.
    """
    depth = samples.points[:, 2]
    sunk = depth - samples.spread(depth, _CREVICE)
    return np.asarray(np.exp(-_LOSS * np.clip(sunk, 0, 15 * _MM)))
