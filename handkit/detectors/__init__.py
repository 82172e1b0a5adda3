"""From images to hand boxes: `handkit.detectors.base` says what each detector offers."""

from handkit.detectors.given import FullImage, GivenBoxes
from handkit.detectors.handseg import HandSegDetector
from handkit.detectors.onehand import OneHandDetector
from handkit.detectors.palm import PalmDetector

__all__ = ["FullImage", "GivenBoxes", "HandSegDetector", "OneHandDetector", "PalmDetector"]
