"""Losses: a network's raw outputs and their targets in, one value per row, then their mean, out."""

from handkit.models.losses.base import Loss, Targets
from handkit.models.losses.binary import HandednessLoss, PresenceLoss
from handkit.models.losses.coordinates import SmoothL1Loss, WingLoss
from handkit.models.losses.heatmaps import (
    KeypointMSELoss,
    KeypointOHKMMSELoss,
    ScoreMapMSELoss,
    SpatialCrossEntropyLoss,
)
from handkit.models.losses.masks import MaskBCELoss
from handkit.models.losses.multibox import MultiBoxLoss
from handkit.models.losses.offsets import DisplacementLoss, HeatmapBCELoss, OffsetLoss
from handkit.models.losses.pfld import PFLDLoss
from handkit.models.losses.simcc import KLDiscretLoss
from handkit.models.losses.space import CanonicalMSELoss, MPJPELoss, ViewpointMSELoss

__all__ = [
    "CanonicalMSELoss",
    "DisplacementLoss",
    "HandednessLoss",
    "HeatmapBCELoss",
    "KLDiscretLoss",
    "KeypointMSELoss",
    "KeypointOHKMMSELoss",
    "Loss",
    "MPJPELoss",
    "MaskBCELoss",
    "MultiBoxLoss",
    "OffsetLoss",
    "PFLDLoss",
    "PresenceLoss",
    "ScoreMapMSELoss",
    "SmoothL1Loss",
    "SpatialCrossEntropyLoss",
    "Targets",
    "ViewpointMSELoss",
    "WingLoss",
]
