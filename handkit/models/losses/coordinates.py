"""Losses on coordinates."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from handkit.errors import ConfigError
from handkit.models.heads.base import Activation
from handkit.models.losses.base import Loss, Targets, check_shape
from handkit.registry import MODELS


class _CoordinateLoss(Loss):
    """A value per coordinate, weighted by ``target_weight``."""

    name: ClassVar[str] = "loss_coordinates"
    reads: ClassVar[tuple[str, ...]] = ("coordinates",)
    needs: ClassVar[tuple[str, ...]] = ("coordinates", "target_weight")
    activation: ClassVar[Activation] = "none"

    def per_sample(self, outputs: Mapping[str, Tensor], targets: Targets) -> tuple[Tensor, Tensor]:
        """(N, K, 2) -> (N,) values, joints without weight adding 0; crops of a hand count."""
        output = outputs["coordinates"]
        labels, weight = targets.need("coordinates", self), targets.need("target_weight", self)
        check_shape(self, "coordinates", labels, tuple(output.shape))
        check_shape(self, "target_weight", weight, tuple(output.shape[:2]))
        return self.per_hand(self.per_coordinate(output, labels) * weight[..., None]), targets.hands(output)

    def per_coordinate(self, output: Tensor, label: Tensor) -> Tensor:
        """Two (N, K, 2) -> (N, K, 2)."""
        raise NotImplementedError

    def per_hand(self, values: Tensor) -> Tensor:
        """(N, K, 2) -> (N,)."""
        raise NotImplementedError


@MODELS.register_module()
class SmoothL1Loss(_CoordinateLoss):
    """Half the squared difference below `beta`, divided by it; above, the difference less beta / 2 (Girshick, 2015).

    The mean over all coordinates, as in mmpose's loss of the same name with ``use_target_weight=True``.

    Args:
        beta: where the parabola goes over into the line, in units of the coordinates.
        loss_weight: factor of this term in the sum over all terms.

    Raises:
        ConfigError: a `beta` that is not positive.
    """

    def __init__(self, beta: float = 1.0, loss_weight: float = 1.0) -> None:
        super().__init__(loss_weight)
        if not beta > 0:
            raise ConfigError(f"SmoothL1Loss: beta must be positive, not {beta}")
        self.beta = float(beta)

    def per_coordinate(self, output: Tensor, label: Tensor) -> Tensor:
        """Two (N, K, 2) -> (N, K, 2)."""
        return F.smooth_l1_loss(output, label, reduction="none", beta=self.beta)

    def per_hand(self, values: Tensor) -> Tensor:
        """(N, K, 2) -> (N,) means."""
        return values.mean(dim=(1, 2))


@MODELS.register_module()
class WingLoss(_CoordinateLoss):
    """omega log(1 + d / epsilon) below omega, above a line of slope 1 (Feng et al., Wing Loss, CVPR 2018).

    The sum over a hand's coordinates, as in mmpose's loss of the same name with ``use_target_weight=True``. Coordinates
    are shares of the input's sides, so differences hardly reach the paper's omega of 10 pixels of 256: 0.04 and 0.008
    are its omega and epsilon here; the defaults are mmpose's.

    Args:
        omega: where the logarithm goes over into the line, in units of the coordinates.
        epsilon: the smaller, the steeper the logarithm at 0.
        loss_weight: factor of this term in the sum over all terms.

    Raises:
        ConfigError: an `omega` or `epsilon` that is not positive.
    """

    def __init__(self, omega: float = 10.0, epsilon: float = 2.0, loss_weight: float = 1.0) -> None:
        super().__init__(loss_weight)
        if not (omega > 0 and epsilon > 0):
            raise ConfigError(f"WingLoss: omega {omega} and epsilon {epsilon} must be positive")
        self.omega, self.epsilon = float(omega), float(epsilon)

    def per_coordinate(self, output: Tensor, label: Tensor) -> Tensor:
        """Two (N, K, 2) -> (N, K, 2)."""
        apart = (output - label).abs()
        line = apart - self.omega * (1 - math.log1p(self.omega / self.epsilon))
        return torch.where(apart < self.omega, self.omega * (apart / self.epsilon).log1p(), line)

    def per_hand(self, values: Tensor) -> Tensor:
        """(N, K, 2) -> (N,) sums."""
        return values.sum(dim=(1, 2))
