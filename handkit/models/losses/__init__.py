"""Losses: a network's raw outputs and their targets in, one value per row, then their mean, out."""

from handkit.models.losses.base import Loss, Targets
from handkit.models.losses.binary import HandednessLoss, PresenceLoss
from handkit.models.losses.heatmaps import KeypointMSELoss, SpatialCrossEntropyLoss
from handkit.models.losses.multibox import MultiBoxLoss

__all__ = [
    "HandednessLoss",
    "KeypointMSELoss",
    "Loss",
    "MultiBoxLoss",
    "PresenceLoss",
    "SpatialCrossEntropyLoss",
    "Targets",
]
