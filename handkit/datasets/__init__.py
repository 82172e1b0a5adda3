"""Readers of annotation files, generators of samples, mixtures of them, and the view that training takes."""

from handkit.datasets.coco_hands import CocoHands
from handkit.datasets.coco_wholebody_hand import CocoWholeBodyHand
from handkit.datasets.false_detections import FalseDetections
from handkit.datasets.freihand import FreiHAND
from handkit.datasets.gesture_hands import GestureHands
from handkit.datasets.hand_shards import HandShards
from handkit.datasets.handphotos import HandPhotos
from handkit.datasets.image_boxes import ImageBoxes
from handkit.datasets.interhand26m import InterHand26M
from handkit.datasets.largest_hand import LargestHand
from handkit.datasets.mixing import RepeatDataset, SourceBalance, WeightedConcat
from handkit.datasets.ms_dataset import MsDataset
from handkit.datasets.negative_images import NegativeImages
from handkit.datasets.negatives import NegativePhotos, SquaresBesideHands
from handkit.datasets.onehand10k import OneHand10K
from handkit.datasets.panoptic import Panoptic
from handkit.datasets.rhd import RHD
from handkit.datasets.synthetic import HandScenes, HandSynth, RenderedGestures
from handkit.datasets.view import TrainingView
from handkit.datasets.wflw import WFLW

__all__ = [
    "RHD",
    "WFLW",
    "CocoHands",
    "CocoWholeBodyHand",
    "FalseDetections",
    "FreiHAND",
    "GestureHands",
    "HandPhotos",
    "HandScenes",
    "HandShards",
    "HandSynth",
    "ImageBoxes",
    "InterHand26M",
    "LargestHand",
    "MsDataset",
    "NegativeImages",
    "NegativePhotos",
    "OneHand10K",
    "Panoptic",
    "RenderedGestures",
    "RepeatDataset",
    "SourceBalance",
    "SquaresBesideHands",
    "TrainingView",
    "WeightedConcat",
]
