"""The steps on a batch, in numpy or torch alike: an array goes in, an array of the same library comes out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import numpy as np

from handkit.errors import ConfigError
from handkit.registry import TRANSFORMS
from handkit.transforms.base import Sample


@TRANSFORMS.register_module()
class MMToTensor:
    """`img` (..., H, W, 3) uint8 -> (..., 3, H, W) float32 in [0, 1]."""

    stage: ClassVar[Literal["tensor"]] = "tensor"

    def __call__(self, batch: Sample) -> Sample:
        """Replaces `img`."""
        img = batch["img"]
        if isinstance(img, np.ndarray):
            scaled: Any = np.ascontiguousarray(np.moveaxis(img, -1, -3), np.float32) / np.float32(255)
        else:
            scaled = img.movedim(-1, -3) / 255
        return {**batch, "img": scaled}


@TRANSFORMS.register_module()
class NormalizeTensor:
    """`img` -> (img - mean) / std, per channel of (..., 3, H, W).

    Args:
        mean: three numbers in the units of [0, 1], in the order R, G, B.
        std: likewise; not zero.

    Raises:
        ConfigError: not three numbers, or a std of 0.
    """

    stage: ClassVar[Literal["tensor"]] = "tensor"

    def __init__(
        self, mean: Sequence[float] = (0.485, 0.456, 0.406), std: Sequence[float] = (0.229, 0.224, 0.225)
    ) -> None:
        if len(mean) != 3 or len(std) != 3 or 0 in std:
            raise ConfigError(f"NormalizeTensor needs 3 means and 3 stds that are not 0, got mean={mean}, std={std}")
        self.mean = tuple(float(value) for value in mean)
        self.std = tuple(float(value) for value in std)

    def __call__(self, batch: Sample) -> Sample:
        """Replaces `img`."""
        img = batch["img"]
        normalized = img - _channels(self.mean, img)
        normalized /= _channels(self.std, img)
        return {**batch, "img": normalized}


@TRANSFORMS.register_module()
class ReverseChannels:
    """`img` (..., 3, H, W) in R, G, B -> B, G, R, for networks that were trained on images as cv2 reads them."""

    stage: ClassVar[Literal["tensor"]] = "tensor"

    def __call__(self, batch: Sample) -> Sample:
        """Replaces `img`."""
        return {**batch, "img": batch["img"][..., [2, 1, 0], :, :]}


def _channels(values: tuple[float, ...], img: Any) -> Any:
    """(3, 1, 1) of the image's library and device, or (3, 1, W) where the image's channels lie next to each other.

    torch then runs along whole rows instead of three values at a time: four times as fast.
    """
    if isinstance(img, np.ndarray):
        return np.array(values, np.float32).reshape(3, 1, 1)
    row = img.new_tensor(values)[None]
    return (row.repeat(img.shape[-1], 1) if img.stride(-3) == 1 else row).T[:, None]


@TRANSFORMS.register_module()
class PoseCollect:
    """Keeps the named keys: `img` goes to the network, every other one comes back beside the result.

    In a pipeline the other keys become columns of `Hands.extras`, one row per hand; in training they are the targets
    that the model's loss names.

    Args:
        keys: names of `handkit.transforms.base.SAMPLE_KEYS` that hold numbers, e.g. ``('img', 'rotation')``, or in
            training ``('img', 'heatmaps', 'target_weight')``.
    """

    stage: ClassVar[Literal["tensor"]] = "tensor"

    def __init__(self, keys: Sequence[str] = ("img",)) -> None:
        self.keys = tuple(keys)

    def __call__(self, batch: Sample) -> Sample:
        """Drops the keys that were not named.

        Raises:
            ConfigError: a named key is not in the batch.
        """
        for key in self.keys:
            if key not in batch:
                raise ConfigError(f"PoseCollect: the batch holds no {key!r}, only {', '.join(sorted(batch))}")
        return {key: batch[key] for key in self.keys}
