"""From labels to what the network is trained on."""

from __future__ import annotations

from typing import ClassVar, Literal

from handkit.codecs.base import TrainingCodec
from handkit.errors import ConfigError
from handkit.registry import TRANSFORMS
from handkit.transforms.base import Sample


@TRANSFORMS.register_module()
class TopDownGenerateTarget:
    """Adds the codec's targets, e.g. `heatmaps` and `target_weight`, made of `keypoints` and `visible`.

    Their names are the codec's ``targets``; PoseCollect must name them.

    Works on one hand in numpy and on a batch, numpy or torch, where the batch lies: behind the collation, on a GPU or
    in one call for the whole batch on a CPU.

    Args:
        codec: the one by which the model is decoded.

    Raises:
        ConfigError: a codec that only decodes.
    """

    stage: ClassVar[Literal["tensor"]] = "tensor"

    def __init__(self, codec: TrainingCodec) -> None:
        if not hasattr(codec, "encode"):
            raise ConfigError(f"TopDownGenerateTarget: {type(codec).__name__} makes no targets, it only decodes")
        self.codec = codec

    def __call__(self, batch: Sample) -> Sample:
        """Adds the targets.

        Raises:
            DataError: labels whose shapes disagree, or a visible joint that is not finite.
        """
        return {**batch, **self.codec.encode(batch["keypoints"], batch["visible"])}
