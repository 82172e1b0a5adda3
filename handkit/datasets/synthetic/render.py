"""From a scene to a picture with exact labels."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from handkit.datasets.synthetic.arm import MeshArm
from handkit.datasets.synthetic.background import room
from handkit.datasets.synthetic.picture import SUPERSAMPLING, Window, expose, labels_of, window_of
from handkit.datasets.synthetic.rays import Caster, TriangleHits
from handkit.datasets.synthetic.scene import Camera, Scene
from handkit.datasets.synthetic.shading import Samples, shade, unit
from handkit.datasets.synthetic.skin import Material
from handkit.datasets.synthetic.skin_charts import SkinCharts
from handkit.datasets.synthetic.surface import Placed, Surface
from handkit.datasets.synthetic.things import PlacedThing, placed_thing
from handkit.datasets.synthetic.visibility import visibility

Array = NDArray[Any]


class MeshRenderer:
    """Renders scenes with one source's arm.

    Args:
        model: the arm.
        skins: photographed skins that scenes may name.
        fine: light every sample; otherwise, more than twice as fast, only the nearest one of each pixel.

    Raises:
        MissingExtraError: embreex is not installed.
    """

    _LEVELS = 2

    def __init__(self, model: MeshArm, skins: SkinCharts | None = None, fine: bool = False) -> None:
        self._fine = fine
        self._surface = Surface(model, skins, self._LEVELS)

    def labels(self, scene: Scene) -> list[dict[str, Any]]:
        """Of every hand an item as `HandSynth` describes it, without ``img`` and ``mask``."""
        return self._labels(scene, self._set(scene))

    def render(self, scene: Scene) -> tuple[Array, Array, list[dict[str, Any]]]:
        """A picture, its mask as `Window.cover` leaves it, and what `labels` gives."""
        rng = np.random.default_rng(scene.seed)
        stage = self._set(scene)
        behind = self._behind(rng, scene.camera.image_size)
        image = behind.copy()
        mask = np.zeros(image.shape[:2], np.uint8)
        for window, distance in self._windows(scene, stage):
            window.cover(image, mask, self._shade(scene, stage, window, distance, rng), behind)
        return expose(image, scene.sensor, rng), mask, self._labels(scene, stage)

    def _behind(self, rng: np.random.Generator, size: tuple[int, int]) -> Array:
        """(H, W, 3) float32 linear RGB of what is behind everything."""
        return room(rng, size)

    def _windows(self, scene: Scene, stage: Stage) -> Iterator[tuple[Window, float]]:
        """The parts of the picture that show something, each with the distance it is sharpest at; later ones stay."""
        window = window_of(stage.boxes(scene.camera), scene.camera)
        if window is not None:
            yield window, float(scene.position[2])

    def _set(self, scene: Scene) -> Stage:
        hands = [self._surface.place(hand) for hand in scene.hands]
        things = [
            placed_thing(thing, placed.to_camera, placed.shift)
            for hand, placed in zip(scene.hands, hands, strict=True)
            for thing in hand.things
        ]
        return Stage(hands, things)

    def _labels(self, scene: Scene, stage: Stage) -> list[dict[str, Any]]:
        found = []
        for index, (hand, placed) in enumerate(zip(scene.hands, stage.hands, strict=True)):
            visible = visibility(placed.joints, placed.flesh, stage.own(index), stage.caster, scene.camera)
            found.append(labels_of(hand, placed.joints, visible))
        return found

    def _shade(self, scene: Scene, stage: Stage, window: Window, distance: float, rng: np.random.Generator) -> Array:
        """(h, w, 4 + hands) of the pixels in a window, as `Window.cover` takes them."""
        rays = scene.camera.rays(np.stack(np.meshgrid(window.xs, window.ys), -1)).reshape(-1, 3).astype(np.float32)
        hits = stage.caster.first_hits(np.zeros_like(rays), rays)
        met = (hits.part >= 0).reshape(len(window.ys), len(window.xs))
        if self._fine:
            mask, rows = met, np.flatnonzero(met)
        else:
            mask, rows = _nearest(window, hits.distance.reshape(met.shape))
        samples = Samples(
            mask=mask,
            points=rays[rows] * hits.distance[rows, None].astype(np.float32),
            normals=unit(hits.interpolate_vertices(stage.normals.astype(np.float32), stage.triangles, rows)),
            spacing=distance / scene.camera.focal * window.step / (SUPERSAMPLING if self._fine else 1),
        )
        material, shown = self._materials(scene, stage, hits.rows(rows), samples)
        color = shade(samples, material, scene.light, stage.caster, rng)
        layers = samples.grid(np.column_stack([color, np.ones(len(rows)), shown]))
        if self._fine:
            return np.asarray(window.per_pixel(layers).mean(2))
        return np.asarray(layers * window.per_pixel(met).mean(2, dtype=np.float32)[..., None])

    def _materials(self, scene: Scene, stage: Stage, hits: TriangleHits, samples: Samples) -> tuple[Material, Array]:
        """The surface at every sample, and (N, hands) bool which hand it is of."""
        count = len(hits.part)
        material = Material(*(np.zeros(shape, np.float32) for shape in ((count, 3), count, count, count)))
        shown = np.zeros((count, len(stage.hands)), bool)
        of = np.searchsorted(stage.first, hits.part, side="right") - 1
        for index in np.unique(of):
            mine = of == index
            rows = np.flatnonzero(mine)
            if index < len(stage.hands):
                local = hits.rows(rows, int(stage.first[index]))
                part, shown[rows, index] = self._surface.material(scene.hands[index], local, samples.spacing)
            else:
                part = stage.things[index - len(stage.hands)].material(samples.points[rows])
            material.set_rows(rows, part)
        return material, shown


def _nearest(window: Window, distance: Array) -> tuple[Array, Array]:
    """(h, w) bool which pixels show something, and of each of those the index of its nearest sample."""
    depth = window.per_pixel(distance)
    index = window.per_pixel(np.arange(distance.size).reshape(distance.shape))
    mask: Array = np.asarray(np.isfinite(depth).any(2))
    return mask, np.take_along_axis(index[mask], depth[mask].argmin(1)[:, None], 1)[:, 0]


class Stage:
    """Hands and things before the camera as one set of triangles.

    Attributes:
        first: (hands + things,) the first triangle of each, hands first.
    """

    def __init__(self, hands: list[Placed], things: list[PlacedThing]) -> None:
        self.hands, self.things = hands, things
        parts: list[Placed | PlacedThing] = [*hands, *things]
        starts = np.cumsum([0, *(len(part.vertices) for part in parts)])
        self.triangles = np.concatenate(
            [part.triangles + start for part, start in zip(parts, starts[:-1], strict=True)], dtype=np.int32
        )
        self.vertices = np.concatenate([part.vertices for part in parts])
        self.normals = np.concatenate([part.normals for part in parts])
        self.first = np.cumsum([0, *(len(part.triangles) for part in parts)])[:-1]
        self.caster = Caster(self.vertices, self.triangles)

    def boxes(self, camera: Camera) -> Array:
        """(parts, 4) boxes in pixels; infinite of what reaches behind the camera, inside out of what is behind it."""
        vertices = [hand.vertices for hand in self.hands] + [thing.vertices for thing in self.things]
        return np.concatenate([_box(points, camera) for points in vertices])

    def own(self, hand: int) -> Array:
        """(21, T) bool: of all triangles, those of a hand's bones that meet at each joint."""
        own = np.zeros((21, len(self.triangles)), bool)
        start = self.first[hand]
        own[:, start : start + len(self.hands[hand].triangles)] = self.hands[hand].own
        return own


def _box(vertices: Array, camera: Camera) -> Array:
    before = vertices[:, 2] > 0.02
    if not before.all():
        return np.array([[-1.0, -1.0, 1.0, 1.0]]) * (np.inf if before.any() else -np.inf)
    pixels = camera.project(vertices)
    return np.concatenate([pixels.min(0), pixels.max(0)])[None]
