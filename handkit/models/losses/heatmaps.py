"""Losses on heat maps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor

from handkit.errors import ConfigError
from handkit.models.heads.base import Activation
from handkit.models.losses.base import Loss, Targets, check_shape
from handkit.registry import MODELS


class _HeatmapLoss(Loss):
    """A value per map, weighted by ``target_weight``, averaged over all K joints of the hands."""

    name: ClassVar[str] = "loss_heatmaps"
    reads: ClassVar[tuple[str, ...]] = ("heatmaps",)
    needs: ClassVar[tuple[str, ...]] = ("heatmaps", "target_weight")

    def per_sample(self, outputs: Mapping[str, Tensor], targets: Targets) -> tuple[Tensor, Tensor]:
        """(N, K, h, w) -> (N,) means over the joints, those without weight adding 0; crops of a hand count."""
        output = outputs["heatmaps"]
        maps, weight = targets.need("heatmaps", self), targets.need("target_weight", self)
        check_shape(self, "heatmaps", maps, tuple(output.shape))
        check_shape(self, "target_weight", weight, tuple(output.shape[:2]))
        mask = targets.heatmap_mask
        if mask is not None:
            check_shape(self, "heatmap_mask", mask, tuple(output.shape))
        return self.over_joints(self.per_map(output, maps, mask) * weight), targets.hands(output)

    def over_joints(self, values: Tensor) -> Tensor:
        """(N, K) -> (N,) means over all K joints."""
        return values.mean(dim=1)

    def per_map(self, output: Tensor, target: Tensor, mask: Tensor | None) -> Tensor:
        """Two (N, K, h, w), and the share with which each cell counts, None where all do -> (N, K)."""
        raise NotImplementedError


@MODELS.register_module()
class KeypointMSELoss(_HeatmapLoss):
    """Mean squared difference between the maps and their targets (Xiao et al., ECCV 2018).

    For crops that all show a hand it is mmpose's ``KeypointMSELoss(use_target_weight=True)``.

    Args:
        loss_weight: factor of this term in the sum over all terms.
    """

    activation: ClassVar[Activation] = "none"

    def per_map(self, output: Tensor, target: Tensor, mask: Tensor | None) -> Tensor:
        """Two (N, K, h, w) -> (N, K) means over the cells, those that do not count adding 0."""
        return over_cells((output - target).square(), mask)


@MODELS.register_module()
class KeypointOHKMMSELoss(KeypointMSELoss):
    """`KeypointMSELoss` over the worst joints of each hand only (online hard keypoint mining, Chen et al., CVPR 2018).

    Values are those of mmpose's loss of the same name with ``use_target_weight=True``.

    Args:
        topk: so many joints of a hand count; those without weight have the loss 0.
        loss_weight: factor of this term in the sum over all terms.

    Raises:
        ConfigError: a `topk` below 1, or above the number of joints.
    """

    def __init__(self, topk: int = 8, loss_weight: float = 1.0) -> None:
        super().__init__(loss_weight)
        if topk < 1:
            raise ConfigError(f"KeypointOHKMMSELoss: topk must be 1 at least, not {topk}")
        self.topk = int(topk)

    def over_joints(self, values: Tensor) -> Tensor:
        """(N, K) -> (N,) means over the `topk` highest."""
        if values.shape[1] < self.topk:
            raise ConfigError(f"KeypointOHKMMSELoss: topk={self.topk} of {values.shape[1]} joints")
        return values.topk(self.topk, dim=1).values.mean(dim=1)


@MODELS.register_module()
class ScoreMapMSELoss(KeypointMSELoss):
    """`KeypointMSELoss` of the maps of every stage of a `ScoreMapHead`; the sum over the stages.

    All stages have the same target, so that each is taught on its own (Wei et al., CVPR 2016).

    Args:
        loss_weight: factor of this term in the sum over all terms.
    """

    name: ClassVar[str] = "loss_score_maps"
    reads: ClassVar[tuple[str, ...]] = ("score_maps",)

    def per_sample(self, outputs: Mapping[str, Tensor], targets: Targets) -> tuple[Tensor, Tensor]:
        """(N, S, K, h, w) -> (N,) sums over the stages; crops of a hand count."""
        stages = outputs["score_maps"].unbind(1)
        maps, weight = targets.need("heatmaps", self), targets.need("target_weight", self)
        check_shape(self, "heatmaps", maps, tuple(stages[0].shape))
        check_shape(self, "target_weight", weight, tuple(stages[0].shape[:2]))
        values = [self.over_joints(self.per_map(stage, maps, None) * weight) for stage in stages]
        return torch.stack(values).sum(dim=0), targets.hands(stages[0])


@MODELS.register_module()
class SpatialCrossEntropyLoss(_HeatmapLoss):
    """Cross-entropy between each map, as a distribution over its cells, and its target divided by its sum.

    The head must have ``softmax=True``. The least value is the target's entropy, 1 + log(2 pi sigma^2) for a gaussian
    well inside the map: 4.22 at sigma 2. The gradient with respect to the logits is the difference of the two
    distributions, whatever the map's size; that of the squared difference shrinks with the number of cells, which is
    one reason why training from scratch takes longer with it.

    Args:
        loss_weight: factor of this term in the sum over all terms.
    """

    activation: ClassVar[Activation] = "softmax"

    def per_map(self, output: Tensor, target: Tensor, mask: Tensor | None) -> Tensor:
        """Logits and targets (N, K, h, w) -> (N, K); 0 where the target is empty.

        Raises:
            ConfigError: a mask, since a share of the whole map leaves no cell out.
        """
        if mask is not None:
            raise ConfigError("SpatialCrossEntropyLoss takes whole maps, and no heatmap_mask: take HeatmapBCELoss")
        logits, shares = output.flatten(2), target.flatten(2)
        shares = shares / shares.sum(dim=2, keepdim=True).clamp(min=1e-12)
        return -(logits.log_softmax(dim=2) * shares).sum(dim=2)


def over_cells(values: Tensor, mask: Tensor | None) -> Tensor:
    """(N, K, h, w) -> (N, K) means over all cells; those that a mask leaves out add 0."""
    return (values if mask is None else values * mask).mean(dim=(2, 3))
