"""What is measured on predictions and labels."""

from handkit.metrics.boxes import BoxAP
from handkit.metrics.detection import DetectionRecall, FalseHandsPerImage
from handkit.metrics.handedness import HandednessAccuracy
from handkit.metrics.keypoint_metrics import AUC, EPE, NME, PCK
from handkit.metrics.samples import HandSamples, Metric

__all__ = [
    "AUC",
    "EPE",
    "NME",
    "PCK",
    "BoxAP",
    "DetectionRecall",
    "FalseHandsPerImage",
    "HandSamples",
    "HandednessAccuracy",
    "Metric",
]
