"""The loss on distributions along either axis."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor

from handkit.errors import ConfigError
from handkit.models.heads.base import Activation
from handkit.models.losses.base import Loss, Targets, check_shape
from handkit.registry import MODELS


@MODELS.register_module()
class KLDiscretLoss(Loss):
    """Kullback-Leibler divergence from the labels to softmax(beta x logits), along x and y (Li et al., ECCV 2022).

    Per joint the mean over the bins of both axes' terms, added; per hand the mean over all K joints, those without
    weight adding 0. A batch of N hands has mmpose's value (``use_target_weight=True``) divided by N: mmpose sums over
    hands. The head must have the same `beta`, and the codec `SimCC` must know of the labels' softmax by its
    ``label_beta``.

    Args:
        beta: factor of the logits; 1 in SimCC, 10 in RTMPose.
        label_softmax: make a distribution of the labels by softmax(label_beta x label), as RTMPose does; otherwise they
            are taken as they are.
        label_beta: factor of the labels.
        loss_weight: factor of this term in the sum over all terms.

    Raises:
        ConfigError: a factor that is not positive.
    """

    name: ClassVar[str] = "loss_simcc"
    reads: ClassVar[tuple[str, ...]] = ("simcc_x", "simcc_y")
    needs: ClassVar[tuple[str, ...]] = ("simcc_x", "simcc_y", "target_weight")
    activation: ClassVar[Activation] = "softmax"

    def __init__(
        self, beta: float = 1.0, label_softmax: bool = False, label_beta: float = 10.0, loss_weight: float = 1.0
    ) -> None:
        super().__init__(loss_weight)
        if not (beta > 0 and label_beta > 0):
            raise ConfigError(f"KLDiscretLoss: beta {beta} and label_beta {label_beta} must be positive")
        self.beta = float(beta)
        self.label_softmax = label_softmax
        self.label_beta = float(label_beta)

    def per_sample(self, outputs: Mapping[str, Tensor], targets: Targets) -> tuple[Tensor, Tensor]:
        """Two (N, K, bins) of logits -> (N,) values; crops of a hand count."""
        weight = targets.need("target_weight", self)
        divergence = outputs["simcc_x"].new_zeros(())
        for name in self.reads:
            logits, label = outputs[name], targets.need(name, self)
            check_shape(self, name, label, tuple(logits.shape))
            check_shape(self, "target_weight", weight, tuple(logits.shape[:2]))
            divergence = divergence + self._divergence(logits, label)
        return (divergence * weight).mean(dim=1), targets.hands(outputs["simcc_x"])

    def _divergence(self, logits: Tensor, label: Tensor) -> Tensor:
        """(N, K, bins) -> (N, K) means over the bins."""
        if self.label_softmax:
            label = (label * self.label_beta).softmax(dim=2)
        return F.kl_div((logits * self.beta).log_softmax(dim=2), label, reduction="none").mean(dim=2)
