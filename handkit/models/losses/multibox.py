"""The loss of SSD."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from handkit.errors import ConfigError
from handkit.models.losses.base import at_least_float32
from handkit.registry import MODELS


@MODELS.register_module()
class MultiBoxLoss(nn.Module):
    """Cross-entropy on hands and hard background, smooth L1 on the boxes (Liu et al., ECCV 2016, section 2.2).

    Of an image's background anchors only those of the highest loss count, `neg_pos_ratio` times as many as it has
    hand anchors. Both terms are sums over all anchors and images, divided by the number of hand anchors, where an image
    without any counts as 1. With the default `min_negatives` values are those of mmdet's SSDHead, and an image without
    hands teaches nothing.

    Args:
        neg_pos_ratio: background anchors per hand anchor that count.
        smooth_l1_beta: differences of deltas below it are squared, those above taken as they are.
        min_negatives: background anchors of every image that count at least, so that images without hands teach too.

    Raises:
        ConfigError: an argument that is not positive, or a negative `min_negatives`.
    """

    def __init__(self, neg_pos_ratio: int = 3, smooth_l1_beta: float = 1.0, min_negatives: int = 0) -> None:
        super().__init__()
        if neg_pos_ratio < 1 or smooth_l1_beta <= 0 or min_negatives < 0:
            raise ConfigError(
                f"MultiBoxLoss: neg_pos_ratio {neg_pos_ratio} and smooth_l1_beta {smooth_l1_beta} must be positive, "
                f"min_negatives {min_negatives} not negative"
            )
        self.neg_pos_ratio = int(neg_pos_ratio)
        self.smooth_l1_beta = float(smooth_l1_beta)
        self.min_negatives = int(min_negatives)

    def forward(self, logits: Tensor, deltas: Tensor, assigned: Tensor, targets: Tensor) -> dict[str, Tensor]:
        """The two terms and their sum.

        Args:
            logits: (N, A, 2) of hand and background.
            deltas: (N, A, 4).
            assigned: (N, A) int64: the box an anchor is to answer, -1 for background, -2 for an anchor left out.
            targets: (N, A, 4) deltas from the anchors to their boxes, finite where `assigned` names one.

        Returns:
            Scalars ``loss_cls``, ``loss_bbox`` and ``loss``.
        """
        cls, bbox, hands = self.per_sample(at_least_float32(logits), at_least_float32(deltas), assigned, targets)
        total = hands.clamp(min=1).sum()
        losses = {"loss_cls": cls.sum() / total, "loss_bbox": bbox.sum() / total}
        return {**losses, "loss": losses["loss_cls"] + losses["loss_bbox"]}

    def per_sample(
        self, logits: Tensor, deltas: Tensor, assigned: Tensor, targets: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Arguments as for `forward` -> (N,) sums of either term, and (N,) numbers of hand anchors."""
        hand, background = assigned >= 0, assigned == -1
        counts = hand.sum(dim=1)
        entropy = F.cross_entropy(logits.flatten(0, 1), (~hand).long().flatten(), reduction="none").view_as(hand)
        hard = self._hard(entropy.detach(), background, counts)
        cls = (entropy * (hand | hard)).sum(dim=1)
        wanted = torch.where(hand[..., None], targets, 0)
        apart = F.smooth_l1_loss(deltas, wanted, reduction="none", beta=self.smooth_l1_beta).sum(dim=2)
        return cls, (apart * hand).sum(dim=1), counts

    def _hard(self, entropy: Tensor, background: Tensor, counts: Tensor) -> Tensor:
        """(N, A) bool: the background anchors of the highest loss.

        They are `neg_pos_ratio` for each of the image's hand anchors, and `min_negatives` at least.
        """
        order = entropy.masked_fill(~background, -torch.inf).argsort(dim=1, descending=True, stable=True)
        rank = torch.arange(order.shape[1], device=order.device).expand_as(order)
        first = rank < (self.neg_pos_ratio * counts).clamp(min=self.min_negatives)[:, None]
        return torch.zeros_like(background).scatter(1, order, first) & background
