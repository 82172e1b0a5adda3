"""From a source to what the network takes: the steps of a config's `test_transforms`, and the keys they exchange."""

from handkit.transforms.affine import TopDownAffine
from handkit.transforms.base import ImageTransform, Sample, TensorTransform, split_stages
from handkit.transforms.loading import LoadImage
from handkit.transforms.tensors import MMToTensor, NormalizeTensor, PoseCollect

__all__ = [
    "ImageTransform",
    "LoadImage",
    "MMToTensor",
    "NormalizeTensor",
    "PoseCollect",
    "Sample",
    "TensorTransform",
    "TopDownAffine",
    "split_stages",
]
