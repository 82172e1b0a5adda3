"""Which anchor answers for which hand in training."""

from __future__ import annotations

import torch
from torch import Tensor

from handkit.errors import ConfigError
from handkit.models.detectors.nms import box_iou
from handkit.registry import MODELS

BACKGROUND, LEFT_OUT = -1, -2


@MODELS.register_module()
class MaxIoUAssigner:
    """Gives each anchor the box it overlaps most, and each box at least the anchor that overlaps it most.

    Same results as mmdet's class of this name with ``gt_max_assign_all=False``, for all images at once, but a box
    without area is no box: mmdet gives it an anchor and an infinite delta.

    Args:
        pos_iou: an anchor that overlaps a box this much or more answers for it.
        neg_iou: an anchor whose overlaps are all below it is background; between the two it is left out.
        min_pos_iou: a box whose best overlap is below it gets no anchor of its own.

    Raises:
        ConfigError: not 0 <= min_pos_iou, 0 < neg_iou <= pos_iou <= 1.
    """

    def __init__(self, pos_iou: float = 0.5, neg_iou: float = 0.5, min_pos_iou: float = 0.0) -> None:
        if not (0 < neg_iou <= pos_iou <= 1 and min_pos_iou >= 0):
            raise ConfigError(
                "MaxIoUAssigner needs 0 < neg_iou <= pos_iou <= 1 and min_pos_iou >= 0, got "
                f"neg_iou={neg_iou}, pos_iou={pos_iou}, min_pos_iou={min_pos_iou}"
            )
        self.pos_iou = pos_iou
        self.neg_iou = neg_iou
        self.min_pos_iou = min_pos_iou

    @torch.no_grad()
    def __call__(self, anchors: Tensor, boxes: Tensor, counts: Tensor) -> Tensor:
        """Assigns the boxes of N images.

        Args:
            anchors: (A, 4) xyxy.
            boxes: (N, M, 4) xyxy in the anchors' frame.
            counts: (N,) how many of an image's M rows are boxes; the rest may hold anything.

        Returns:
            (N, A) int64: the row of the box that an anchor answers for; -1 background; -2 left out.
        """
        images, rows = boxes.shape[:2]
        if rows == 0:
            return torch.full((images, len(anchors)), BACKGROUND, device=boxes.device)
        real = torch.arange(rows, device=boxes.device) < counts[:, None]
        real &= (boxes[..., 2:] > boxes[..., :2]).all(dim=-1)
        iou = box_iou(boxes.reshape(-1, 4), anchors).view(images, rows, -1)
        iou = torch.where(real[..., None], iou, -1.0)
        overlap, nearest = iou.max(dim=1)
        assigned = torch.where(overlap >= self.pos_iou, nearest, LEFT_OUT)
        assigned = assigned.masked_fill(overlap < self.neg_iou, BACKGROUND)
        own = self._own_anchors(iou)
        return torch.where(own >= 0, own, assigned)

    def _own_anchors(self, iou: Tensor) -> Tensor:
        """(N, M, A) overlaps -> (N, A): the last box whose best anchor this is, or -1."""
        best, anchor = iou.max(dim=2)
        rows = torch.arange(iou.shape[1], device=iou.device).expand_as(anchor)
        rows = torch.where(best >= self.min_pos_iou, rows, -1)
        nobody = torch.full((len(iou), iou.shape[2]), -1, device=iou.device)
        return nobody.scatter_reduce(1, anchor, rows, "amax")
