"""From a source to what the network takes: the steps of a config's lists of transforms, and the keys they exchange."""

from handkit.transforms.affine import BottomUpResize, TopDownAffine
from handkit.transforms.attributes import HAND_CLASSES, HandAttributes
from handkit.transforms.background import BackgroundPaste
from handkit.transforms.base import ImageTransform, Sample, TensorTransform, split_stages
from handkit.transforms.canonical import CanonicalPose
from handkit.transforms.degradation import RandomBlur, RandomDownscale, RandomJPEG, RandomNoise
from handkit.transforms.distortion import PhotoMetricDistortion
from handkit.transforms.gesture_features import GestureFeatures
from handkit.transforms.loading import LoadImage
from handkit.transforms.occlusion import RandomOcclusion
from handkit.transforms.paste_hands import PasteHands
from handkit.transforms.photometric import RandomPhotometric
from handkit.transforms.random_geometry import (
    TopDownGetRandomScaleRotation,
    TopDownRandomFlip,
    TopDownRandomShift,
    TopDownRandomUpright,
)
from handkit.transforms.random_view import RandomView
from handkit.transforms.targets import BottomUpGenerateTarget, TopDownGenerateTarget
from handkit.transforms.tensors import MMToTensor, NormalizeTensor, PoseCollect, ReverseChannels
from handkit.transforms.whole_images import Expand, MinIoURandomCrop, RandomCrop, RandomFlip, Resize

__all__ = [
    "HAND_CLASSES",
    "BackgroundPaste",
    "BottomUpGenerateTarget",
    "BottomUpResize",
    "CanonicalPose",
    "Expand",
    "GestureFeatures",
    "HandAttributes",
    "ImageTransform",
    "LoadImage",
    "MMToTensor",
    "MinIoURandomCrop",
    "NormalizeTensor",
    "PasteHands",
    "PhotoMetricDistortion",
    "PoseCollect",
    "RandomBlur",
    "RandomCrop",
    "RandomDownscale",
    "RandomFlip",
    "RandomJPEG",
    "RandomNoise",
    "RandomOcclusion",
    "RandomPhotometric",
    "RandomView",
    "Resize",
    "ReverseChannels",
    "Sample",
    "TensorTransform",
    "TopDownAffine",
    "TopDownGenerateTarget",
    "TopDownGetRandomScaleRotation",
    "TopDownRandomFlip",
    "TopDownRandomShift",
    "TopDownRandomUpright",
    "split_stages",
]
