"""The arm's surface: refined, painted, posed, dressed, and put before the camera."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from handkit.datasets.synthetic.arm import ELBOW, Geometry, MeshArm, joint_bones
from handkit.datasets.synthetic.chart import bake_chart, nail_places
from handkit.datasets.synthetic.cloth import cloth_material, dressed
from handkit.datasets.synthetic.posing import posed
from handkit.datasets.synthetic.rays import Caster, TriangleHits
from handkit.datasets.synthetic.scene import MIRROR, Scene
from handkit.datasets.synthetic.shading import Samples
from handkit.datasets.synthetic.skin import Material, skin_material
from handkit.datasets.synthetic.subdivision import subdivide, vertex_normals

Array = NDArray[Any]

_LEVELS = 2
#: The hand ends this far behind the wrist joint, metres.
HAND_END = 0.01
# A chart is about this wide, metres.
_CHART_WIDTH = 0.3


@dataclass(frozen=True)
class Placed:
    """An arm before the camera; arrays are in the camera's frame, metres.

    Args:
        vertices: (V, 3).
        normals: (V, 3) unit.
        triangles: (T, 3).
        joints: (21, 3).
        flesh: (21,) how deep the joints lie under the skin.
        own: (21, T) bool, the triangles of the bones that meet at a joint.
    """

    vertices: Array
    normals: Array
    triangles: Array
    joints: Array
    flesh: Array
    own: Array


class Surface:
    """One source's arm, ready to be rendered. Making it takes seconds: the mesh is refined and its chart painted."""

    def __init__(self, model: MeshArm) -> None:
        self._model = model
        self._fine = subdivide(model.quads, model.uv, len(model.rest.vertices), _LEVELS)
        self._triangles = self._fine.triangles
        rest = self._fine.matrix @ model.rest.vertices
        weights = self._fine.matrix @ model.weights
        chart, painted = bake_chart(model, self._fine)
        # Per triangle corner: place at rest, place on the nail, painted layers.
        corners = np.column_stack([rest, nail_places(model, self._fine), painted]).astype(np.float32)
        self._corners = corners[self._triangles]
        self._nail = np.tile(np.repeat(model.nails, 4**_LEVELS), 2)
        # Halved again and again, for hands that are small in the picture.
        self._charts = [chart]
        for _ in range(4):
            side = self._charts[-1].shape[0] // 2
            self._charts.append(cv2.resize(self._charts[-1], (side, side), interpolation=cv2.INTER_AREA))
        elbow = model.rest.heads[ELBOW]
        self._along = elbow / np.linalg.norm(elbow)
        self._arm_place = rest @ self._along
        self._rest = rest
        self._flesh = _flesh(model.rest, rest, self._triangles)
        self._own = _own_triangles(weights, self._triangles)

    def place(self, scene: Scene) -> Placed:
        """Poses the arm, dresses it, mirrors it for a left hand, and puts it before the camera."""
        bent = posed(self._model.shaped(scene.shape, scene.scale), self._model.weights, scene.pose)
        vertices = self._fine.matrix @ bent.vertices
        normals = vertex_normals(vertices, self._triangles)
        if scene.sleeve is not None:
            vertices = dressed(scene.sleeve, vertices, normals, self._rest, self._arm_place)
            normals = vertex_normals(vertices, self._triangles)
        mirror = MIRROR if scene.side == "left" else np.ones(3)
        to_camera = (scene.rotation * mirror).T
        joints = bent.joints() @ to_camera
        shift = scene.position - (joints.min(0) + joints.max(0)) / 2
        return Placed(
            vertices=vertices @ to_camera + shift,
            normals=normals @ to_camera,
            triangles=self._triangles,
            joints=joints + shift,
            flesh=self._flesh * scene.scale,
            own=self._own,
        )

    def material(self, scene: Scene, samples: Samples, hits: TriangleHits, rows: Array) -> tuple[Material, Array]:
        """The surface at the hits that `samples` shows, and (N,) bool which of them are hand (not arm or sleeve)."""
        at = hits.interpolate(self._corners, rows)
        rest, nail_place, painted = at[:, :3], at[:, 3], at[:, 4:]
        uv = hits.interpolate(self._fine.triangle_uv, rows)
        chart = self._look_up(samples, uv, samples.spacing / scene.scale)
        chart = np.where(uv[:, :1] < -0.5, painted, chart)
        material = skin_material(scene.skin, rest, chart, np.where(self._nail[hits.part[rows]], nail_place, -1))
        arm_place = rest @ self._along
        if scene.sleeve is not None:
            cloth = arm_place > scene.sleeve.start
            material = material.with_rows(cloth, cloth_material(scene.sleeve, rest[cloth]))
            return material, (arm_place < HAND_END) & ~cloth
        return material, arm_place < HAND_END

    def _look_up(self, samples: Samples, uv: Array, spacing: float) -> Array:
        """(N, 4) chart layers, from the level whose texels are about as large as the samples are apart."""
        texel = _CHART_WIDTH / len(self._charts[0])
        level = int(np.clip(np.log2(spacing / texel), 0, len(self._charts) - 1))
        chart = self._charts[level]
        place = samples.grid(uv * len(chart) - 0.5)
        found = cv2.remap(chart, place[..., 0], place[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(found[samples.mask])


def _flesh(rest: Geometry, vertices: Array, triangles: Array) -> Array:
    """(21,) how deep each joint lies under the skin, metres: the deeper of its back and its palm's side."""
    joints = rest.joints()
    caster = Caster(vertices, triangles)
    toward = np.zeros((2, 21, 3))
    toward[:, :, 2] = [[-1.0], [1.0]]
    depth = caster.first_hits(np.tile(joints, (2, 1)), toward.reshape(-1, 3)).distance.reshape(2, 21)
    # A tip can lie outside the smoothed skin and then meets nothing.
    return np.asarray(np.clip(np.where(np.isfinite(depth), depth, 0).max(0), 0.006, 0.03))


def _own_triangles(weights: Array, triangles: Array) -> Array:
    """(21, T) bool: the triangles of the bones that meet at each joint."""
    strongest = weights[triangles].sum(1).argmax(1)
    return np.stack([np.isin(strongest, sorted(own)) for own in joint_bones()])
