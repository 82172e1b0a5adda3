"""What networks for joints in space learn: the hand by its own measure, as the crop shows it and in its own frame."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np

from handkit.canonical import to_canonical
from handkit.errors import ConfigError, DataError
from handkit.registry import TRANSFORMS
from handkit.transforms.base import Sample


@TRANSFORMS.register_module()
class CanonicalPose:
    """Adds `xyz_bone`, `canonical` and `viewpoint`, see `handkit.canonical`, of the hand as the crop shows it.

    Stands behind `TopDownAffine`, which turns and mirrors `xyz_cam` to `xyz_root`, and swaps `right` in a mirror.

    Raises:
        ConfigError: in a call, there is no crop yet.
        DataError: in a call, the sample has no joints in space, some are not labelled, or its side is unknown.
    """

    stage: ClassVar[Literal["image"]] = "image"

    def __call__(self, sample: Sample) -> Sample:
        """Adds `xyz_bone` (21, 3), `canonical` (21, 3) and `viewpoint` (3, 3), float32."""
        if "crop" not in sample:
            raise ConfigError("CanonicalPose must stand behind TopDownAffine: it asks how the crop was cut")
        name = sample.get("sample_id", "a sample")
        if "xyz_root" not in sample:
            raise DataError(
                f"CanonicalPose: {name} has no xyz_cam: take a data set in 3D, e.g. HandShards, or RHD's own pickles"
            )
        try:
            hand = to_canonical(sample["xyz_root"][None], np.reshape(sample.get("right", np.nan), 1))
        except DataError as error:
            raise DataError(f"CanonicalPose: {name}: {error}") from None
        own = (sample["xyz_root"] - sample["xyz_root"][:1]) / hand.bone[0]
        added = {"xyz_bone": own, "canonical": hand.pose[0], "viewpoint": hand.viewpoint[0]}
        return {**sample, **{key: value.astype(np.float32) for key, value in added.items()}}
