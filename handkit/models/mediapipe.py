"""The two nets of MediaPipe Hands (Zhang et al., 2020, arXiv:2006.10214), as what goes in and what comes out.

Google publishes their weights under Apache-2.0 as .tflite files, which a runtime executes; the classes here hold no
weights. They give the raw tensors of such a file names, units and frames. Measured on photographs and their mirror
images, the nets' coordinates obey two conventions: the palm's are edge-to-edge, 0 and `input_size` being the outer
edges of the input, so 0.5 is taken off; the joints' have integers at pixel centres, as handkit does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from handkit.registry import MODELS

Array = NDArray[Any]


@MODELS.register_module()
class MediaPipeHandLandmarks:
    """Joints of one hand in an upright crop: ``hand_landmark_full.tflite`` or ``hand_landmark_lite.tflite``.

    It takes RGB in [0, 1], the wrist below the middle finger's base, and gives, for N crops:

    * ``coordinates`` (N, 21, 2): x / width and y / height of the input;
    * ``presence`` (N,): probability that a hand is there;
    * ``handedness`` (N,): probability that it is the person's right hand, in an un-mirrored image;
    * ``xyz_root`` (N, 21, 3): metres relative to the wrist in the crop's frame: x right, y down, z away. A crop that
      was turned by an angle turned these axes too.

    Attributes:
        outputs: the names of what it gives.
        input_size: (width, height) of the input in pixels.
        raw_shapes: per output tensor of the file, in its order, the shape of one row: joints (x, y, z), presence,
            handedness, joints in metres about the hand's middle.
    """

    outputs: ClassVar[tuple[str, ...]] = ("coordinates", "presence", "handedness", "xyz_root")
    input_size: ClassVar[tuple[int, int]] = (224, 224)
    raw_shapes: ClassVar[tuple[tuple[int, ...], ...]] = ((63,), (1,), (1,), (63,))

    def unpack(self, raw: Sequence[Array]) -> dict[str, Array]:
        """The file's output tensors, N rows each -> the named outputs."""
        joints, presence, handedness, world = raw
        xyz = world.reshape(-1, 21, 3)
        return {
            "coordinates": joints.reshape(-1, 21, 3)[..., :2] / np.array(self.input_size, np.float32),
            "presence": presence[:, 0],
            "handedness": handedness[:, 0],
            "xyz_root": xyz - xyz[:, :1],
        }


@MODELS.register_module()
class MediaPipePalm:
    """Palms in a whole image: ``palm_detection_full.tflite`` or ``palm_detection_lite.tflite``.

    It takes RGB in [0, 1], the image fitted in with black beside it, and gives, for N images and A anchors:

    * ``boxes`` (N, A, 4): the palm, xyxy in input pixels;
    * ``palm_keypoints`` (N, A, 7, 2): wrist, the bases of forefinger, middle, ring and pinky finger, then the thumb's
      first two joints, in input pixels;
    * ``scores`` (N, A): probability of a palm.

    Args:
        input_size: (width, height) of the input in pixels.

    Attributes:
        raw_shapes: per output tensor of the file, in its order, the shape of one row: boxes with keypoints as
            (x, y) offsets from the anchors and (width, height), in input pixels; logits.
    """

    #: (stride in pixels, anchors per cell) of the feature maps, in the order of the rows.
    strides: ClassVar[tuple[tuple[int, int], ...]] = ((8, 2), (16, 6))

    def __init__(self, input_size: tuple[int, int] = (192, 192)) -> None:
        self.input_size = (int(input_size[0]), int(input_size[1]))
        self.anchors = anchor_centers(self.input_size, self.strides)
        self.raw_shapes = ((len(self.anchors), 18), (len(self.anchors), 1))

    def unpack(self, raw: Sequence[Array]) -> dict[str, Array]:
        """The file's output tensors, N rows each -> the named outputs."""
        offsets = raw[0].reshape(len(raw[0]), -1, 9, 2)
        points = offsets + (self.anchors - np.float32(0.5))[:, None]
        center, half = points[:, :, 0], offsets[:, :, 1] / 2
        logits = np.clip(raw[1][..., 0], -80, 80)  # exp(80) still is a finite float32
        return {
            "boxes": np.concatenate([center - half, center + half], -1),
            "palm_keypoints": points[:, :, 2:],
            "scores": 1 / (1 + np.exp(-logits)),
        }


def anchor_centers(input_size: tuple[int, int], strides: Sequence[tuple[int, int]]) -> Array:
    """Centres of the cells of all feature maps, each repeated for its anchors.

    Args:
        input_size: (width, height) in pixels.
        strides: per feature map its cell size in pixels and its anchors per cell.

    Returns:
        (A, 2) float32 (x, y), in pixels counted from the input's outer edge; maps in order, cells row by row.
    """
    centers = []
    for stride, per_cell in strides:
        columns, rows = (-(-side // stride) for side in input_size)
        x, y = np.meshgrid(np.arange(columns) + 0.5, np.arange(rows) + 0.5)
        cells = np.stack([x, y], -1).reshape(-1, 2) * stride
        centers.append(np.repeat(cells, per_cell, 0))
    return np.concatenate(centers).astype(np.float32)
