"""From images to hand boxes: `handkit.detectors.base` says what each detector offers."""

from handkit.detectors.given import FullImage, GivenBoxes
from handkit.detectors.onehand import OneHandDetector
from handkit.detectors.palm import PalmDetector

__all__ = ["FullImage", "GivenBoxes", "OneHandDetector", "PalmDetector"]
