"""handkit: hand keypoints from photographs.

    import handkit
    hands = handkit.pipeline("hand_2d_keypoints")("photo.jpg")

Importing handkit loads neither torch nor cv2; what is named below is imported when it is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from handkit.detections import Detections
    from handkit.drawing import draw
    from handkit.hands import Hands
    from handkit.pipelines import BadInput, pipeline

__version__ = "0.1.0"
__all__ = ["BadInput", "Detections", "Hands", "__version__", "draw", "pipeline"]

_HOMES = {
    "BadInput": "handkit.pipelines",
    "Detections": "handkit.detections",
    "Hands": "handkit.hands",
    "draw": "handkit.drawing",
    "pipeline": "handkit.pipelines",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'handkit' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
