"""Which of several poses are the same hand's."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from handkit.geometry import points_box


def distinct_poses(points: NDArray[Any], least: float) -> list[int]:
    """Non-maximum suppression by joints: the rows that are left of N poses, the best of which come first.

    Boxes of two hands that touch may overlap as much as two boxes of one hand; their joints tell which they are. It is
    what mmpose does by OKS, with the plain mean of the distances, which knows no constants of joints.

    Args:
        points: (N, K, 2) joints.
        least: mean distance of the joints of two hands, as a share of the longer side of the smaller one's joints; of
            two that are nearer the later row is dropped.
    """
    boxes = points_box(points)
    sizes = (boxes[:, 2:] - boxes[:, :2]).max(axis=1)
    kept: list[int] = []
    for row in range(len(points)):
        apart = np.linalg.norm(points[kept] - points[row], axis=-1).mean(axis=-1)
        if (apart >= least * np.minimum(sizes[kept], sizes[row])).all():
            kept.append(row)
    return kept
