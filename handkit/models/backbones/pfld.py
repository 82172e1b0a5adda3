"""PFLD's backbone (Guo et al., PFLD: A Practical Facial Landmark Detector, arXiv:1902.10859)."""

from __future__ import annotations

from torch import Tensor, nn

from handkit.errors import ConfigError
from handkit.models.backbones.conv_module import ConvModule, init_convs
from handkit.models.backbones.mobilenet_v2 import InvertedResidual, make_divisible
from handkit.registry import MODELS


@MODELS.register_module()
class PFLDNet(nn.Module):
    """A short MobileNetV2 whose late maps are kept at two scales: table 1 of the paper, without its last convolution.

    Unlike MobileNetV2 it is wide early and ends at stride 16, so that an input of 112 x 112 gives maps of 28, 14 and 7
    cells a side. `PFLDHead` reads the last two, `RotationHead` the first.

    Args:
        widen_factor: multiplies the channels, which are then rounded to multiples of 8; 1 is the paper's.
        bn_eps: added to the variance in the batch norms.
        bn_momentum: weight of a new batch in the running statistics.

    Attributes:
        out_channels: of the maps at stride 4, 8 and 16.

    Raises:
        ConfigError: a `widen_factor` that is not positive.
    """

    def __init__(self, widen_factor: float = 0.75, bn_eps: float = 1e-5, bn_momentum: float = 0.1) -> None:
        super().__init__()
        if not widen_factor > 0:
            raise ConfigError(f"PFLDNet: widen_factor must be positive, not {widen_factor}")
        early, late, narrow, last = (make_divisible(width * widen_factor) for width in (64, 128, 16, 32))
        self.out_channels = (early, narrow, last)
        self.conv1 = ConvModule(3, early, 3, stride=2, bn_eps=bn_eps, bn_momentum=bn_momentum)
        self.conv2 = ConvModule(early, early, 3, groups=early, bn_eps=bn_eps, bn_momentum=bn_momentum)
        self.layer1 = nn.Sequential(
            InvertedResidual(early, early, 2, 2, bn_eps, bn_momentum),
            *(InvertedResidual(early, early, 2, 1, bn_eps, bn_momentum) for _ in range(4)),
        )
        self.layer2 = nn.Sequential(
            InvertedResidual(early, late, 2, 2, bn_eps, bn_momentum),
            *(InvertedResidual(late, late, 4, 1, bn_eps, bn_momentum) for _ in range(6)),
            InvertedResidual(late, narrow, 2, 1, bn_eps, bn_momentum),
        )
        self.conv3 = ConvModule(narrow, last, 3, stride=2, bn_eps=bn_eps, bn_momentum=bn_momentum)
        init_convs(self, None)

    def forward(self, img: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(N, 3, H, W) -> maps at a quarter, an eighth and a sixteenth of the sides."""
        early = self.layer1(self.conv2(self.conv1(img)))
        middle = self.layer2(early)
        return early, middle, self.conv3(middle)
