"""From a scene to a picture with exact labels."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from handkit.datasets.synthetic.arm import ArmModel
from handkit.datasets.synthetic.background import room
from handkit.datasets.synthetic.rays import Caster
from handkit.datasets.synthetic.scene import Camera, Scene, Sensor
from handkit.datasets.synthetic.shading import Samples, shade, unit
from handkit.datasets.synthetic.skin import linear_to_srgb
from handkit.datasets.synthetic.surface import Placed, Surface
from handkit.datasets.synthetic.visibility import visibility
from handkit.geometry import hand_box

Array = NDArray[Any]
_Window = tuple[int, int, int, int]

#: Samples per pixel and axis.
SUPERSAMPLING = 2


class Renderer:
    """Renders scenes with one source's arm.

    Raises:
        MissingExtraError: embreex is not installed.
    """

    def __init__(self, model: ArmModel) -> None:
        self._surface = Surface(model)

    def render(self, scene: Scene) -> dict[str, Any]:
        """A picture and its labels, as `HandSynth` describes them."""
        rng = np.random.default_rng(scene.seed)
        placed = self._surface.place(scene)
        caster = Caster(placed.vertices, placed.triangles)
        image = room(rng, scene.camera.image_size)
        mask = np.zeros(image.shape[:2], np.uint8)
        window = _window(placed, scene.camera)
        if window is not None:
            x1, y1, x2, y2 = window
            layers = self._shade(scene, placed, caster, window, rng)
            image[y1:y2, x1:x2] = image[y1:y2, x1:x2] * (1 - layers[..., 3:4]) + layers[..., :3]
            mask[y1:y2, x1:x2] = layers[..., 4] >= 0.5
        keypoints = scene.camera.project(placed.joints)
        return {
            "img": _expose(image, scene.sensor, rng),
            "keypoints": keypoints.astype(np.float32),
            "visible": visibility(placed, caster, scene.camera),
            "xyz_cam": placed.joints.astype(np.float32),
            "camera": scene.camera.matrix(),
            "mask": mask,
            "box": hand_box(keypoints, scene.camera.image_size).astype(np.float32),
            "handedness": scene.side,
        }

    def _shade(self, scene: Scene, placed: Placed, caster: Caster, window: _Window, rng: np.random.Generator) -> Array:
        """(h, w, 5) of the pixels in a window: linear RGB times coverage, coverage, coverage by the hand alone."""
        x1, y1, x2, y2 = window
        steps = (np.arange(SUPERSAMPLING) + 0.5) / SUPERSAMPLING - 0.5
        xs = (np.arange(x1, x2)[:, None] + steps).ravel()
        ys = (np.arange(y1, y2)[:, None] + steps).ravel()
        rays = scene.camera.rays(np.stack(np.meshgrid(xs, ys), -1)).reshape(-1, 3)
        hits = caster.first_hits(np.zeros_like(rays), rays)
        rows = np.flatnonzero(hits.triangle >= 0)
        samples = Samples(
            mask=(hits.triangle >= 0).reshape(len(ys), len(xs)),
            points=rays[rows] * hits.distance[rows, None],
            normals=unit(hits.interpolate(placed.normals[placed.triangles], rows)),
            spacing=float(scene.position[2]) / scene.camera.focal / SUPERSAMPLING,
        )
        material, hand = self._surface.material(scene, samples, hits, rows)
        color = shade(samples, material, scene.light, caster, rng)
        layers = samples.grid(np.column_stack([color, np.ones(len(rows)), hand]))
        return np.asarray(layers.reshape(y2 - y1, SUPERSAMPLING, x2 - x1, SUPERSAMPLING, 5).mean((1, 3)))


def _window(placed: Placed, camera: Camera) -> _Window | None:
    """The pixels (x1, y1, x2, y2) that the arm can cover, or None."""
    width, height = camera.image_size
    before = placed.vertices[:, 2] > 0.02
    if not before.all():
        return (0, 0, width, height) if before.any() else None
    pixels = camera.project(placed.vertices)
    x1, y1 = (max(0, int(v) - 1) for v in np.floor(pixels.min(0)))
    x2, y2 = (min(side, int(v) + 2) for side, v in zip((width, height), np.ceil(pixels.max(0)), strict=True))
    return (x1, y1, x2, y2) if x1 < x2 and y1 < y2 else None


def _expose(image: Array, sensor: Sensor, rng: np.random.Generator) -> Array:
    """(H, W, 3) light -> uint8 RGB through blur, a soft shoulder, the display's curve and grain."""
    light = cv2.GaussianBlur(image, (0, 0), sensor.blur) if sensor.blur > 0.2 else image
    light = light * sensor.exposure * np.array(sensor.balance, np.float32)
    light = np.where(light < 0.6, light, 0.6 + 0.4 * np.tanh((light - 0.6) / 0.4))
    shown = linear_to_srgb(light) * 255
    noise = rng.standard_normal(shown.shape, np.float32) * 0.8 + rng.standard_normal((*shown.shape[:2], 1), np.float32)
    shown = shown + sensor.grain / 1.28 * noise * (1.2 - 0.6 * shown / 255)
    return np.clip(np.round(shown), 0, 255).astype(np.uint8)
