"""What the camera sees of the joints."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from handkit.datasets.synthetic.rays import Caster
from handkit.datasets.synthetic.scene import Camera
from handkit.datasets.synthetic.surface import Placed

Array = NDArray[Any]

_SLACK = 2e-3


def visibility(placed: Placed, caster: Caster, camera: Camera) -> Array:
    """(21,) uint8: 0 outside the frame, 2 where the first surface on the way to the joint is its own flesh, else 1.

    Own flesh is a surface of a bone that meets at the joint, at most twice as far before the joint as the joint lies
    deep, or any surface at most as far before it.
    """
    pixels = camera.project(placed.joints)
    limit = np.array(camera.image_size) - 0.5
    inside = ((pixels >= -0.5) & (pixels < limit)).all(1) & (placed.joints[:, 2] > 0)
    far = np.linalg.norm(placed.joints, axis=1)
    hits = caster.first_hits(np.zeros_like(placed.joints), placed.joints / far[:, None])
    own = placed.own[np.arange(len(far)), hits.triangle] & (hits.triangle >= 0)
    seen = far - hits.distance <= np.where(own, 2.0, 1.0) * placed.flesh + _SLACK
    return np.where(inside, np.where(seen, 2, 1), 0).astype(np.uint8)
