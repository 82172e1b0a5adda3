"""Heads: a backbone's feature maps in, a dict of named outputs out (see `handkit.models.estimators`)."""

from handkit.models.heads.base import Head
from handkit.models.heads.binary import HandednessHead, PresenceHead
from handkit.models.heads.heatmap_head import HeatmapHead
from handkit.models.heads.hrnetv2_head import HRNetV2Head
from handkit.models.heads.lifting import LiftingHead
from handkit.models.heads.mask_head import MaskHead
from handkit.models.heads.offset_head import HandOffsetHead, OffsetHead
from handkit.models.heads.pfld_heads import PFLDHead, RotationHead
from handkit.models.heads.pose_handedness import PoseHandednessHead
from handkit.models.heads.pose_prior import PosePriorHead
from handkit.models.heads.regression_head import RegressionHead
from handkit.models.heads.score_map_head import ScoreMapHead
from handkit.models.heads.simcc_heads import RTMCCHead, SimCCHead

__all__ = [
    "HRNetV2Head",
    "HandOffsetHead",
    "HandednessHead",
    "Head",
    "HeatmapHead",
    "LiftingHead",
    "MaskHead",
    "OffsetHead",
    "PFLDHead",
    "PoseHandednessHead",
    "PosePriorHead",
    "PresenceHead",
    "RTMCCHead",
    "RegressionHead",
    "RotationHead",
    "ScoreMapHead",
    "SimCCHead",
]
