"""Losses on PoseNet's maps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor

from handkit.models.heads.base import Activation
from handkit.models.losses.base import Loss, Targets, check_shape
from handkit.models.losses.heatmaps import _HeatmapLoss, over_cells
from handkit.registry import MODELS


@MODELS.register_module()
class HeatmapBCELoss(_HeatmapLoss):
    """Binary cross-entropy of every cell: is it near the joint? (PersonLab, ECCV 2018, 3.1: the logistic loss.)

    The mean over the cells and over all K joints; joints without weight, and cells outside ``heatmap_mask``, add 0.

    Args:
        loss_weight: factor of this term in the sum over all terms; PersonLab has 4, beside 1 for the offsets.
    """

    activation: ClassVar[Activation] = "sigmoid"

    def per_map(self, output: Tensor, target: Tensor, mask: Tensor | None) -> Tensor:
        """Logits and targets (N, K, h, w) -> (N, K)."""
        return over_cells(F.binary_cross_entropy_with_logits(output, target, reduction="none"), mask)


@MODELS.register_module()
class OffsetLoss(Loss):
    """The absolute error of the offsets within the discs (PersonLab's L1 loss, in units of the radius as there).

    The sum of both coordinates' errors, its mean over the cells of a joint's disc, and that over all K joints; joints
    without weight add 0.

    Args:
        loss_weight: factor of this term in the sum over all terms.
    """

    name: ClassVar[str] = "loss_offsets"
    reads: ClassVar[tuple[str, ...]] = ("offsets",)
    needs: ClassVar[tuple[str, ...]] = ("offsets", "heatmaps", "target_weight")
    activation: ClassVar[Activation] = "none"

    def per_sample(self, outputs: Mapping[str, Tensor], targets: Targets) -> tuple[Tensor, Tensor]:
        """(N, K, 2, h, w) -> (N,) means over the joints; crops of a hand count."""
        output = outputs["offsets"]
        labels, discs, weight = (targets.need(name, self) for name in self.needs)
        check_shape(self, "offsets", labels, tuple(output.shape))
        check_shape(self, "heatmaps", discs, (*output.shape[:2], *output.shape[3:]))
        check_shape(self, "target_weight", weight, tuple(output.shape[:2]))
        apart = (output - labels).abs().sum(2) * discs
        mean = apart.sum(dim=(2, 3)) / discs.sum(dim=(2, 3)).clamp(min=1)
        return (mean * weight).mean(1), targets.hands(output)


@MODELS.register_module()
class DisplacementLoss(Loss):
    """The absolute error of the displacements in the discs where they begin (PersonLab's mid-range offsets).

    The sum of both coordinates' errors in units of the radius, its mean over the cells of a way, and that over all
    ways; a way of which no cell is labelled adds 0.

    Args:
        loss_weight: factor of this term in the sum over all terms; PersonLab has 0.25, beside 1 for the offsets.
    """

    name: ClassVar[str] = "loss_displacements"
    reads: ClassVar[tuple[str, ...]] = ("displacements",)
    needs: ClassVar[tuple[str, ...]] = ("displacements", "displacement_weight")
    activation: ClassVar[Activation] = "none"

    def per_sample(self, outputs: Mapping[str, Tensor], targets: Targets) -> tuple[Tensor, Tensor]:
        """(N, 2E, 2, h, w) -> (N,) means over the ways; images without a hand count, and add 0."""
        output = outputs["displacements"]
        labels, cells = (targets.need(name, self) for name in self.needs)
        check_shape(self, "displacements", labels, tuple(output.shape))
        check_shape(self, "displacement_weight", cells, (*output.shape[:2], *output.shape[3:]))
        apart = (output - labels).abs().sum(2) * cells
        mean = apart.sum(dim=(2, 3)) / cells.sum(dim=(2, 3)).clamp(min=1)
        return mean.mean(1), output.new_ones(len(output))
