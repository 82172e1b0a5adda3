"""PFLD's loss (Guo et al., arXiv:1902.10859, equation 2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from torch import Tensor, linalg

from handkit.errors import ConfigError
from handkit.models.heads.base import Activation
from handkit.models.losses.base import Loss, Targets, check_shape
from handkit.registry import MODELS

#: Of 1,401 hands of `HandSynth`, augmented as in the recipe pfld_handsynth_112x112.
_SHARES = (0.43, 0.49, 0.07, 0.20, 0.18, 0.20)


@MODELS.register_module()
class PFLDLoss(Loss):
    """Squared distances of the joints, more for hands that are rare and for those whose rotation is not yet known.

    A hand's value is w (1 + sum over yaw, pitch and roll of (1 - cos(predicted - true))) sum over its joints of d^2,
    d being the distance in shares of the input's sides. w is the mean, over all classes, of 1 / share for the classes
    the hand is of and 0 for the others, so that its mean over a data set with these shares is 1; the paper's sum is
    greater by the number of classes. A hand of no class has the weight 1, as has one of a class that never occurs.

    The angles' gradient comes from this product alone, as in the paper. In the paper's own form, without the 1 before
    the sum, a hand whose angles are right teaches no joint any more.

    Of a joint that might be here or there the squared distance teaches the mean, where it is not; the distance itself,
    whose mean NME is, teaches the median.

    Args:
        class_shares: of the classes of ``hand_classes``, how many of the data set's hands are of each.
        plus_one: with the 1; False: the paper's form, for which hands of unknown rotation do not count.
        squared: d^2, as in the paper; False: d.
        loss_weight: factor of this term in the sum over all terms.

    Raises:
        ConfigError: a share outside [0, 1]; in a call, another number of classes.
    """

    name: ClassVar[str] = "loss_pfld"
    reads: ClassVar[tuple[str, ...]] = ("coordinates", "hand_angles")
    needs: ClassVar[tuple[str, ...]] = ("coordinates", "target_weight", "hand_angles", "hand_classes")
    activation: ClassVar[Activation] = "none"

    def __init__(
        self,
        class_shares: Sequence[float] = _SHARES,
        plus_one: bool = True,
        squared: bool = True,
        loss_weight: float = 1.0,
    ) -> None:
        super().__init__(loss_weight)
        if not class_shares or not all(0 <= share <= 1 for share in class_shares):
            raise ConfigError(f"PFLDLoss: class_shares must be in [0, 1], one for each class, got {class_shares}")
        self.class_shares = tuple(float(share) for share in class_shares)
        self.plus_one = plus_one
        self.squared = squared

    def per_sample(self, outputs: Mapping[str, Tensor], targets: Targets) -> tuple[Tensor, Tensor]:
        """(N, K, 2) coordinates and (N, 3) angles -> (N,) values; crops of a hand count."""
        joints, angles = outputs["coordinates"], outputs["hand_angles"]
        labels, weight, true, classes = (targets.need(name, self) for name in self.needs)
        check_shape(self, "coordinates", labels, tuple(joints.shape))
        check_shape(self, "target_weight", weight, tuple(joints.shape[:2]))
        check_shape(self, "hand_angles", true, tuple(angles.shape))
        check_shape(self, "hand_classes", classes, (len(joints), len(self.class_shares)))
        known = true.isfinite().all(dim=1)
        apart = (1 - (angles - true.nan_to_num()).cos()).sum(dim=1) * known
        errors = joints - labels
        each = errors.square().sum(dim=2) if self.squared else linalg.vector_norm(errors, dim=2)
        distances = (each * weight).sum(dim=1)
        counts = targets.hands(joints)
        if self.plus_one:
            return self.rarity(classes) * (1 + apart) * distances, counts
        return self.rarity(classes) * apart * distances, counts * known

    def rarity(self, classes: Tensor) -> Tensor:
        """(N, C) -> (N,) weights."""
        inverse = [1 / share if share > 0 else 0.0 for share in self.class_shares]
        occurring = sum(share > 0 for share in self.class_shares)
        weights = (classes * classes.new_tensor(inverse)).sum(dim=1) / max(occurring, 1)
        return weights.where(weights > 0, 1.0)
