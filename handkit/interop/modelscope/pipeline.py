"""ModelScope's pipeline of `hand-2d-keypoints`, answered by `handkit.pipeline`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from modelscope.metainfo import Pipelines
from modelscope.pipelines.base import Pipeline
from modelscope.pipelines.builder import PIPELINES
from modelscope.utils.constant import Frameworks, Tasks
from numpy.typing import NDArray

import handkit
from handkit.errors import MissingExtraError
from handkit.hands import Hands
from handkit.images import ChannelOrder, ImageSource, read_image


class ModelFolder:
    """What ModelScope's base class asks of a model: its folder. The networks are the handkit pipeline's.

    Args:
        model_dir: the folder with configuration.json.
    """

    def __init__(self, model_dir: str) -> None:
        self.model_dir = model_dir


@PIPELINES.register_module(Tasks.hand_2d_keypoints, module_name=Pipelines.hand_2d_keypoints, force=True)
class HandKeypointsPipeline(Pipeline):
    """Call it with a path, URL, PIL image or array, or with a list of them and `batch_size`.

    `modelscope.pipelines.pipeline` builds it and passes its own further arguments on, e.g.
    ``pipeline('hand-2d-keypoints', model=DIR, max_hands=1)``.

    Args:
        model: the folder of a model that `handkit.pipeline` reads, or an object with such a folder as `model_dir`.
        device: ModelScope's name: 'cpu', 'gpu:1'; 'gpu', its default, is a CUDA device if there is one, else the CPU.
        box_threshold: least score of a detected box, in [0, 1]. This and the next two default to the folder's.
        presence_threshold: least probability that a crop shows a hand, in [0, 1].
        nms_iou: overlap (intersection over union) above which the weaker of two boxes is dropped.
        max_hands: most hands per image; None for all.
        mirrored: the images are mirrored, as most selfie cameras show them.
        predictor_config: what ModelScope hands over from configuration.json for a model object; read there instead.

    Raises:
        ConfigError: no such folder, or a mistake in its configuration.
        CheckpointError: weights that do not fit.
        ImportError: the folder's networks need another extra of handkit's.
    """

    def __init__(
        self,
        model: Any,
        device: str = "gpu",
        *,
        box_threshold: float | None = None,
        presence_threshold: float | None = None,
        nms_iou: float | None = None,
        max_hands: int | None = None,
        mirrored: bool = False,
        predictor_config: Mapping[str, Any] | None = None,
    ) -> None:
        folder = Path(getattr(model, "model_dir", model)).absolute()
        super().__init__(model=ModelFolder(str(folder)), preprocessor=read_image, device=device, auto_collate=False)
        try:
            self._find_hands = handkit.pipeline(
                Tasks.hand_2d_keypoints,
                folder,
                None if device in ("gpu", "cuda") else str(self.device),
                box_threshold=box_threshold,
                presence_threshold=presence_threshold,
                nms_iou=nms_iou,
                max_hands=max_hands,
                mirrored=mirrored,
            )
        except MissingExtraError as error:
            raise ImportError(str(error)) from error  # ModelScope makes a new error of the same class from one text

    def _get_framework(self) -> str:
        """Torch, whatever configuration.json says: ModelScope then knows the device and keeps no gradients."""
        return str(Frameworks.torch)

    def _sanitize_parameters(
        self, *, channel_order: ChannelOrder = "bgr", mirrored: bool | None = None
    ) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        """The arguments of a call, for each of the three steps.

        Args:
            channel_order: of arrays; files and PIL images know their own.
            mirrored: the images are mirrored; None for what the constructor says.
        """
        return {"channel_order": channel_order}, {"mirrored": mirrored}, {}

    def preprocess(self, source: ImageSource, channel_order: ChannelOrder) -> dict[str, Any]:
        """One input -> ``image``, (H, W, 3) uint8 RGB; ModelScope makes a list of several.

        Raises:
            ImageError: the input is no image.
        """
        return {"image": read_image(source, channel_order)}

    def forward(self, inputs: Mapping[str, Any], mirrored: bool | None) -> dict[str, Any]:
        """One image, or the list of a batch -> ``hands``, `Hands` or a list of them."""
        return {"hands": self._find_hands(inputs["image"], mirrored=mirrored, channel_order="rgb")}

    def postprocess(self, outputs: Mapping[str, Hands]) -> dict[str, NDArray[Any]]:
        """All N hands of one image, best first; N is 0 where there is none.

        Returns:
            ``keypoints`` (N, 21, 3): x, y in pixels of the image (an integer is a pixel's centre), score in [0, 1].
            ``boxes`` (N, 4): xyxy in the same pixels.
        """
        hands = outputs["hands"]
        return {name: np.array(hands[name], np.float32) for name in ("keypoints", "boxes")}
