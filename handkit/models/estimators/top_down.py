"""The network of a top-down estimator."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from handkit.models.estimators.base import PoseEstimator
from handkit.models.heads import Head
from handkit.models.losses import Loss, Targets
from handkit.models.modes import Mode
from handkit.registry import MODELS


@MODELS.register_module()
class TopDownEstimator(PoseEstimator):
    """A backbone, its heads and their losses: a batch of crops in, named outputs out. Decoding is the codec's work.

    State-dict keys: ``backbone.*``, ``head.*``, and ``aux_heads.{output}.*``, e.g. ``aux_heads.presence.fc.weight``.

    Args:
        backbone: image batch -> tuple of feature maps.
        head: feature maps -> outputs from which a codec reads the joints.
        aux_heads: feature maps, and those predictions of `head` or of an auxiliary head before them that they read ->
            further outputs, e.g. of `PresenceHead`.
        losses: the terms of the training loss; none are needed to predict.

    Raises:
        ConfigError: two heads give the same output, an auxiliary head reads what none before it gives, or a loss judges
            an output that no head gives or that the head activates otherwise.
    """

    def __init__(
        self, backbone: nn.Module, head: Head, aux_heads: Sequence[Head] = (), losses: Sequence[Loss] = ()
    ) -> None:
        super().__init__(backbone, head, aux_heads, losses)

    def forward(
        self,
        img: Tensor,
        mode: Mode = "predict",
        heatmaps: Tensor | None = None,
        target_weight: Tensor | None = None,
        right: Tensor | None = None,
        hand: Tensor | None = None,
        simcc_x: Tensor | None = None,
        simcc_y: Tensor | None = None,
        coordinates: Tensor | None = None,
        offsets: Tensor | None = None,
        hand_angles: Tensor | None = None,
        hand_classes: Tensor | None = None,
        mask: Tensor | None = None,
        xyz_bone: Tensor | None = None,
        canonical: Tensor | None = None,
        viewpoint: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """Runs N crops.

        Args:
            img: (N, 3, H, W), normalised.
            mode: what is wanted. The targets that follow are read in the mode 'loss' only.
            heatmaps: see `Targets`, as the following.
            target_weight: of the joints.
            right: the person's side.
            hand: whether there is one.
            simcc_x: labels along x.
            simcc_y: labels along y.
            coordinates: of the joints.
            offsets: from cells to the joints.
            hand_angles: of the palm.
            hand_classes: what makes a hand rare.
            mask: which pixels show a hand.
            xyz_bone: the joints in space as the crop shows them.
            canonical: the joints in space, whatever the view.
            viewpoint: the view.

        Returns:
            In the mode 'predict' the heads' outputs after their activation, N rows each, without internal ones and
            those of heads for training only; in 'tensor' before it; in 'loss' a scalar for each of `losses`, and
            ``loss``, their sum weighted by each one's `loss_weight`.

        Raises:
            ConfigError: an unknown mode; in 'loss', no losses, or a target that is missing or misshaped.
        """
        targets = Targets(
            heatmaps=heatmaps,
            target_weight=target_weight,
            right=right,
            hand=hand,
            simcc_x=simcc_x,
            simcc_y=simcc_y,
            coordinates=coordinates,
            offsets=offsets,
            hand_angles=hand_angles,
            hand_classes=hand_classes,
            mask=mask,
            xyz_bone=xyz_bone,
            canonical=canonical,
            viewpoint=viewpoint,
        )
        return self.answer(img, mode, targets)
