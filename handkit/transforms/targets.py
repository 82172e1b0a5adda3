"""From labels to what the network is trained on."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np

from handkit.codecs.base import TrainingCodec, WholeImageCodec
from handkit.errors import ConfigError, DataError
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


@TRANSFORMS.register_module()
class BottomUpGenerateTarget:
    """Adds the targets of whole images, made of `box_points`, `boxes` and `ignored_boxes`.

    Their names are the codec's ``targets``; PoseCollect must name them. Where a joint may be that nobody labelled, in
    an ignored box or in the box of a hand that lacks it, the codec's ``heatmap_mask`` lets nothing be learnt.

    Works on one image in numpy and on a batch, numpy or torch, whose rows are filled up with boxes without area.

    Args:
        codec: the one by which the model is decoded.

    Raises:
        ConfigError: a codec of one hand per crop.
    """

    stage: ClassVar[Literal["tensor"]] = "tensor"

    def __init__(self, codec: WholeImageCodec) -> None:
        if not getattr(codec, "whole_images", False):
            raise ConfigError(f"BottomUpGenerateTarget: {type(codec).__name__} makes targets of one hand per crop")
        self.codec = codec

    def __call__(self, batch: Sample) -> Sample:
        """Adds the targets.

        Raises:
            DataError: samples that do not say where the joints of their hands are, or labels whose shapes disagree.
        """
        if "box_points" not in batch or "boxes" not in batch:
            raise DataError(
                f"BottomUpGenerateTarget needs 'boxes' and 'box_points', got {', '.join(sorted(batch))}: whole images "
                "with joints come from data sets like ImageBoxes, and MinIoURandomCrop loses their joints"
            )
        labels: list[Any] = [batch.get(key) for key in ("box_points", "boxes", "ignored_boxes")]
        single = labels[0].ndim == 3
        if single:
            labels = [None if label is None else label[None] for label in labels]
        points, boxes, ignored = labels
        known = np.isfinite(points) if isinstance(points, np.ndarray) else points.isfinite()
        made = self.codec.encode(points, known.all(-1), boxes, ignored)
        return {**batch, **({name: value[0] for name, value in made.items()} if single else made)}
