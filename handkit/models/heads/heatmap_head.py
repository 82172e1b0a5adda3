"""The head of Simple Baselines: the coarsest map enlarged, then heat maps."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from handkit.errors import ConfigError
from handkit.models.heads.base import Head
from handkit.registry import MODELS

#: Kernel of a deconvolution that doubles a map -> its padding and output padding.
_PADDINGS = {4: (1, 0), 3: (1, 1), 2: (0, 0)}


@MODELS.register_module()
class HeatmapHead(Head):
    """Deconvolutions of stride 2 with batch norm and ReLU, then a 1x1 convolution to one heat map per joint.

    Xiao et al., Simple Baselines for Human Pose Estimation and Tracking, ECCV 2018. State-dict keys are those of mmpose
    1.x.

    Args:
        in_channels: of the backbone's last map.
        out_channels: the number of joints.
        deconv_out_channels: of each deconvolution; each doubles width and height. () for backbones whose last map is
            large enough as it is.
        deconv_kernel_sizes: of each deconvolution: 2, 3 or 4.
        softmax: predictions are probabilities over the cells of each map, decoded by a codec with
            ``probabilities=True``; otherwise the maps as they are.

    Raises:
        ConfigError: a number of channels below 1, another kernel, or another number of kernels than of channels.
    """

    outputs = ("heatmaps",)

    def __init__(
        self,
        in_channels: int = 2048,
        out_channels: int = 21,
        deconv_out_channels: Sequence[int] = (256, 256, 256),
        deconv_kernel_sizes: Sequence[int] = (4, 4, 4),
        softmax: bool = False,
    ) -> None:
        super().__init__()
        if min(in_channels, out_channels, *deconv_out_channels) < 1:
            raise ConfigError(
                f"HeatmapHead needs positive numbers of channels, got {in_channels}, {tuple(deconv_out_channels)} and "
                f"{out_channels}"
            )
        kernels = tuple(deconv_kernel_sizes)
        if len(kernels) != len(deconv_out_channels) or not set(kernels) <= set(_PADDINGS):
            raise ConfigError(
                f"HeatmapHead: deconv_kernel_sizes must be 2, 3 or 4 for each of {tuple(deconv_out_channels)}, got "
                f"{kernels}"
            )
        self.map_channels = (in_channels,)
        self.activation = "softmax" if softmax else "none"
        layers: list[nn.Module] = []
        channels = in_channels
        for width, kernel in zip(deconv_out_channels, kernels, strict=True):
            padding, more = _PADDINGS[kernel]
            deconv = nn.ConvTranspose2d(channels, width, kernel, 2, padding, more, bias=False)
            layers += [deconv, nn.BatchNorm2d(width), nn.ReLU(inplace=True)]
            channels = width
        self.deconv_layers = nn.Sequential(*layers)
        self.final_layer = nn.Conv2d(channels, out_channels, 1)
        for part in self.modules():
            if isinstance(part, (nn.Conv2d, nn.ConvTranspose2d)):
                nn.init.normal_(part.weight, std=0.001)
        nn.init.zeros_(self.final_layer.bias)  # type: ignore[arg-type]

    def forward(self, features: Sequence[Tensor]) -> dict[str, Tensor]:
        """The last map (N, in_channels, h, w) -> ``heatmaps`` (N, out_channels, 2^d h, 2^d w), d deconvolutions."""
        return {"heatmaps": self.final_layer(self.deconv_layers(features[-1]))}
