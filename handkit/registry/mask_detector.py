"""A network that marks the pixels of hands, as a detector of their boxes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handkit.registry.build import resolve
from handkit.registry.registries import TRANSFORMS

#: What of a config decides which boxes a pipeline answers.
DETECTION_KEYS = ("card", "detector", "box_threshold", "nms_iou", "max_hands")


def marks_pixels(config: Mapping[str, Any]) -> bool:
    """Whether a config is of the task 'hand_segmentation'."""
    return config.get("task") == "hand_segmentation"


def mask_detector(config: Mapping[str, Any]) -> dict[str, Any]:
    """The config of a network that marks pixels as one of 'hand_detection', which answers the boxes of their pieces.

    Args:
        config: of the task 'hand_segmentation'. A `detector` in it changes arguments of the `HandSegDetector`.
    """
    load, *steps = config["test_transforms"]
    sizes = [step["input_size"] for step in steps if "input_size" in step]
    made = {
        "type": "HandSegDetector",
        "net": {key: value for key, value in config["model"].items() if key != "losses"},
        "checkpoint": config.get("checkpoint"),
        "runtime": config.get("runtime", {"type": "TorchRuntime"}),
        "transforms": [step for step in steps if getattr(resolve(step["type"], TRANSFORMS), "stage", "") == "tensor"],
        **({"input_size": sizes[-1]} if sizes else {}),
    }
    kept = {key: config[key] for key in DETECTION_KEYS if key in config}
    detector = {**made, **config.get("detector", {})}
    return {**kept, "task": "hand_detection", "test_transforms": [load], "detector": detector}
