"""Losses in space: PosePrior's (Zimmermann and Brox, ICCV 2017, equations 7 and 8), and the plain distance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor

from handkit.models.heads.base import Activation
from handkit.models.losses.base import Loss, Targets, check_shape
from handkit.registry import MODELS


@MODELS.register_module()
class CanonicalMSELoss(Loss):
    """Squared distances of the joints in the canonical frame, in lengths of the bone; their mean over the joints.

    Args:
        loss_weight: factor of this term in the sum over all terms.
    """

    name: ClassVar[str] = "loss_canonical"
    reads: ClassVar[tuple[str, ...]] = ("canonical",)
    needs: ClassVar[tuple[str, ...]] = ("canonical",)
    activation: ClassVar[Activation] = "none"

    def per_sample(self, outputs: Mapping[str, Tensor], targets: Targets) -> tuple[Tensor, Tensor]:
        """(N, K, 3) -> (N,) means; crops of a hand count."""
        output, labels = outputs["canonical"], targets.need("canonical", self)
        check_shape(self, "canonical", labels, tuple(output.shape))
        return (output - labels).square().sum(dim=2).mean(dim=1), targets.hands(output)


@MODELS.register_module()
class ViewpointMSELoss(Loss):
    """Squared differences of the rotation matrices, their sum over the nine: 4 - 4 cos(angle between them).

    Args:
        loss_weight: factor of this term in the sum over all terms.
    """

    name: ClassVar[str] = "loss_viewpoint"
    reads: ClassVar[tuple[str, ...]] = ("viewpoint",)
    needs: ClassVar[tuple[str, ...]] = ("viewpoint",)
    activation: ClassVar[Activation] = "none"

    def per_sample(self, outputs: Mapping[str, Tensor], targets: Targets) -> tuple[Tensor, Tensor]:
        """(N, 3, 3) -> (N,) sums; crops of a hand count."""
        output, labels = outputs["viewpoint"], targets.need("viewpoint", self)
        check_shape(self, "viewpoint", labels, tuple(output.shape))
        return (output - labels).square().sum(dim=(1, 2)), targets.hands(output)


@MODELS.register_module()
class MPJPELoss(Loss):
    """Mean distance of the joints in space, relative to the wrist, in lengths of the forefinger's proximal bone.

    Args:
        loss_weight: factor of this term in the sum over all terms.
    """

    name: ClassVar[str] = "loss_mpjpe"
    reads: ClassVar[tuple[str, ...]] = ("xyz_bone",)
    needs: ClassVar[tuple[str, ...]] = ("xyz_bone",)
    activation: ClassVar[Activation] = "none"

    def per_sample(self, outputs: Mapping[str, Tensor], targets: Targets) -> tuple[Tensor, Tensor]:
        """(N, K, 3) -> (N,) means; crops of a hand count."""
        output, labels = outputs["xyz_bone"], targets.need("xyz_bone", self)
        check_shape(self, "xyz_bone", labels, tuple(output.shape))
        return torch.linalg.vector_norm(output - labels, dim=2).mean(dim=1), targets.hands(output)
