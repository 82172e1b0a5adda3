"""Hands by their palms, with the direction they point in: MediaPipe's way (Zhang et al., 2020, arXiv:2006.10214).

A palm is rigid and nearly square, so it is easier to find than a hand of unknown gesture. From its box and two of its
keypoints follows a turned square that holds the whole hand, upright.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from handkit.detections import Detections
from handkit.errors import ConfigError
from handkit.geometry import Crop, box_iou, upright_turns
from handkit.registry import DETECTORS
from handkit.runtime.base import Runtime
from handkit.transforms.base import TensorTransform

Array = NDArray[Any]

#: The palm's box becomes the hand's region: moved up along the hand by this share of its height, ...
_SHIFT = 0.5
#: ... and its longer side multiplied by this.
_SCALE = 2.6
_WRIST, _MIDDLE_BASE = 0, 2


@DETECTORS.register_module()
class PalmDetector:
    """Finds palms and gives the turned squares of their hands.

    The net says where the palm is; the hand's region follows by a fixed rule. `Detections.boxes` are squares about the
    regions' centres, smaller by `region_to_box`, and `Detections.rotations` turns them upright. With a
    ``TopDownAffine(padding=P)`` behind it and ``region_to_box=P``, the crop is exactly the region. At 1.25 the box is
    about handkit's hand box: in photographs the region's side is 1.40 times the longer side of the joints' box (median;
    1.18 to 1.75 in 8 of 10 hands), hence the box's 1.12 times, the hand box's being 1.15.

    Args:
        net: gives ``boxes``, ``palm_keypoints`` and ``scores``, e.g. `handkit.models.mediapipe.MediaPipePalm`.
        checkpoint: its weights, as the runtime takes them.
        runtime: executes the net.
        transforms: the tensor transforms between the fitted-in image and the net.
        score_threshold: palms that score less are dropped.
        nms_iou: palms that overlap a better one by more than this are one palm: their weighted mean.
        region_to_box: a region's side over its box's side; the `padding` of the crops that follow.
        region_iou: of hand regions that overlap by more than this, turned upright, only the best is kept. MediaPipe,
            at the same value, keeps the worst, and loses hands by it.
        scale: the part of the net's input that the image's longer side fills. The net overlooks palms that fill the
            picture; at 0.5 it sees them at half the size.

    Raises:
        ConfigError: a threshold outside [0, 1], or a `region_to_box` or `scale` that is not positive.
    """

    def __init__(
        self,
        net: Any,
        checkpoint: str | Path | None,
        runtime: Runtime,
        transforms: Sequence[TensorTransform],
        score_threshold: float,
        nms_iou: float,
        region_to_box: float = 1.25,
        region_iou: float = 0.5,
        scale: float = 1.0,
    ) -> None:
        limits = {"score_threshold": score_threshold, "nms_iou": nms_iou, "region_iou": region_iou}
        for name, value in limits.items():
            if not 0 <= value <= 1:
                raise ConfigError(f"PalmDetector: {name} must lie in [0, 1], got {value}")
        if min(region_to_box, scale) <= 0:
            raise ConfigError(f"PalmDetector: region_to_box and scale must be above 0, got {region_to_box} and {scale}")
        self.score_threshold = score_threshold
        self.nms_iou = nms_iou
        self.region_to_box = region_to_box
        self.region_iou = region_iou
        self.scale = scale
        self._input_size: tuple[int, int] = net.input_size
        self._net = runtime.prepare(net, checkpoint, transforms, None)

    def detect(self, images: Sequence[Array]) -> list[Detections]:
        """(H, W, 3) uint8 RGB images -> one `Detections` per image, best first."""
        if not images:
            return []
        crops = [letterbox((image.shape[1], image.shape[0]), self._input_size, self.scale) for image in images]
        batch = np.stack([crop.apply_image(image) for crop, image in zip(crops, images, strict=True)])
        outputs = self._net({"img": batch})
        rows = zip(crops, outputs["boxes"], outputs["palm_keypoints"], outputs["scores"], strict=True)
        return [self._select(*row) for row in rows]

    def _select(self, crop: Crop, boxes: Array, keypoints: Array, scores: Array) -> Detections:
        """All anchors' palms of one image, in the net's pixels -> its hands, in the image's."""
        good = (scores >= self.score_threshold) & (boxes[:, :2] < boxes[:, 2:]).all(-1)
        palms = np.concatenate([boxes.reshape(-1, 2, 2), keypoints], 1)[good].astype(np.float64)
        palms, scores = weighted_nms(palms, scores[good].astype(np.float64), self.nms_iou)
        palms = crop.inverse_points(palms)
        centers, sides, rotations = palm_regions(palms[:, :2].reshape(-1, 4), palms[:, 2:])
        keep = best_of_overlapping(_squares(centers, sides), self.region_iou)
        return Detections(_squares(centers, sides / self.region_to_box)[keep], scores[keep], rotations[keep])


def letterbox(image_size: tuple[int, int], input_size: tuple[int, int], scale: float = 1.0) -> Crop:
    """The crop that fits a whole (width, height) image into an input, centred, with black beside it.

    At scale 1 the outer edges of the longer side's pixels meet those of the input's; at 0.5 the image takes half of it.
    """
    width, height = image_size
    pixels = max(width / input_size[0], height / input_size[1]) / scale
    between_corner_pixels = ((input_size[0] - 1) * pixels, (input_size[1] - 1) * pixels)
    return Crop(((width - 1) / 2, (height - 1) / 2), between_corner_pixels, input_size, udp=True)


def weighted_nms(palms: Array, scores: Array, iou: float) -> tuple[Array, Array]:
    """Merges palms that overlap a better one into the mean of all, weighted by their scores.

    Args:
        palms: (N, 2 + K, 2): the box's corners, then K keypoints.
        scores: (N,).
        iou: boxes that overlap by more are merged.

    Returns:
        (M, 2 + K, 2) merged palms and (M,) the best score of each, best first.
    """
    order = np.argsort(-scores, kind="stable")
    merged, best = [], []
    while len(order):
        boxes = palms[order, :2].reshape(-1, 4)
        same = box_iou(boxes[:1], boxes)[0] > iou
        same[0] = True
        group = order[same]
        merged.append(np.average(palms[group], axis=0, weights=scores[group]))
        best.append(scores[group[0]])
        order = order[~same]
    return np.array(merged).reshape(-1, *palms.shape[1:]), np.array(best)


def palm_regions(boxes: Array, keypoints: Array) -> tuple[Array, Array, Array]:
    """Palms -> the turned squares that hold their hands.

    Args:
        boxes: (N, 4) xyxy in the image.
        keypoints: (N, 7, 2); the wrist and the middle finger's base give the direction.

    Returns:
        (N, 2) centres, (N,) sides in pixels, and (N,) radians in (-pi, pi] by which the hand is turned, clockwise on
        the screen; 0 points up.
    """
    rotations = upright_turns(keypoints[:, _WRIST], keypoints[:, _MIDDLE_BASE])
    sides = boxes[:, 2:] - boxes[:, :2]
    up = np.stack([np.sin(rotations), -np.cos(rotations)], -1)
    centers = (boxes[:, :2] + boxes[:, 2:]) / 2 + up * sides[:, 1:] * _SHIFT
    return centers, sides.max(-1) * _SCALE, rotations


def best_of_overlapping(boxes: Array, iou: float) -> list[int]:
    """Indices of (N, 4) boxes, best first, that overlap no kept better one by more than `iou`."""
    overlap = box_iou(boxes, boxes) > iou
    kept: list[int] = []
    for index in range(len(boxes)):
        if not overlap[index, kept].any():
            kept.append(index)
    return kept


def _squares(centers: Array, sides: Array) -> Array:
    half = sides[:, None] / 2
    return np.concatenate([centers - half, centers + half], -1)
