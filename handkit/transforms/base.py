"""What a transform is, and where the list of a config divides.

A sample is a dict; `SAMPLE_KEYS` names every key that may be in it. The first transforms of a list work on one image
(`LoadImage`) and one hand of it (up to `TopDownAffine` and, in training, the augmentations around it), as numpy; from
`MMToTensor` on they work on a whole batch, wherever it lies, and belong to the runtime, so that an exported model holds
exactly that part.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal, Protocol, TypeAlias

from handkit.errors import ConfigError

Sample: TypeAlias = dict[str, Any]

#: Every key of a sample: what it holds. `docs/samples.md` shows this table; a test compares them.
SAMPLE_KEYS: dict[str, str] = {
    "source": "what the user passed: path, URL, bytes, PIL image or array",
    "channel_order": "'bgr' or 'rgb', of array sources",
    "name": "how messages call the source",
    "img": "(H, W, 3) uint8 RGB: the image, after TopDownAffine the crop; float32 after PhotoMetricDistortion; from "
    "MMToTensor on (N, 3, h, w) float32",
    "image_size": "(width, height) of the original image",
    "box": "(4,) xyxy hand box in image pixels",
    "box_score": "in [0, 1]",
    "rotation": "radians by which the hand is turned, clockwise on the screen; 0 where the detector does not know; in "
    "training plus a random turn",
    "crop": "the handkit.geometry.Crop that TopDownAffine or BottomUpResize used",
    "sample_id": "names the sample within its data set",
    "rng": "numpy Generator of (seed, epoch, index), the only source of randomness",
    "flip": "bool, pending until TopDownAffine: mirror the crop",
    "mirror": "(K,) int: joint k of the mirrored image is joint mirror[k]; absent for hands, whose order stays",
    "scale": "pending until TopDownAffine: factor of the region that is cut out",
    "shift": "(2,) pending until TopDownAffine: move of its centre, in shares of the padded box",
    "keypoints": "(21, 2) float32 joints in pixels of `img`",
    "visible": "(21,) uint8: 0 not labelled or outside `img`, 1 labelled but hidden, 2 visible",
    "right": "float32: 1 the person's right hand in an un-mirrored `img`, 0 the left, nan unknown",
    "hand": "float32: 1 a hand, 0 a negative crop",
    "mask": "(H, W) uint8: 1 where `img` shows the hand, 2 where it shows what else is before the background: its arm, "
    "a thing, another hand",
    "xyz_cam": "(21, 3) metres in the camera's frame of the original image: x right, y down, z forward; NaN where a "
    "joint has no such label",
    "xyz_root": "(21, 3) float32 metres relative to the wrist in the axes of the crop, x right, y down, z forward, of "
    "TopDownAffine: `xyz_cam` turned and mirrored with the pixels",
    "camera": "(3, 3) intrinsics of the original image",
    "boxes": "(M, 4) float32 xyxy of all hands of a whole image, in pixels of `img`; in a batch (N, M, 4), filled up "
    "with zeros",
    "counts": "how many of a batch's `boxes` each image has, (N,)",
    "box_points": "(M, 21, 2) float32 joints of the hands of `boxes` in pixels of `img`, NaN where unknown; in a batch "
    "(N, M, 21, 2), filled up with NaN",
    "ignored_boxes": "(I, 4) float32 xyxy like `boxes`: groups of hands that are not told apart, and hands that are "
    "doubted; finding one is no error, and nothing is learnt there",
    "ignored_counts": "how many of a batch's `ignored_boxes` each image has, (N,)",
    "heatmaps": "(21, h, w) float32 target of TopDownGenerateTarget, of all hands of BottomUpGenerateTarget",
    "heatmap_mask": "(21, h, w) float32 of BottomUpGenerateTarget: 0 where nobody knows whether a joint is there",
    "simcc_x": "(21, bins along x) float32 target of TopDownGenerateTarget with the codec SimCC",
    "simcc_y": "(21, bins along y) float32, likewise",
    "coordinates": "(21, 2) float32 target of TopDownGenerateTarget with the codec Regression: x / width, y / height",
    "offsets": "(21, 2, h, w) float32 target of TopDownGenerateTarget with the codec OffsetHeatmap: from cells to the "
    "joint; of BottomUpGenerateTarget to that of the nearest hand",
    "displacements": "(40, 2, h, w) float32 target of BottomUpGenerateTarget: along each bone, then back along each",
    "displacement_weight": "(40, h, w) float32 likewise: 1 where a displacement is known",
    "blurred": "bool: RandomBlur blurred `img`",
    "hand_angles": "(3,) float32 yaw, pitch and roll of the palm in `img`, radians, of HandAttributes; NaN where "
    "unknown",
    "hand_classes": "(6,) float32, of HandAttributes: 1 where the hand is of that class of "
    "`handkit.transforms.HAND_CLASSES`",
    "xyz_bone": "(21, 3) float32 joints relative to the wrist in the axes of the crop, in lengths of the forefinger's "
    "proximal bone, of CanonicalPose",
    "canonical": "(21, 3) float32 joints in the canonical frame of `handkit.canonical`, of CanonicalPose",
    "viewpoint": "(3, 3) float32 rotation from the axes of the crop into that frame, of CanonicalPose",
    "target_weight": "(21,) float32: 0 where a joint has no target",
    "gesture": "which of the data set's `classes` a hand of `keypoints` alone shows",
    "class_weight": "float32: by which its class counts as much as each other one of the data set; their mean is 1",
    "features": "(55,) float32 of GestureFeatures: what `handkit.gestures.hand_features` makes of `keypoints`",
}


class ImageTransform(Protocol):
    """A step on one image or one hand, in numpy."""

    stage: ClassVar[Literal["image"]]

    def __call__(self, sample: Sample) -> Sample:
        """Returns a new sample; the given one is not changed."""
        ...


class TensorTransform(Protocol):
    """A step on a batch: arrays in, arrays of the same library (numpy or torch) out."""

    stage: ClassVar[Literal["tensor"]]

    def __call__(self, batch: Sample) -> Sample:
        """Returns a new batch; the given one is not changed."""
        ...


def split_stages(transforms: Sequence[Any]) -> tuple[list[ImageTransform], list[TensorTransform]]:
    """Divides a config's list into its image part and its tensor part.

    Raises:
        ConfigError: an image transform stands behind a tensor transform.
    """
    stages = [transform.stage for transform in transforms]
    first = stages.index("tensor") if "tensor" in stages else len(stages)
    if "image" in stages[first:]:
        late = type(transforms[first + stages[first:].index("image")]).__name__
        raise ConfigError(f"test_transforms: {late} works on images and must stand before {_name(transforms[first])}")
    return list(transforms[:first]), list(transforms[first:])


def _name(transform: object) -> str:
    return type(transform).__name__
