"""The network of a bottom-up estimator."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from handkit.models.estimators.base import PoseEstimator
from handkit.models.heads import Head
from handkit.models.losses import Loss, Targets
from handkit.models.modes import Mode
from handkit.registry import MODELS


@MODELS.register_module()
class BottomUpEstimator(PoseEstimator):
    """Like `TopDownEstimator`, for whole images: the maps hold the joints of all hands, which `HandOffsets` parts.

    State-dict keys: ``backbone.*`` and ``head.*``.

    Args:
        backbone: image batch -> tuple of feature maps.
        head: feature maps -> the maps, e.g. `HandOffsetHead`.
        losses: the terms of the training loss; none are needed to predict.

    Raises:
        ConfigError: a loss judges an output that the head does not give or that it activates otherwise.
    """

    def __init__(self, backbone: nn.Module, head: Head, losses: Sequence[Loss] = ()) -> None:
        super().__init__(backbone, head, (), losses)

    def forward(
        self,
        img: Tensor,
        mode: Mode = "predict",
        heatmaps: Tensor | None = None,
        heatmap_mask: Tensor | None = None,
        offsets: Tensor | None = None,
        displacements: Tensor | None = None,
        displacement_weight: Tensor | None = None,
        target_weight: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """Runs N images.

        Args:
            img: (N, 3, H, W), normalised.
            mode: what is wanted. The targets that follow are read in the mode 'loss' only.
            heatmaps: see `Targets`, as the following.
            heatmap_mask: the cells of which it is known whether a joint is there.
            offsets: from cells to the joints.
            displacements: from cells to neighbouring joints.
            displacement_weight: of the cells.
            target_weight: of the joints.

        Returns:
            See `PoseEstimator.answer`.

        Raises:
            ConfigError: likewise.
        """
        targets = Targets(
            heatmaps=heatmaps,
            heatmap_mask=heatmap_mask,
            target_weight=target_weight,
            offsets=offsets,
            displacements=displacements,
            displacement_weight=displacement_weight,
        )
        return self.answer(img, mode, targets)
