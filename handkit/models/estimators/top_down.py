"""The network of a top-down estimator."""

from __future__ import annotations

from torch import Tensor, nn

from handkit.registry import MODELS


@MODELS.register_module()
class TopDownEstimator(nn.Module):
    """A backbone and a head: a batch of crops in, named outputs out. Decoding is the codec's work.

    Args:
        backbone: image batch -> tuple of feature maps.
        head: feature maps -> dict of outputs.
    """

    def __init__(self, backbone: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = head

    def forward(self, img: Tensor) -> dict[str, Tensor]:
        """(N, 3, H, W) normalised crops -> the head's outputs, N rows each."""
        outputs: dict[str, Tensor] = self.head(self.backbone(img))
        return outputs
