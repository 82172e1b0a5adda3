"""From a scene of people to a picture, faster than with `render.MeshRenderer` where hands are large."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from handkit.datasets.synthetic.arm import MeshArm
from handkit.datasets.synthetic.backdrops import Backdrops
from handkit.datasets.synthetic.background import room
from handkit.datasets.synthetic.picture import Window, window_of
from handkit.datasets.synthetic.render import MeshRenderer, Stage
from handkit.datasets.synthetic.scene import Scene
from handkit.datasets.synthetic.skin_charts import SkinCharts

Array = NDArray[Any]

# Hands whose joints extend further, in pixels, are lit at every second pixel of a row and a column.
_LARGE = 120
_STEP = 2
# How much of what shows a hand reaches beyond its joints.
_MARGIN = 0.25


class WideRenderer(MeshRenderer):
    """Renders scenes of people.

    Large hands, bodies and things get half the resolution and sharp small hands the full one, rooms are painted at half
    the size (they are out of focus), and the mesh is coarser; labels are as exact. Each hand's labels have a ``share``
    in addition: how much of it is in the frame and not hidden by anything else.

    Args:
        model: the arm.
        skins: photographed skins that scenes may name.
        backdrops: pictures to put behind; None: rooms by rule alone.

    Raises:
        MissingExtraError: embreex is not installed.
    """

    _LEVELS = 1

    def __init__(self, model: MeshArm, skins: SkinCharts | None = None, backdrops: Backdrops | None = None) -> None:
        super().__init__(model, skins)
        self._backdrops = backdrops

    def _behind(self, rng: np.random.Generator, size: tuple[int, int]) -> Array:
        drawn = None if self._backdrops is None else self._backdrops.draw(rng, size)
        if drawn is not None:
            return drawn
        half = (max(size[0] // 2, 1), max(size[1] // 2, 1))
        return np.asarray(cv2.resize(room(rng, half), size, interpolation=cv2.INTER_LINEAR))

    def _windows(self, scene: Scene, stage: Stage) -> Iterator[tuple[Window, float]]:
        camera = scene.camera
        boxes = [_joint_box(scene, placed.joints) for placed in stage.hands]
        small = [box is not None and float(np.ptp(box.reshape(2, 2), axis=0).max()) <= _LARGE for box in boxes]
        nearest = min(float(hand.position[2]) for hand in scene.hands)
        for group in _apart(stage.boxes(camera)):
            window = window_of(group[None], camera, _STEP)
            if window is not None:
                yield window, nearest
        for hand, box, sharp in zip(scene.hands, boxes, small, strict=True):
            if not sharp or box is None:
                continue
            reach = _MARGIN * np.ptp(box.reshape(2, 2), axis=0).max()
            window = window_of(box[None] + reach * np.array([-1, -1, 1, 1]), camera)
            if window is not None:
                yield window, float(hand.position[2])

    def _labels(self, scene: Scene, stage: Stage) -> list[dict[str, Any]]:
        labels = super()._labels(scene, stage)
        for index, label in enumerate(labels):
            label["share"] = _share(scene, stage, index)
        return labels


def _apart(boxes: Array) -> list[Array]:
    """(N, 4) boxes -> boxes around those that overlap, which do not."""
    groups: list[Array] = []
    for box in boxes:
        # Windows reach up to three pixels beyond their boxes, plus a cell.
        while any(apart := [_overlap(box, other, 4 + _STEP) for other in groups]):
            near = [other for other, over in zip(groups, apart, strict=True) if over]
            groups = [other for other, over in zip(groups, apart, strict=True) if not over]
            stacked = np.stack([box, *near])
            box = np.concatenate([stacked[:, :2].min(0), stacked[:, 2:].max(0)])
        groups.append(box)
    return groups


def _overlap(first: Array, second: Array, margin: float) -> bool:
    low, high = np.maximum(first[:2], second[:2]), np.minimum(first[2:], second[2:])
    return bool((high - low > -margin).all())


def _joint_box(scene: Scene, joints: Array) -> Array | None:
    """(4,) tight around (21, 3) joints, in pixels; None where one is behind the camera."""
    if joints[:, 2].min() <= 0.02:
        return None
    pixels = scene.camera.project(joints)
    return np.concatenate([pixels.min(0), pixels.max(0)])


def _share(scene: Scene, stage: Stage, hand: int) -> float:
    """How much of a hand is seen, by points along its bones; what hides itself counts as seen."""
    joints, camera = stage.hands[hand].joints, scene.camera
    chains = joints[1:].reshape(5, 4, 3)
    palm = [joints[0] + share * (chains[:, 0] - joints[0]) for share in (1 / 3, 2 / 3)]
    points = np.concatenate([joints, ((chains[:, 1:] + chains[:, :-1]) / 2).reshape(-1, 3), *palm])
    before = points[:, 2] > 0.02
    pixels = camera.project(np.where(before[:, None], points, 1.0))
    inside = before & ((pixels >= -0.5) & (pixels < np.array(camera.image_size) - 0.5)).all(1)
    hits = stage.caster.first_hits(np.zeros_like(points), points)
    first = stage.first[hand]
    own = (hits.part >= first) & (hits.part < first + len(stage.hands[hand].triangles))
    return float((inside & (own | (hits.distance > 1))).mean())
