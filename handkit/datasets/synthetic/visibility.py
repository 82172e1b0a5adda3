"""What the camera sees of the joints."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from handkit.datasets.synthetic.rays import Hits
from handkit.datasets.synthetic.scene import Camera

Array = NDArray[Any]

_SLACK = 2e-3


class RayCaster(Protocol):
    """A surface of numbered parts that rays are cast onto."""

    def first_hits(self, origins: Array, directions: Array) -> Hits:
        """(N, 3) origins and directions -> the nearest part of each ray."""
        ...


def visibility(joints: Array, depths: Array, own: Array, caster: RayCaster, camera: Camera) -> Array:
    """(21,) uint8: 0 outside the frame, 2 where the first surface on the way to the joint is its own flesh, else 1.

    Own flesh is a surface of a bone that meets at the joint, at most twice as far before the joint as the joint lies
    deep, or any surface at most as far before it.

    Args:
        joints: (21, 3) metres in the camera's frame.
        depths: (21,) how deep they lie under the skin, metres.
        own: (21, T) bool, the parts of the surface that belong to the bones that meet at a joint.
        caster: the surface.
        camera: the camera.
    """
    pixels = camera.project(joints)
    limit = np.array(camera.image_size) - 0.5
    inside = ((pixels >= -0.5) & (pixels < limit)).all(1) & (joints[:, 2] > 0)
    far = np.linalg.norm(joints, axis=1)
    hits = caster.first_hits(np.zeros_like(joints), joints / far[:, None])
    mine = own[np.arange(len(far)), hits.part] & (hits.part >= 0)
    seen = far - hits.distance <= np.where(mine, 2.0, 1.0) * depths + _SLACK
    return np.where(inside, np.where(seen, 2, 1), 0).astype(np.uint8)
