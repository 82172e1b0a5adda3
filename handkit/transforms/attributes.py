"""What a crop shows of its hand beside the joints: how the hand is turned, and what makes it hard to see."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from handkit.errors import ConfigError
from handkit.gestures import FINGER_STATES, FingerRules, palm_angles, palm_axes
from handkit.registry import TRANSFORMS
from handkit.transforms.base import Sample

Array = NDArray[Any]
#: The classes of `hand_classes`, in order.
HAND_CLASSES = ("palm", "back", "side", "fist", "occluded", "blurred")
_FOLDED = FINGER_STATES.index("folded")


@TRANSFORMS.register_module()
class HandAttributes:
    """Adds `hand_angles` and `hand_classes`, which PFLD's loss weighs a hand by (Guo et al., arXiv:1902.10859).

    Stands behind `TopDownAffine` and `RandomOcclusion`. The angles are those of `handkit.gestures.palm_angles` as the
    crop shows the hand, turned and mirrored with it. A hand is of the class

    - ``palm``, ``back`` or ``side``: the palm's normal is within `facing` degrees of the camera, of the other way, or
      neither;
    - ``fist``: the four fingers are folded;
    - ``occluded``: of the labelled joints at least `hidden` are hidden;
    - ``blurred``: `RandomBlur` blurred it.

    The first four need `xyz_cam` and a known side; without them the angles are NaN and these classes 0.

    Args:
        facing: degrees.
        hidden: share of the labelled joints.

    Raises:
        ConfigError: an angle outside (0, 90), or a share outside (0, 1]; in a call, there is no crop yet.
    """

    stage: ClassVar[Literal["image"]] = "image"

    def __init__(self, facing: float = 60.0, hidden: float = 0.5) -> None:
        if not (0 < facing < 90 and 0 < hidden <= 1):
            raise ConfigError(f"HandAttributes needs 0 < facing < 90 and 0 < hidden <= 1, got {facing} and {hidden}")
        self.facing = facing
        self.hidden = hidden

    def __call__(self, sample: Sample) -> Sample:
        """Adds `hand_angles` (3,) and `hand_classes` (6,), float32."""
        if "crop" not in sample:
            raise ConfigError("HandAttributes must stand behind TopDownAffine: it asks how the crop was cut")
        angles, classes = np.full(3, np.nan), np.zeros(len(HAND_CLASSES))
        xyz = sample.get("xyz_root")
        if xyz is not None and np.isfinite(xyz).all():
            axes = palm_axes(xyz[None].astype(np.float64), np.reshape(sample["right"], 1))
            angles = palm_angles(axes)[0]
            classes[:4] = self._seen(axes[0], xyz)
        labelled = sample["visible"] > 0
        classes[4] = (sample["visible"][labelled] == 1).mean() >= self.hidden if labelled.any() else 0
        classes[5] = bool(sample.get("blurred", False))
        return {**sample, "hand_angles": angles.astype(np.float32), "hand_classes": classes.astype(np.float32)}

    def _seen(self, axes: Array, xyz: Array) -> list[bool]:
        """Palm, back, side, fist."""
        towards, limit = axes[2, 2], np.cos(np.radians(self.facing))  # z forward: the back's normal points away
        if np.isnan(towards):
            return [False] * 4
        fist = bool((FingerRules().codes(xyz[None])[0, 1:] == _FOLDED).all())
        return [towards > limit, towards < -limit, abs(towards) <= limit, fist]
