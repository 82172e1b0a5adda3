"""Joints that a network states directly as coordinates, as DeepPose does (Toshev & Szegedy, CVPR 2014)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from handkit.errors import ConfigError
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

    def __init__(self, input_size: tuple[int, int]) -> None:
        if len(input_size) != 2 or min(input_size) <= 0:
            raise ConfigError(f"Regression needs input_size=(width, height) above 0, got {input_size!r}")
        self.input_size = (int(input_size[0]), int(input_size[1]))

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
            size: Any = np.array(self.input_size, coordinates.dtype)
            ones: Any = np.ones(coordinates.shape[:2], coordinates.dtype)
        else:
            size = coordinates.new_tensor(self.input_size)
            ones = coordinates.new_ones(coordinates.shape[:2])
        presence = outputs.get("presence")
        return coordinates * size, ones if presence is None else ones * presence[:, None]
