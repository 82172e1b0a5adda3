"""Hands by a single-stage network on the whole image, as mmpose's demos find them with mmdet."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from handkit.detections import Detections
from handkit.detectors.tiles import Window, merged, tiles, whole
from handkit.errors import ConfigError
from handkit.registry import DETECTORS
from handkit.runtime.base import Runtime
from handkit.transforms.base import TensorTransform

Array = NDArray[Any]
# Inputs that run at once where images are tiled.
_BATCH = 16


@DETECTORS.register_module()
class OneHandDetector:
    """Brings each image to the network's input, by stretching or padding, and the boxes found there back.

    With the network and the values of ``configs/_base_/detectors/onehand_ssdlite_mobilenetv2.py`` and a score threshold
    of .02, boxes, scores and order are those of mmdet's `inference_detector` on mmpose's config
    ``ssdlite_mobilenetv2_scratch_600e_onehand`` for the same weights. As there, boxes scale by the ratio of the sizes,
    without the half pixel between edges and centres, since the labels were brought to the input's size that way. They
    lie within [0, width] x [0, height] of a stretched image; of a padded one they may reach into the padding, as there.
    With ``configs/_base_/detectors/rtmdet_nano_hand.py`` likewise for ``rtmdet_nano_320-8xb32_hand``.

    Args:
        net: its method ``predicting(score_threshold, nms_iou, max_detections)`` returns the model that answers
            ``boxes``, ``scores`` and ``counts``; e.g. `handkit.models.detectors.SSDLite`.
        checkpoint: its weights, as the runtime takes them.
        runtime: executes the net.
        transforms: the tensor transforms between the stretched image, uint8 RGB, and the net.
        score_threshold: a box must score more.
        nms_iou: of two boxes that overlap by more than this the weaker one is dropped.
        input_size: (width, height) of the network's input in pixels.
        max_detections: boxes per image at most.
        pad_value: None to stretch images to the input; a grey level in [0, 255] to keep the ratio of their sides, put
            them in the upper left corner, and fill the rest with it.
        tile: of larger images overlapping square tiles are looked at as well, for small hands: their side in shares of
            the image's longer one, in (0, 1); None: the whole image alone. See `handkit.detectors.tiles`.
        tile_from: the longer side, in pixels, from which on an image is tiled.

    Raises:
        ConfigError: a threshold outside [0, 1], sizes and counts that are not positive, an impossible `pad_value` or
            `tile`.
    """

    def __init__(
        self,
        net: Any,
        checkpoint: str | Path | None,
        runtime: Runtime,
        transforms: Sequence[TensorTransform],
        score_threshold: float,
        nms_iou: float = 0.45,
        input_size: tuple[int, int] = (320, 320),
        max_detections: int = 200,
        pad_value: int | None = None,
        tile: float | None = None,
        tile_from: int = 320,
    ) -> None:
        for name, value in (("score_threshold", score_threshold), ("nms_iou", nms_iou)):
            if not 0 <= value <= 1:
                raise ConfigError(f"OneHandDetector: {name} must lie in [0, 1], got {value}")
        if min(*input_size, max_detections, tile_from) <= 0:
            raise ConfigError(
                "OneHandDetector needs a positive input_size, max_detections and tile_from, "
                f"got {tuple(input_size)}, {max_detections} and {tile_from}"
            )
        if tile is not None and not 0 < tile < 1:
            raise ConfigError(f"OneHandDetector: tile must be None or lie in (0, 1), got {tile}")
        if pad_value is not None and not 0 <= pad_value <= 255:
            raise ConfigError(f"OneHandDetector: pad_value must be None or lie in [0, 255], got {pad_value}")
        self.pad_value = pad_value
        self.nms_iou = nms_iou
        self.max_detections = int(max_detections)
        self.tile = tile
        self.tile_from = int(tile_from)
        self.input_size = (int(input_size[0]), int(input_size[1]))
        model = net.predicting(score_threshold, nms_iou, max_detections)
        self._net = runtime.prepare(model, checkpoint, transforms, None)

    def detect(self, images: Sequence[Array]) -> list[Detections]:
        """(H, W, 3) uint8 RGB images -> as many `Detections`, best first; images without tiles run as one batch."""
        if not images:
            return []
        windows = [self._windows(image) for image in images]
        parts = [image[y1:y2, x1:x2] for image, rows in zip(images, windows, strict=True) for x1, y1, x2, y2 in rows]
        at_once = len(parts) if len(parts) == len(images) else _BATCH
        looked = [one for start in range(0, len(parts), at_once) for one in self._look(parts[start : start + at_once])]
        found = []
        for image, rows in zip(images, windows, strict=True):
            mine, looked = looked[: len(rows)], looked[len(rows) :]
            found.append(mine[0] if len(rows) == 1 else self._merged(image, rows, mine))
        return found

    def _windows(self, image: Array) -> list[Window]:
        """The whole image, and its tiles."""
        height, width = image.shape[:2]
        image_alone = [(0, 0, width, height)]
        if self.tile is None or max(width, height) < self.tile_from:
            return image_alone
        return image_alone + tiles((width, height), self.tile)

    def _merged(self, image: Array, windows: list[Window], looked: list[Detections]) -> Detections:
        """What was found in the whole image and in its tiles, in pixels of the image."""
        size = (image.shape[1], image.shape[0])
        parts = [looked[0]]
        for window, found in zip(windows[1:], looked[1:], strict=True):
            kept = found[whole(found.boxes, window, size)]
            parts.append(Detections(kept.boxes + np.array(window[:2] * 2, np.float32), kept.scores))
        return merged(parts, self.nms_iou)[: self.max_detections]

    def _look(self, images: Sequence[Array]) -> list[Detections]:
        """Runs the net over images as one batch."""
        inputs, sizes = zip(*map(self._fit, images), strict=True)
        outputs = self._net({"img": np.stack(inputs)})
        found = []
        for image, size, boxes, scores, count in zip(
            images, sizes, outputs["boxes"], outputs["scores"], outputs["counts"], strict=True
        ):
            scale = np.array([image.shape[1], image.shape[0]] * 2) / np.array(size * 2)
            found.append(Detections(boxes[:count] * scale.astype(np.float32), scores[:count]))
        return found

    def _fit(self, image: Array) -> tuple[Array, tuple[int, int]]:
        """An image at the input's size, and the (width, height) that its content has there."""
        width, height = self.input_size
        size = self.input_size
        if self.pad_value is not None:
            scale = min(width / image.shape[1], height / image.shape[0])
            size = (max(int(image.shape[1] * scale + 0.5), 1), max(int(image.shape[0] * scale + 0.5), 1))
        fitted = cv2.resize(np.ascontiguousarray(image), size, interpolation=cv2.INTER_LINEAR)
        if self.pad_value is not None and size != self.input_size:
            right, below = width - size[0], height - size[1]
            fitted = cv2.copyMakeBorder(fitted, 0, below, 0, right, cv2.BORDER_CONSTANT, value=(self.pad_value,) * 3)
        return np.asarray(fitted), size
