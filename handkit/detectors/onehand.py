"""Hands by a single-stage network on the whole image, as mmpose's demos find them with mmdet."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from handkit.detections import Detections
from handkit.errors import ConfigError
from handkit.registry import DETECTORS
from handkit.runtime.base import Runtime
from handkit.transforms.base import TensorTransform

Array = NDArray[Any]


@DETECTORS.register_module()
class OneHandDetector:
    """Stretches each image to the network's input, finds boxes there, and stretches them back.

    With the network and the values of ``configs/_base_/detectors/onehand_ssdlite_mobilenetv2.py`` and a score threshold
    of .02, boxes, scores and order are those of mmdet's `inference_detector` on mmpose's config
    ``ssdlite_mobilenetv2_scratch_600e_onehand`` for the same weights. As there, boxes scale by the ratio of the sizes,
    without the half pixel between edges and centres, since the labels were brought to the input's size that way; they
    lie within [0, width] x [0, height].

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

    Raises:
        ConfigError: a threshold outside [0, 1], or sizes and counts that are not positive.
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
    ) -> None:
        for name, value in (("score_threshold", score_threshold), ("nms_iou", nms_iou)):
            if not 0 <= value <= 1:
                raise ConfigError(f"OneHandDetector: {name} must lie in [0, 1], got {value}")
        if min(*input_size, max_detections) <= 0:
            raise ConfigError(
                "OneHandDetector needs a positive input_size and max_detections, "
                f"got {tuple(input_size)} and {max_detections}"
            )
        self.input_size = (int(input_size[0]), int(input_size[1]))
        model = net.predicting(score_threshold, nms_iou, max_detections)
        self._net = runtime.prepare(model, checkpoint, transforms, None)

    def detect(self, images: Sequence[Array]) -> list[Detections]:
        """(H, W, 3) uint8 RGB images -> as many `Detections`, best first; all images run as one batch."""
        if not images:
            return []
        inputs = [
            cv2.resize(np.ascontiguousarray(image), self.input_size, interpolation=cv2.INTER_LINEAR) for image in images
        ]
        outputs = self._net({"img": np.stack(inputs)})
        found = []
        for image, boxes, scores, count in zip(
            images, outputs["boxes"], outputs["scores"], outputs["counts"], strict=True
        ):
            scale = np.array([image.shape[1], image.shape[0]] * 2) / np.array(self.input_size * 2)
            found.append(Detections(boxes[:count] * scale.astype(np.float32), scores[:count]))
        return found
