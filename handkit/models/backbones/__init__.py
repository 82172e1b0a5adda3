"""Backbones: a normalised image batch in, a tuple of feature maps out, the highest resolution first."""

from handkit.models.backbones.cpm import CPMTrunk
from handkit.models.backbones.cspnext import CSPNeXt
from handkit.models.backbones.efficientnet_lite import EfficientNetLite0
from handkit.models.backbones.hourglass import HourglassNet
from handkit.models.backbones.hrnet import HRNet
from handkit.models.backbones.litehrnet import LiteHRNet
from handkit.models.backbones.mobilenet_v2 import MobileNetV2
from handkit.models.backbones.pfld import PFLDNet
from handkit.models.backbones.resnet import ResNet
from handkit.models.backbones.scnet import SCNet

__all__ = [
    "CPMTrunk",
    "CSPNeXt",
    "EfficientNetLite0",
    "HRNet",
    "HourglassNet",
    "LiteHRNet",
    "MobileNetV2",
    "PFLDNet",
    "ResNet",
    "SCNet",
]
