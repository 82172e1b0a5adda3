"""Readers of annotation files, generators of samples, mixtures of them, and the view that training takes."""

from handkit.datasets.coco_hands import CocoHands
from handkit.datasets.coco_wholebody_hand import CocoWholeBodyHand
from handkit.datasets.hand_shards import HandShards
from handkit.datasets.handphotos import HandPhotos
from handkit.datasets.image_boxes import ImageBoxes
from handkit.datasets.mixing import RepeatDataset, SourceBalance, WeightedConcat
from handkit.datasets.negative_images import NegativeImages
from handkit.datasets.negatives import NegativePhotos, SquaresBesideHands
from handkit.datasets.synthetic import HandScenes, HandSynth
from handkit.datasets.view import TrainingView

__all__ = [
    "CocoHands",
    "CocoWholeBodyHand",
    "HandPhotos",
    "HandScenes",
    "HandShards",
    "HandSynth",
    "ImageBoxes",
    "NegativeImages",
    "NegativePhotos",
    "RepeatDataset",
    "SourceBalance",
    "SquaresBesideHands",
    "TrainingView",
    "WeightedConcat",
]
