"""Non-maximum suppression in plain torch."""

from __future__ import annotations

import torch
from torch import Tensor


def box_iou(a: Tensor, b: Tensor) -> Tensor:
    """(N, 4) and (M, 4) xyxy boxes -> (N, M) intersection over union; NaN for two boxes without area."""
    sides = (torch.minimum(a[:, None, 2:], b[:, 2:]) - torch.maximum(a[:, None, :2], b[:, :2])).clamp(min=0)
    both = sides[..., 0] * sides[..., 1]
    area_a, area_b = ((boxes[:, 2:] - boxes[:, :2]).prod(dim=1) for boxes in (a, b))
    return both / (area_a[:, None] + area_b - both)


def nms(boxes: Tensor, scores: Tensor, iou_threshold: float) -> Tensor:
    """Greedy suppression: from the best box down, a box stays unless one that stayed overlaps it by more.

    The same boxes in the same order as mmcv's and torchvision's, without a loop over boxes: starting from all boxes,
    "stays unless a stronger one that stays overlaps it" is applied to all at once until nothing changes. After k
    rounds the k best are settled, so the end is the greedy answer (Zheng et al., IEEE Trans. Cybernetics 2022, prove
    it for Cluster-NMS); a few rounds are enough in practice, M at worst. Takes M x M floats.

    Args:
        boxes: (M, 4) xyxy.
        scores: (M,); equal scores keep their order.
        iou_threshold: overlap that is still allowed.

    Returns:
        (K,) int64 indices of the boxes that stay, best first.
    """
    order = scores.argsort(descending=True, stable=True)
    ranked = boxes[order]
    suppresses = (box_iou(ranked, ranked) > iou_threshold).triu(diagonal=1)
    stays = torch.ones_like(order, dtype=torch.bool)
    while True:
        settled = ~(suppresses & stays[:, None]).any(dim=0)
        if torch.equal(settled, stays):
            return order[stays]
        stays = settled
