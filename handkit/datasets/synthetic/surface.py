"""The arm's surface: refined, painted, posed, dressed, and put before the camera."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from handkit.datasets.synthetic.adornment import wear
from handkit.datasets.synthetic.arm import ELBOW, Geometry, MeshArm, joint_bones
from handkit.datasets.synthetic.chart import bake_chart, halved, look_up, nail_places
from handkit.datasets.synthetic.cloth import cloth_material, dressed
from handkit.datasets.synthetic.posing import posed
from handkit.datasets.synthetic.rays import Caster, TriangleHits
from handkit.datasets.synthetic.scene import MIRROR, Scene
from handkit.datasets.synthetic.skin import Material, skin_material
from handkit.datasets.synthetic.skin_charts import SkinCharts
from handkit.datasets.synthetic.subdivision import subdivide, vertex_normals

Array = NDArray[Any]

#: The hand ends this far behind the rig's wrist, metres: a centimetre behind the labelled one.
HAND_END = -0.012
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
        to_camera: (3, 3) from the axes of the hand's frame to the camera's, a reflection for a left hand.
        shift: (3,) where the hand's frame begins.
    """

    vertices: Array
    normals: Array
    triangles: Array
    joints: Array
    flesh: Array
    own: Array
    to_camera: Array
    shift: Array


class Surface:
    """One source's arm, ready to be rendered. Making it takes seconds: the mesh is refined and its chart painted.

    Args:
        model: the arm.
        skins: photographed skins that scenes may name.
        levels: how often each quad is divided into four.
    """

    def __init__(self, model: MeshArm, skins: SkinCharts | None = None, levels: int = 2) -> None:
        self._model = model
        self._fine = subdivide(model.quads, model.uv, len(model.rest.vertices), levels)
        self._triangles = self._fine.triangles
        rest = self._fine.matrix @ model.rest.vertices
        weights = self._fine.matrix @ model.weights
        chart, painted = bake_chart(model, self._fine)
        # Per triangle corner: place at rest, place on the nail, painted layers.
        corners = np.column_stack([rest, nail_places(model, self._fine), painted]).astype(np.float32)
        self._corners = corners[self._triangles]
        self._nail = np.tile(np.repeat(model.nails, 4**levels), 2)
        self._charts = halved(chart)
        elbow = model.rest.heads[ELBOW]
        self._along = elbow / np.linalg.norm(elbow)
        self._arm_place = rest @ self._along
        self._rest = rest
        self._flesh = _flesh(model.rest, rest, self._triangles)
        self._strongest = weights[self._triangles].sum(1).argmax(1)
        self._own = np.stack([np.isin(self._strongest, sorted(bones)) for bones in joint_bones()])
        self._skins = skins

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
            to_camera=to_camera.T,
            shift=shift,
        )

    def material(self, scene: Scene, hits: TriangleHits, spacing: float) -> tuple[Material, Array]:
        """The surface at hits on this arm, and (N,) bool which of them are hand (not arm or sleeve).

        Args:
            scene: whose arm.
            hits: N of them, all on the arm's triangles.
            spacing: metres between neighbouring hits, about.
        """
        rows = np.arange(len(hits.part))
        at = hits.interpolate(self._corners, rows)
        rest, nail_place, painted = at[:, :3], at[:, 3], at[:, 4:]
        uv = hits.interpolate(self._fine.triangle_uv, rows)
        chart = look_up(self._charts, uv, spacing / scene.scale / _CHART_WIDTH)
        chart = np.where(uv[:, :1] < -0.5, painted, chart)
        material = skin_material(scene.skin, rest, chart, np.where(self._nail[hits.part], nail_place, -1))
        if scene.skin.chart is not None and self._skins is not None:
            material = replace(material, albedo=self._skins.albedo(scene.skin, material.albedo, uv, rest, spacing))
        for band in scene.bands:
            material = wear(band, self._model.rest, material, rest, self._strongest[hits.part])
        arm_place = rest @ self._along
        if scene.sleeve is not None:
            cloth = arm_place > scene.sleeve.start
            material = material.with_rows(cloth, cloth_material(scene.sleeve, rest[cloth]))
            return material, (arm_place < HAND_END) & ~cloth
        return material, arm_place < HAND_END


def _flesh(rest: Geometry, vertices: Array, triangles: Array) -> Array:
    """(21,) how deep each joint lies under the skin, metres: the deeper of its back and its palm's side."""
    joints = rest.joints()
    caster = Caster(vertices, triangles)
    toward = np.zeros((2, 21, 3))
    toward[:, :, 2] = [[-1.0], [1.0]]
    depth = caster.first_hits(np.tile(joints, (2, 1)), toward.reshape(-1, 3)).distance.reshape(2, 21)
    # A tip can lie outside the smoothed skin and then meets nothing.
    return np.asarray(np.clip(np.where(np.isfinite(depth), depth, 0).max(0), 0.006, 0.03))
