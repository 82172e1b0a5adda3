"""From every anchor's box and score to the few that are answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from handkit.models.detectors.nms import nms
from handkit.registry import MODELS


@MODELS.register_module()
@dataclass(frozen=True)
class BoxSelection:
    """Threshold, strongest candidates of each level, non-maximum suppression, at most so many: mmdet's order.

    Args:
        score_threshold: a score must be above it.
        nms_iou: of two boxes that overlap by more than this the weaker one is dropped.
        max_detections: boxes answered per image at most.
        level_candidates: boxes of one level that reach the suppression at most, the strongest.
    """

    score_threshold: float
    nms_iou: float
    max_detections: int
    level_candidates: int = 1000

    def __call__(self, scores: Tensor, boxes: Tensor, level_sizes: Sequence[int]) -> dict[str, Tensor]:
        """Selects for each image.

        Args:
            scores: (N, A) in [0, 1].
            boxes: (N, A, 4) xyxy; a box without area is never answered.
            level_sizes: how many of the A anchors each level has; their sum is A.

        Returns:
            ``boxes`` (N, max_detections, 4) and ``scores`` (N, max_detections), best first, filled up with zeros, and
            ``counts`` (N,) int64, how many rows are answers.
        """
        candidate = (scores > self.score_threshold) & self._strongest(scores, level_sizes)
        candidate &= (boxes[..., 2:] > boxes[..., :2]).all(dim=-1)
        out_boxes = boxes.new_zeros(len(boxes), self.max_detections, 4)
        out_scores = scores.new_zeros(len(boxes), self.max_detections)
        counts = torch.zeros(len(boxes), dtype=torch.int64, device=boxes.device)
        for index, mask in enumerate(candidate):
            image_boxes, image_scores = boxes[index, mask], scores[index, mask]
            keep = nms(image_boxes, image_scores, self.nms_iou)[: self.max_detections]
            out_boxes[index, : len(keep)] = image_boxes[keep]
            out_scores[index, : len(keep)] = image_scores[keep]
            counts[index] = len(keep)
        return {"boxes": out_boxes, "scores": out_scores, "counts": counts}

    def _strongest(self, scores: Tensor, level_sizes: Sequence[int]) -> Tensor:
        """(N, A) bool: among the `level_candidates` best of its image and level."""
        strong = torch.ones_like(scores, dtype=torch.bool)
        end = 0
        for size in level_sizes:
            start, end = end, end + size
            weak = scores[:, start:end].argsort(dim=1, descending=True, stable=True)[:, self.level_candidates :]
            strong[:, start:end].scatter_(1, weak, False)
        return strong
