"""Losses on the one number per crop that an auxiliary head gives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor

from handkit.models.heads.base import Activation
from handkit.models.losses.base import Loss, Targets, check_shape
from handkit.registry import MODELS


@MODELS.register_module()
class PresenceLoss(Loss):
    """Binary cross-entropy between the logit ``presence`` and whether the crop shows a hand; every crop counts.

    Args:
        loss_weight: factor of this term in the sum over all terms.
    """

    name: ClassVar[str] = "loss_presence"
    reads: ClassVar[tuple[str, ...]] = ("presence",)
    needs: ClassVar[tuple[str, ...]] = ("hand",)
    activation: ClassVar[Activation] = "sigmoid"

    def per_sample(self, outputs: Mapping[str, Tensor], targets: Targets) -> tuple[Tensor, Tensor]:
        """(N,) logits -> (N,) values; all rows count."""
        output, hand = outputs["presence"], targets.need("hand", self)
        check_shape(self, "hand", hand, tuple(output.shape))
        values = F.binary_cross_entropy_with_logits(output, hand.to(output.dtype), reduction="none")
        return values, output.new_ones(len(output))


@MODELS.register_module()
class HandednessLoss(Loss):
    """Binary cross-entropy between the logit ``handedness`` and the side; crops of a hand of known side count.

    Args:
        loss_weight: factor of this term in the sum over all terms.
    """

    name: ClassVar[str] = "loss_handedness"
    reads: ClassVar[tuple[str, ...]] = ("handedness",)
    needs: ClassVar[tuple[str, ...]] = ("right",)
    activation: ClassVar[Activation] = "sigmoid"

    def per_sample(self, outputs: Mapping[str, Tensor], targets: Targets) -> tuple[Tensor, Tensor]:
        """(N,) logits -> (N,) values; rows of a hand whose side is known count."""
        output, right = outputs["handedness"], targets.need("right", self)
        check_shape(self, "right", right, tuple(output.shape))
        known = right.isfinite().to(output.dtype)
        sides = right.nan_to_num(nan=0.0).to(output.dtype)
        values = F.binary_cross_entropy_with_logits(output, sides, reduction="none")
        return values, targets.hands(output) * known
