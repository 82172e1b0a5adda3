"""From a scene to a picture with exact labels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from handkit.datasets.synthetic.arm import MeshArm
from handkit.datasets.synthetic.background import room
from handkit.datasets.synthetic.picture import SUPERSAMPLING, Window, expose, labels_of, window_of
from handkit.datasets.synthetic.rays import Caster
from handkit.datasets.synthetic.scene import Camera, Scene
from handkit.datasets.synthetic.shading import Samples, shade, unit
from handkit.datasets.synthetic.surface import Placed, Surface
from handkit.datasets.synthetic.visibility import visibility

Array = NDArray[Any]


class MeshRenderer:
    """Renders scenes with one source's arm.

    Raises:
        MissingExtraError: embreex is not installed.
    """

    def __init__(self, model: MeshArm) -> None:
        self._surface = Surface(model)

    def labels(self, scene: Scene) -> dict[str, Any]:
        """An item as `HandSynth` describes it, without ``img`` and ``mask``."""
        placed = self._surface.place(scene)
        return _labels(scene, placed, Caster(placed.vertices, placed.triangles))

    def render(self, scene: Scene) -> dict[str, Any]:
        """A picture and its labels, as `HandSynth` describes them."""
        rng = np.random.default_rng(scene.seed)
        placed = self._surface.place(scene)
        caster = Caster(placed.vertices, placed.triangles)
        image = room(rng, scene.camera.image_size)
        mask = np.zeros(image.shape[:2], np.uint8)
        window = window_of(_boxes(placed, scene.camera), scene.camera)
        if window is not None:
            window.cover(image, mask, self._shade(scene, placed, caster, window, rng))
        return {**_labels(scene, placed, caster), "img": expose(image, scene.sensor, rng), "mask": mask}

    def _shade(self, scene: Scene, placed: Placed, caster: Caster, window: Window, rng: np.random.Generator) -> Array:
        """(h, w, 5) of the pixels in a window, as `Window.cover` takes them."""
        rays = scene.camera.rays(np.stack(np.meshgrid(window.xs, window.ys), -1)).reshape(-1, 3)
        hits = caster.first_hits(np.zeros_like(rays), rays)
        rows = np.flatnonzero(hits.part >= 0)
        samples = Samples(
            mask=(hits.part >= 0).reshape(len(window.ys), len(window.xs)),
            points=rays[rows] * hits.distance[rows, None],
            normals=unit(hits.interpolate(placed.normals[placed.triangles], rows)),
            spacing=float(scene.position[2]) / scene.camera.focal / SUPERSAMPLING,
        )
        material, hand = self._surface.material(scene, samples, hits, rows)
        color = shade(samples, material, scene.light, caster, rng)
        layers = samples.grid(np.column_stack([color, np.ones(len(rows)), hand]))
        return np.asarray(window.per_pixel(layers).mean(2))


def _labels(scene: Scene, placed: Placed, caster: Caster) -> dict[str, Any]:
    visible = visibility(placed.joints, placed.flesh, placed.own, caster, scene.camera)
    return labels_of(scene, placed.joints, visible)


def _boxes(placed: Placed, camera: Camera) -> Array:
    """(1, 4) box in pixels that holds the arm; infinite where it reaches behind the camera, inside out behind it."""
    before = placed.vertices[:, 2] > 0.02
    if not before.all():
        return np.array([[-1.0, -1.0, 1.0, 1.0]]) * (np.inf if before.any() else -np.inf)
    pixels = camera.project(placed.vertices)
    return np.concatenate([pixels.min(0), pixels.max(0)])[None]
