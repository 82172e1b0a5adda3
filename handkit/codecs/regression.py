"""Joints that a network states directly as coordinates, as DeepPose does (Toshev & Szegedy, CVPR 2014)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from handkit.errors import ConfigError, DataError
from handkit.registry import CODECS


@CODECS.register_module()
class Regression:
    """Coordinates as fractions of the input's sides.

    A network of this kind says where a joint is, not how sure it is of that joint. Its scores are therefore the same
    for all joints of a hand: the hand's ``presence`` where the network gives one, else 1. ``presence`` itself stays
    among the outputs.

    Args:
        input_size: (width, height) of the network's input in pixels.

    Raises:
        ConfigError: sizes that are not positive.
    """

    reads: tuple[str, ...] = ("coordinates",)
    targets: tuple[str, ...] = ("coordinates", "target_weight")
    decoding: tuple[str, ...] = ()
    udp: bool = False

    def __init__(self, input_size: tuple[int, int]) -> None:
        if len(input_size) != 2 or min(input_size) <= 0:
            raise ConfigError(f"Regression needs input_size=(width, height) above 0, got {input_size!r}")
        self.input_size = (int(input_size[0]), int(input_size[1]))

    def encode(self, keypoints: Any, visible: Any) -> dict[str, Any]:
        """Targets of any number of hands, numpy or torch as the joints are.

        Args:
            keypoints: (..., K, 2) in input pixels; where a joint is not visible, anything.
            visible: (..., K), 0 where the joint is not labelled.

        Returns:
            ``coordinates`` (..., K, 2), x / width and y / height, and ``target_weight`` (..., K): 1, or 0 with
            coordinates 0 where a joint is not visible or beyond the centres of the input's corner pixels. float32.

        Raises:
            DataError: shapes that disagree, or a visible joint that is not finite.
        """
        if not hasattr(keypoints, "new_tensor"):
            keypoints, visible = np.asarray(keypoints, np.float32), np.asarray(visible)
        if tuple(keypoints.shape) != (*visible.shape, 2):
            shapes = f"{tuple(keypoints.shape)} and visible {tuple(visible.shape)}"
            raise DataError(f"keypoints {shapes} must be (..., K, 2) and (..., K)")
        labelled = visible > 0
        if not ((abs(keypoints) < np.inf).all(-1) | ~labelled).all():
            raise DataError("a visible joint has a coordinate that is not finite")
        size = self._size(keypoints)
        weight = labelled & ((keypoints >= 0) & (keypoints <= size - 1)).all(-1)
        fractions = keypoints / size
        if isinstance(fractions, np.ndarray):
            known = np.where(weight[..., None], fractions, 0).astype(np.float32)
            return {"coordinates": known, "target_weight": weight.astype(np.float32)}
        known = fractions.where(weight[..., None], fractions.new_zeros(())).float()
        return {"coordinates": known, "target_weight": weight.float()}

    def decode(self, outputs: Mapping[str, Any]) -> tuple[Any, Any]:
        """Joints and scores of N crops, as numpy arrays or torch tensors, whichever the outputs are.

        Args:
            outputs: ``coordinates`` (N, K, 2), x / width and y / height with integer pixels at pixel centres, and
                optionally ``presence`` (N,) in [0, 1].

        Returns:
            Joints (N, K, 2) in input pixels and scores (N, K) in [0, 1].
        """
        coordinates = outputs["coordinates"]
        if isinstance(coordinates, np.ndarray):
            ones: Any = np.ones(coordinates.shape[:2], coordinates.dtype)
        else:
            coordinates = coordinates.float()  # half precision would cost half a pixel
            ones = coordinates.new_ones(coordinates.shape[:2])
        presence = outputs.get("presence")
        return coordinates * self._size(coordinates), ones if presence is None else ones * presence[:, None]

    def _size(self, like: Any) -> Any:
        """(2,) the input's size, of the array's kind."""
        return (
            np.array(self.input_size, like.dtype) if isinstance(like, np.ndarray) else like.new_tensor(self.input_size)
        )
