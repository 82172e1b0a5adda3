"""CSPNeXt, the backbone of RTMDet (Lyu et al., arXiv:2212.07784) and RTMPose (Jiang et al., arXiv:2303.07399)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from torch import Tensor, nn

from handkit.errors import ConfigError
from handkit.models.backbones.csp_layer import CSPLayer, SPPBottleneck, silu_conv
from handkit.models.backbones.layers import checked_out_indices
from handkit.registry import MODELS

_STEM_CHANNELS = 64
#: P5: channels and blocks of each stage. The last one pools and its blocks have no shortcuts.
_STAGES = ((128, 3), (256, 6), (512, 6), (1024, 3))


@MODELS.register_module()
class CSPNeXt(nn.Module):
    """Three 3x3 convolutions and four stages of CSP layers (mmdet's arch P5); state-dict keys as in mmdet and mmpose.

    The defaults are CSPNeXt-m as RTMPose-m has it. -s has factors 0.33 and 0.5, -l 1 and 1; RTMDet-nano has 0.33, 0.25
    and depthwise convolutions. The batch norms' eps cannot be seen in weights and matters: the configs of RTMPose and
    of RTMDet name ``SyncBN`` alone, which is 1e-5; without a `norm_cfg` mmdet's classes take 1e-3 and momentum 0.03.

    Args:
        deepen_factor: multiplies the blocks of each stage, 3, 6, 6 and 3, which are then rounded; at least one.
        widen_factor: multiplies the channels.
        out_indices: the outputs, ascending: 0 for ``stem``, 1 to 4 for ``stage1`` to ``stage4``. At widen_factor 1 they
            have 64, 128, 256, 512 and 1024 channels at strides 2, 4, 8, 16 and 32. RTMPose uses (4,).
        expand_ratio: the two projections of a CSP layer have this share of its channels.
        channel_attention: weight the channels of each CSP layer.
        bn_eps: added to the variance in the batch norms.
        bn_momentum: weight of a new batch in the running statistics.
        use_depthwise: all 3x3 convolutions behind the stem are depthwise separable.

    Attributes:
        out_channels: channels of each returned map.

    Raises:
        ConfigError: `out_indices` is empty, not ascending or out of range, or a factor leaves no channels.
    """

    def __init__(
        self,
        deepen_factor: float = 0.67,
        widen_factor: float = 0.75,
        out_indices: Sequence[int] = (4,),
        expand_ratio: float = 0.5,
        channel_attention: bool = True,
        bn_eps: float = 1e-5,
        bn_momentum: float = 0.1,
        use_depthwise: bool = False,
    ) -> None:
        super().__init__()
        stem, half = int(_STEM_CHANNELS * widen_factor), int(_STEM_CHANNELS * widen_factor // 2)
        widths = [int(channels * widen_factor) for channels, _ in _STAGES]
        if half < 1 or int(widths[0] * expand_ratio) < 1:
            raise ConfigError(
                f"CSPNeXt: widen_factor {widen_factor} and expand_ratio {expand_ratio} leave no channels; they must be "
                "positive"
            )
        self.out_indices = checked_out_indices(self, out_indices, len(_STAGES) + 1)
        self.out_channels = tuple([stem, *widths][index] for index in self.out_indices)
        conv = partial(silu_conv, kernel_size=3, bn_eps=bn_eps, bn_momentum=bn_momentum)
        self.stem = nn.Sequential(conv(3, half, stride=2), conv(half, half), conv(half, stem))
        channels = stem
        for index, (width, (_, blocks)) in enumerate(zip(widths, _STAGES, strict=True)):
            last = index == len(_STAGES) - 1
            count = max(round(blocks * deepen_factor), 1)
            parts: list[nn.Module] = [conv(channels, width, stride=2, use_depthwise=use_depthwise)]
            if last:
                parts.append(SPPBottleneck(width, bn_eps, bn_momentum))
            layer = (width, width, count, not last, expand_ratio, channel_attention, bn_eps, bn_momentum, use_depthwise)
            parts.append(CSPLayer(*layer))
            self.add_module(f"stage{index + 1}", nn.Sequential(*parts))
            channels = width
        _init_weights(self)

    def forward(self, img: Tensor) -> tuple[Tensor, ...]:
        """(N, 3, H, W), normalised -> a map for each of `out_indices`; what lies behind the last of them is not run."""
        features, x = [], img
        for index, name in enumerate(["stem", "stage1", "stage2", "stage3", "stage4"][: self.out_indices[-1] + 1]):
            x = getattr(self, name)(x)
            if index in self.out_indices:
                features.append(x)
        return tuple(features)


def _init_weights(net: nn.Module) -> None:
    """As mmdet begins: He's uniform distribution for leaky ReLUs of slope sqrt(5), which is torch's own; no biases."""
    for part in net.modules():
        if isinstance(part, nn.Conv2d) and part.bias is not None:
            nn.init.zeros_(part.bias)
