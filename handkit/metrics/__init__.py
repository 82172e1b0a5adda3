"""What is measured on predictions and labels."""

from handkit.metrics.boxes import BoxAP
from handkit.metrics.detection import DetectionRecall, FalseHandsPerImage
from handkit.metrics.gestures import GestureAccuracy
from handkit.metrics.handedness import HandednessAccuracy
from handkit.metrics.keypoint_metrics import AUC, EPE, NME, PCK, NMEEasyCV
from handkit.metrics.masks import MaskIoU
from handkit.metrics.poses import OKSAP
from handkit.metrics.presence import PresenceAUC
from handkit.metrics.samples import HandSamples, Metric
from handkit.metrics.spatial import AUC3D, MPJPE, PAMPJPE

__all__ = [
    "AUC",
    "AUC3D",
    "EPE",
    "MPJPE",
    "NME",
    "OKSAP",
    "PAMPJPE",
    "PCK",
    "BoxAP",
    "DetectionRecall",
    "FalseHandsPerImage",
    "GestureAccuracy",
    "HandSamples",
    "HandednessAccuracy",
    "MaskIoU",
    "Metric",
    "NMEEasyCV",
    "PresenceAUC",
]
