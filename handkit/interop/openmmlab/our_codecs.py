"""handkit's codecs as mmpose calls them: ``codec = dict(type='handkit.GaussianHeatmap', ...)``."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import torch
from mmpose.codecs.base import BaseKeypointCodec
from numpy.typing import NDArray
from torch import Tensor

from handkit.codecs import gaussian_heatmap, regression, simcc, udp_heatmap
from handkit.errors import ConfigError

Array = NDArray[Any]


class _Codec:
    """What stands before handkit's class: one instance per sample, mmpose's names, numpy.

    Joints are in pixels of the input on both sides, one hand per sample: N is 1.
    """

    auxiliary_encode_keys: frozenset[str] = frozenset()
    #: handkit's names of what the network answers, in the order of mmpose's head, and of the targets with mmpose's.
    reads: tuple[str, ...]
    _names: ClassVar[dict[str, str]]

    def encode(self, keypoints: Array, keypoints_visible: Array | None = None) -> dict[str, Array]:
        """(1, K, 2) joints and (1, K) or None -> targets by mmpose's names.

        Raises:
            ConfigError: more than one hand.
        """
        if len(keypoints) != 1:
            raise ConfigError(f"handkit.{type(self).__name__} takes one hand per crop, not {len(keypoints)}")
        visible = np.ones(keypoints.shape[:2], np.float32) if keypoints_visible is None else keypoints_visible
        made = super().encode(keypoints, visible[..., 0] if visible.ndim == 3 else visible)  # type: ignore[misc]
        if "heatmaps" in made:
            made["heatmaps"] = made["heatmaps"][0]  # mmpose's maps have no axis of hands
        return {self._names[name]: np.asarray(value) for name, value in made.items()}

    def decode(self, *encoded: Array) -> tuple[Array, Array]:
        """What a head answers for one sample -> (1, K, 2) joints and (1, K) scores in [0, 1]."""
        joints, scores = self._decoded([torch.from_numpy(np.asarray(one))[None] for one in encoded])
        return joints, scores

    def batch_decode(self, *encoded: Tensor) -> tuple[list[Array], list[Array]]:
        """The same for B samples, at once and where they lie."""
        joints, scores = self._decoded(list(encoded))
        return list(joints[:, None]), list(scores[:, None])

    def _decoded(self, encoded: list[Tensor]) -> tuple[Array, Array]:
        answers = dict(zip(self.reads, encoded, strict=True))
        joints, scores = super().decode(answers)  # type: ignore[misc]
        return joints.cpu().numpy(), scores.cpu().numpy()


class GaussianHeatmap(_Codec, gaussian_heatmap.GaussianHeatmap, BaseKeypointCodec):  # type: ignore[misc]
    """`handkit.codecs.GaussianHeatmap` for mmpose's HeatmapHead."""

    label_mapping_table: ClassVar[dict[str, str]] = {"keypoint_weights": "keypoint_weights"}
    field_mapping_table: ClassVar[dict[str, str]] = {"heatmaps": "heatmaps"}
    _names: ClassVar[dict[str, str]] = {"heatmaps": "heatmaps", "target_weight": "keypoint_weights"}


class UDPHeatmap(_Codec, udp_heatmap.UDPHeatmap, BaseKeypointCodec):  # type: ignore[misc]
    """`handkit.codecs.UDPHeatmap` for mmpose's HeatmapHead, behind ``TopdownAffine(use_udp=True)``.

    mmpose takes an input of width w to be w wide on its way back to the image although UDP's crops are w - 1 wide, and
    its own codec makes up for that; so does this one.
    """

    label_mapping_table: ClassVar[dict[str, str]] = {"keypoint_weights": "keypoint_weights"}
    field_mapping_table: ClassVar[dict[str, str]] = {"heatmaps": "heatmaps"}
    _names: ClassVar[dict[str, str]] = {"heatmaps": "heatmaps", "target_weight": "keypoint_weights"}

    def _decoded(self, encoded: list[Tensor]) -> tuple[Array, Array]:
        joints, scores = super()._decoded(encoded)
        size = np.array(self.input_size, np.float32)
        return joints * (size / (size - 1)), scores


class SimCC(_Codec, simcc.SimCC, BaseKeypointCodec):  # type: ignore[misc]
    """`handkit.codecs.SimCC` for mmpose's SimCCHead and RTMCCHead.

    Args:
        input_size: (width, height) of the network's input in pixels.
        simcc_split_ratio: bins per pixel.
        sigma: of the gaussians in bins, or those along (x, y).
        normalize: divide each gaussian by its integral.
        use_dark: decode to a fraction of a bin.
        unbiased: targets are centred on the joint itself; otherwise on the nearest bin.
        label_beta: see handkit's.
        beta: of the head's KLDiscretLoss, by which its logits become probabilities.
    """

    label_mapping_table: ClassVar[dict[str, str]] = {
        name: name for name in ("keypoint_x_labels", "keypoint_y_labels", "keypoint_weights")
    }
    _names: ClassVar[dict[str, str]] = {
        "simcc_x": "keypoint_x_labels",
        "simcc_y": "keypoint_y_labels",
        "target_weight": "keypoint_weights",
    }

    def __init__(
        self,
        input_size: tuple[int, int] = (256, 256),
        simcc_split_ratio: float = 2.0,
        sigma: float | tuple[float, float] = 6.0,
        normalize: bool = True,
        use_dark: bool = False,
        unbiased: bool = True,
        label_beta: float | None = None,
        beta: float = 1.0,
    ) -> None:
        super().__init__(input_size, simcc_split_ratio, sigma, normalize, use_dark, unbiased, label_beta)
        self.beta = beta

    def _decoded(self, encoded: list[Tensor]) -> tuple[Array, Array]:
        return super()._decoded([(logits.float() * self.beta).softmax(-1) for logits in encoded])


class Regression(_Codec, regression.Regression, BaseKeypointCodec):  # type: ignore[misc]
    """`handkit.codecs.Regression` for mmpose's RegressionHead."""

    label_mapping_table: ClassVar[dict[str, str]] = {name: name for name in ("keypoint_labels", "keypoint_weights")}
    _names: ClassVar[dict[str, str]] = {"coordinates": "keypoint_labels", "target_weight": "keypoint_weights"}

    def _decoded(self, encoded: list[Tensor]) -> tuple[Array, Array]:
        return super()._decoded([one.flatten(0, -3) for one in encoded])  # mmpose keeps an axis of one hand


OURS = (GaussianHeatmap, UDPHeatmap, SimCC, Regression)
