"""Hands by the pixels that show them: HandSegNet's mask and its largest piece (Zimmermann and Brox, ICCV 2017)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from handkit.detections import Detections
from handkit.errors import ConfigError, DataError
from handkit.geometry import clip_boxes
from handkit.registry import DETECTORS
from handkit.runtime.base import Runtime
from handkit.transforms.base import TensorTransform

Array = NDArray[Any]
#: The network's stride: sides of its input are multiples of it.
_STRIDE = 8


class Pieces(NamedTuple):
    """M connected pieces of a mask.

    Args:
        boxes: (M, 4) xyxy, around the centres of their pixels.
        scores: (M,) mean probabilities.
        areas: (M,) pixels.
        labels: (H, W), the row of the piece that a pixel is of, from 1 on; 0 for none.
    """

    boxes: Array
    scores: Array
    areas: Array
    labels: Array


@DETECTORS.register_module()
class HandSegDetector:
    """Brings each image to the network's input, keeping its aspect, and boxes the largest pieces of the mask.

    Such a box stands for handkit's, the joints' box x 1.15, so that `TopDownAffine` with the padding of training cuts
    what the next network has learnt from: the larger hand's true box with noise. Boxes of the true masks of 249
    pictures of HandSynth overlap the larger hand's by a median IoU of .83, and are 1.06 times as long.

    Args:
        net: answers ``mask`` (N, H, W), e.g. a `TopDownEstimator` with a `MaskHead`.
        checkpoint: its weights, as the runtime takes them.
        runtime: executes the net.
        transforms: the tensor transforms between the resized image, uint8 RGB, and the net.
        input_size: (width, height) of the network's input in pixels, multiples of 8.
        mask_threshold: a pixel shows a hand from this probability on.
        dilation: pixels of the input by which the mask is grown before its pieces are told apart, so that a hand that a
            ring or a stick parts stays one.
        min_area: pieces with fewer pixels, in shares of the input, are none.
        max_hands: boxes per image at most; the paper's one. A pipeline's own `max_hands` goes before it.
        score_threshold: boxes that score less, by the mean probability of their pixels, are dropped; it moves no box. A
            pipeline's `box_threshold` goes before it.

    Raises:
        ConfigError: a number out of its range.
    """

    def __init__(
        self,
        net: Any,
        checkpoint: str | Path | None,
        runtime: Runtime,
        transforms: Sequence[TensorTransform],
        input_size: tuple[int, int] = (320, 320),
        mask_threshold: float = 0.5,
        dilation: int = 3,
        min_area: float = 0.001,
        max_hands: int = 1,
        score_threshold: float = 0.0,
    ) -> None:
        if any(side < _STRIDE or side % _STRIDE for side in input_size):
            raise ConfigError(f"HandSegDetector: input_size must be multiples of {_STRIDE}, not {tuple(input_size)}")
        if not (0 < mask_threshold < 1 and 0 <= min_area <= 1 and dilation >= 0 and max_hands >= 0):
            raise ConfigError(
                "HandSegDetector needs 0 < mask_threshold < 1, 0 <= min_area <= 1, dilation >= 0 and max_hands >= 0, "
                f"got {mask_threshold}, {min_area}, {dilation} and {max_hands}"
            )
        if not 0 <= score_threshold <= 1:
            raise ConfigError(f"HandSegDetector: score_threshold must lie in [0, 1], not {score_threshold}")
        self.input_size = (int(input_size[0]), int(input_size[1]))
        self.mask_threshold = mask_threshold
        self.score_threshold = score_threshold
        self.dilation = int(dilation)
        self.min_area = min_area
        self.max_hands = int(max_hands)
        self._net = runtime.prepare(net, checkpoint, transforms, None)

    def detect(self, images: Sequence[Array]) -> list[Detections]:
        """(H, W, 3) uint8 RGB images -> as many `Detections`, the largest piece first; all images run as one batch.

        Their `masks` are the pieces, as many pixels as the images have.

        Raises:
            ConfigError: a network that answers no masks, or masks of another size than its input.
        """
        if not images:
            return []
        inputs, sizes = zip(*map(self._fit, images), strict=True)
        outputs = self._net({"img": np.stack(inputs)})
        if "mask" not in outputs:
            raise ConfigError(f"HandSegDetector: the net answers {sorted(outputs)}, no mask: give it a MaskHead")
        height, width = outputs["mask"].shape[1:]
        if (width, height) != self.input_size:
            raise ConfigError(
                f"HandSegDetector: masks of {width} x {height} pixels do not fit the input of {self.input_size[0]} x "
                f"{self.input_size[1]}; MaskHead's stride must be the backbone's"
            )
        found = []
        for image, size, mask in zip(images, sizes, outputs["mask"], strict=True):
            pieces = mask_boxes(mask[: size[1], : size[0]], self.mask_threshold, self.dilation)
            kept = (pieces.areas >= self.min_area * mask.size) & (pieces.scores >= self.score_threshold)
            large = np.flatnonzero(kept)[: self.max_hands]
            whole = (image.shape[1], image.shape[0])
            scale = np.array(whole * 2) / np.array(size * 2)
            boxes = clip_boxes((pieces.boxes[large] + 0.5) * scale - 0.5, whole)
            extended = (boxes[:, 2:] > boxes[:, :2]).any(1)  # of one pixel no crop can be cut
            rows = large[extended]
            masks = np.zeros((len(rows), whole[1], whole[0]), bool)
            for own, row in zip(masks, rows, strict=True):
                own[:] = cv2.resize((pieces.labels == row + 1).astype(np.float32), whole) >= 0.5
            found.append(Detections(boxes[extended], pieces.scores[rows], masks=masks))
        return found

    def _fit(self, image: Array) -> tuple[Array, tuple[int, int]]:
        """An image in the upper left corner of a black input, and the (width, height) that it has there."""
        width, height = self.input_size
        scale = min(width / image.shape[1], height / image.shape[0])
        size = (max(round(image.shape[1] * scale), 1), max(round(image.shape[0] * scale), 1))
        fitted = np.zeros((height, width, 3), np.uint8)
        how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR  # else noise would be sampled
        fitted[: size[1], : size[0]] = cv2.resize(np.ascontiguousarray(image), size, interpolation=how)
        return fitted, size


def mask_boxes(mask: Array, threshold: float = 0.5, dilation: int = 0) -> Pieces:
    """The pieces of a mask, the largest first; none where no pixel shows a hand.

    Args:
        mask: (H, W) probabilities of a hand, or a mask of 0 and 1.
        threshold: a pixel shows a hand from this probability on.
        dilation: pixels by which the mask is grown before its pieces are told apart.

    Raises:
        DataError: no picture of probabilities.
    """
    mask = np.asarray(mask, np.float32)
    if mask.ndim != 2 or not mask.size:
        raise DataError(f"a mask must be (H, W) probabilities, not of the shape {mask.shape}")
    if not (mask.min() >= 0 and mask.max() <= 1):
        raise DataError(f"a mask must be probabilities in [0, 1], or 0 and 1, not {mask.min():g} to {mask.max():g}")
    shown = mask >= threshold
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * dilation + 1, 2 * dilation + 1))
    count, labels = cv2.connectedComponents(cv2.dilate(shown.astype(np.uint8), kernel))
    labels = np.where(shown, labels, 0)
    rows = []
    for piece in range(1, count):
        y, x = np.nonzero(labels == piece)
        rows.append((len(x), (x.min(), y.min(), x.max(), y.max()), mask[y, x].mean(), piece))
    rows.sort(key=lambda row: -row[0])
    areas, boxes, scores, pieces = zip(*rows, strict=True) if rows else ((), (), (), ())
    places = np.zeros(count, int)
    places[list(pieces)] = np.arange(1, count)
    return Pieces(np.array(boxes, np.float64).reshape(-1, 4), np.array(scores), np.array(areas, int), places[labels])
