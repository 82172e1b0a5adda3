"""The loss on masks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor

from handkit.models.heads.base import Activation
from handkit.models.losses.base import Loss, Targets, check_shape
from handkit.registry import MODELS


@MODELS.register_module()
class MaskBCELoss(Loss):
    """Binary cross-entropy of every pixel: does it show a hand? Its mean over the pixels of the images.

    The paper's softmax over the two classes hand and background (Zimmermann and Brox, ICCV 2017) is the same.

    Args:
        loss_weight: factor of this term in the sum over all terms.
    """

    name: ClassVar[str] = "loss_mask"
    reads: ClassVar[tuple[str, ...]] = ("mask",)
    needs: ClassVar[tuple[str, ...]] = ("mask",)
    activation: ClassVar[Activation] = "sigmoid"

    def per_sample(self, outputs: Mapping[str, Tensor], targets: Targets) -> tuple[Tensor, Tensor]:
        """Logits (N, H, W) -> (N,) means over the pixels; images without a hand count."""
        output, mask = outputs["mask"], targets.need("mask", self)
        check_shape(self, "mask", mask, tuple(output.shape))
        values = F.binary_cross_entropy_with_logits(output, (mask == 1).to(output.dtype), reduction="none")
        return values.mean(dim=(1, 2)), output.new_ones(len(output))
