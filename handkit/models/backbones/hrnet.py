"""HRNet: high resolution from end to end."""

from __future__ import annotations

from typing import ClassVar, Literal

from torch import Tensor, nn

from handkit.errors import ConfigError
from handkit.models.backbones.hr_module import HRModule, Resize
from handkit.models.backbones.layers import Bottleneck, conv3x3, conv_bn, init_weights, residual_layer
from handkit.registry import MODELS


@MODELS.register_module()
class HRNet(nn.Module):
    """HRNet (Sun et al., CVPR 2019) and HRNetV2 (Wang et al., TPAMI 2020): branches at strides 4, 8, 16 and 32.

    The defaults are HRNetV2-W18, the backbone of the published hand models. State-dict keys are those of mmpose,
    mmdet and EasyCV. ``width=32, upsample='nearest', multiscale_output=False`` is the body HRNet-W32. ``backbone_from``
    of a training takes the ImageNet weights of mmcv's ``msra/hrnetv2_w18`` too, the classifier's layers left out.

    Args:
        width: channels of the branch at stride 4; each further branch has twice as many as the one before.
        num_modules: exchanges in stages 2, 3 and 4.
        num_blocks: blocks per branch in stages 1 to 4.
        stage1_channels: inner channels of stage 1's bottlenecks.
        in_channels: of the image.
        upsample: how lower resolutions are enlarged inside; the right one for given weights cannot be seen in them.
        align_corners: of bilinear upsampling.
        multiscale_output: return all four branches; otherwise only the one at stride 4.

    Attributes:
        out_channels: channels of each returned map.
        classifier: what checkpoints of the whole network hold beyond the backbone.

    Raises:
        ConfigError: not three `num_modules` or four `num_blocks`, or an unknown way of upsampling.
    """

    classifier: ClassVar[tuple[str, ...]] = ("incre_modules", "downsamp_modules", "final_layer", "classifier")

    def __init__(
        self,
        width: int = 18,
        num_modules: tuple[int, int, int] = (1, 4, 3),
        num_blocks: tuple[int, int, int, int] = (4, 4, 4, 4),
        stage1_channels: int = 64,
        in_channels: int = 3,
        upsample: Literal["bilinear", "nearest"] = "bilinear",
        align_corners: bool = False,
        multiscale_output: bool = True,
    ) -> None:
        super().__init__()
        if len(num_modules) != 3 or len(num_blocks) != 4:
            raise ConfigError(f"HRNet needs 3 num_modules and 4 num_blocks, got {num_modules} and {num_blocks}")
        resize = Resize(upsample, align_corners)
        widths = tuple(width * 2**branch for branch in range(4))
        self.out_channels = widths if multiscale_output else widths[:1]
        self.conv1 = conv3x3(in_channels, 64, stride=2)
        self.bn1 = nn.BatchNorm2d(64)
        self.conv2 = conv3x3(64, 64, stride=2)
        self.bn2 = nn.BatchNorm2d(64)
        self.relu = nn.ReLU(inplace=True)
        self.layer1 = residual_layer(Bottleneck, 64, stage1_channels, num_blocks[0])
        stage1_out = stage1_channels * Bottleneck.expansion
        self.transition1 = nn.ModuleList(
            [_transition(stage1_out, widths[0]), nn.Sequential(_halve(stage1_out, widths[1]))]
        )
        self.stage2 = _stage(widths[:2], num_modules[0], num_blocks[1], resize)
        self.transition2 = _new_branch(widths[:3])
        self.stage3 = _stage(widths[:3], num_modules[1], num_blocks[2], resize)
        self.transition3 = _new_branch(widths)
        self.stage4 = _stage(widths, num_modules[2], num_blocks[3], resize, None if multiscale_output else 1)
        init_weights(self)

    def forward(self, img: Tensor) -> tuple[Tensor, ...]:
        """(N, in_channels, H, W), normalised -> one (N, C_i, H / 2^(i+2), W / 2^(i+2)) per `out_channels`."""
        x = self.relu(self.bn1(self.conv1(img)))
        x = self.relu(self.bn2(self.conv2(x)))
        x = self.layer1(x)
        features = self.stage2([transition(x) for transition in self.transition1])
        features = self.stage3([*features, self.transition2[-1](features[-1])])
        return tuple(self.stage4([*features, self.transition3[-1](features[-1])]))


def _transition(in_channels: int, out_channels: int) -> nn.Module:
    return nn.Identity() if in_channels == out_channels else conv_bn(conv3x3(in_channels, out_channels))


def _halve(in_channels: int, out_channels: int) -> nn.Sequential:
    return conv_bn(conv3x3(in_channels, out_channels, stride=2))


def _new_branch(widths: tuple[int, ...]) -> nn.ModuleList:
    """The branch a stage adds, made from the lowest resolution so far; the others go on unchanged."""
    kept = [nn.Identity() for _ in widths[:-1]]
    return nn.ModuleList([*kept, nn.Sequential(_halve(widths[-2], widths[-1]))])


def _stage(
    widths: tuple[int, ...], num_modules: int, num_blocks: int, resize: Resize, num_outputs: int | None = None
) -> nn.Sequential:
    inner = [HRModule(widths, num_blocks, resize) for _ in range(num_modules - 1)]
    return nn.Sequential(*inner, HRModule(widths, num_blocks, resize, num_outputs))
