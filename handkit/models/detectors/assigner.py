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
        ignore_share: an anchor that would be background but has this share of its area or more in an ignored box is
            left out; anchors of hands stay theirs, unlike in mmdet.

    Raises:
        ConfigError: not 0 <= min_pos_iou, 0 < neg_iou <= pos_iou <= 1, 0 < ignore_share <= 1.
    """

    def __init__(
        self, pos_iou: float = 0.5, neg_iou: float = 0.5, min_pos_iou: float = 0.0, ignore_share: float = 0.5
    ) -> None:
        if not 0 < ignore_share <= 1:
            raise ConfigError(f"MaxIoUAssigner: ignore_share must lie in (0, 1], not {ignore_share}")
        if not (0 < neg_iou <= pos_iou <= 1 and min_pos_iou >= 0):
            raise ConfigError(
                "MaxIoUAssigner needs 0 < neg_iou <= pos_iou <= 1 and min_pos_iou >= 0, got "
                f"neg_iou={neg_iou}, pos_iou={pos_iou}, min_pos_iou={min_pos_iou}"
            )
        self.pos_iou = pos_iou
        self.neg_iou = neg_iou
        self.min_pos_iou = min_pos_iou
        self.ignore_share = ignore_share

    @torch.no_grad()
    def __call__(
        self,
        anchors: Tensor,
        boxes: Tensor,
        counts: Tensor,
        ignored_boxes: Tensor | None = None,
        ignored_counts: Tensor | None = None,
    ) -> Tensor:
        """Assigns the boxes of N images.

        Args:
            anchors: (A, 4) xyxy.
            boxes: (N, M, 4) xyxy in the anchors' frame.
            counts: (N,) how many of an image's M rows are boxes; the rest may hold anything.
            ignored_boxes: (N, I, 4) where there may be a hand or not; None for none.
            ignored_counts: (N,) likewise of `ignored_boxes`; None for all.

        Returns:
            (N, A) int64: the row of the box that an anchor answers for; -1 background; -2 left out.
        """
        assigned = self._assign(anchors, boxes, counts)
        if ignored_boxes is None or not ignored_boxes.shape[1]:
            return assigned
        if ignored_counts is None:
            ignored_counts = counts.new_full((len(boxes),), ignored_boxes.shape[1])
        share = _share_inside(anchors, ignored_boxes)
        share = torch.where(_real(ignored_boxes, ignored_counts)[..., None], share, 0).amax(dim=1)
        return assigned.masked_fill((assigned == BACKGROUND) & (share >= self.ignore_share), LEFT_OUT)

    def _assign(self, anchors: Tensor, boxes: Tensor, counts: Tensor) -> Tensor:
        images, rows = boxes.shape[:2]
        if rows == 0:
            return torch.full((images, len(anchors)), BACKGROUND, device=boxes.device)
        real = _real(boxes, counts)
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


def _real(boxes: Tensor, counts: Tensor) -> Tensor:
    """(N, M, 4) and (N,) -> (N, M) whether a row is a box with an area, and not there to fill up."""
    real = torch.arange(boxes.shape[1], device=boxes.device) < counts[:, None]
    return real & (boxes[..., 2:] > boxes[..., :2]).all(dim=-1)


def _share_inside(anchors: Tensor, boxes: Tensor) -> Tensor:
    """(A, 4) and (N, M, 4) -> (N, M, A) the share of each anchor's area that lies in each box."""
    low = torch.maximum(anchors[:, :2], boxes[..., None, :2])
    high = torch.minimum(anchors[:, 2:], boxes[..., None, 2:])
    return (high - low).clamp(min=0).prod(dim=-1) / (anchors[:, 2:] - anchors[:, :2]).prod(dim=-1)
