"""Looking at every crop twice: as it was cut, and turned so that the hand in it stands upright."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from handkit.errors import ConfigError
from handkit.geometry import Crop, inverse_crops, turn_xyz, upright_turns
from handkit.runtime.base import Array, Net
from handkit.skeleton import Skeleton

#: Outputs in space, in the axes of the crop.
_SPATIAL = ("xyz_root", "xyz_bone")


class SecondLook:
    """A `Net` that asks another one twice; the second answer counts, in the pixels of the crop as it was cut.

    The first answer tells which way the hand points, which a small network learns before it knows the fingers. Turned
    upright about the middle of the crop the hand is easier to read, the more so for a network that learnt from upright
    ones (`TopDownRandomUpright`). A cascade as in DeepPose (Toshev and Szegedy, CVPR 2014), with one network for both
    stages; MediaPipe Hands turns its crops for the same reason. What of the crop's corners leaves it is lost, what
    comes in is black.

    Args:
        net: of crops; it answers joints.
        skeleton: whose `upright` line is turned.
    """

    def __init__(self, net: Net, skeleton: Skeleton) -> None:
        self._net = net
        self._skeleton = skeleton

    @property
    def input_name(self) -> str:
        """That of the net."""
        return self._net.input_name

    def __call__(self, batch: Mapping[str, Array]) -> dict[str, Array]:
        """Runs N crops twice; see `handkit.runtime.base.Net`.

        Raises:
            ConfigError: the net answers a mask of the crop, which is not turned back.
        """
        crops = self._upright(self._net(batch)["keypoints"], batch["img"].shape[2:0:-1])
        images = [crop.apply_image(image) for crop, image in zip(crops, batch["img"], strict=True)]
        seen = self._net({**batch, "img": np.stack(images)})
        if "mask" in seen:
            raise ConfigError("second_look: the mask of a turned crop is not turned back; leave second_look out")
        angles = np.array([crop.rotation for crop in crops])
        spatial = {name: turn_xyz(seen[name], angles) for name in _SPATIAL if name in seen}
        return {**seen, **spatial, "keypoints": inverse_crops(crops, seen["keypoints"])}

    def _upright(self, keypoints: Array, size: tuple[int, int]) -> list[Crop]:
        """The turn about the middle of a crop of (width, height) that makes each hand in it stand upright."""
        tail, head = self._skeleton.upright
        width, height = size[0] - 1, size[1] - 1
        turns = upright_turns(keypoints[:, tail], keypoints[:, head])
        return [Crop((width / 2, height / 2), (width, height), size, float(turn), udp=True) for turn in turns]
