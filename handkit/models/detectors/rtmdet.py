"""RTMDet: a single-stage detector without anchors."""

from __future__ import annotations

from torch import Tensor, nn

from handkit.errors import ConfigError
from handkit.models.detectors.rtmdet_head import RTMDetSepBNHead
from handkit.models.detectors.selection import BoxSelection
from handkit.models.modes import Mode, check_mode
from handkit.registry import MODELS


@MODELS.register_module()
class RTMDet(nn.Module):
    """Backbone, neck and head (Lyu et al., arXiv:2212.07784), for weights that exist: it cannot be trained here.

    State-dict keys ``backbone.*``, ``neck.*`` and ``bbox_head.*``, equal to mmdet's. With the parts of
    ``configs/_base_/detectors/rtmdet_nano_hand.py`` it is the network of mmpose's config ``rtmdet_nano_320-8xb32_hand``
    and gives the same boxes; that one takes its channels in the order B, G, R.

    Args:
        backbone: (N, 3, H, W) -> feature maps.
        neck: feature maps -> the maps of all levels.
        bbox_head: the maps -> logits and distances on every point, and what they mean.
        selection: which boxes are answered in the mode 'predict'; None to answer the raw outputs there too.
    """

    def __init__(
        self, backbone: nn.Module, neck: nn.Module, bbox_head: RTMDetSepBNHead, selection: BoxSelection | None = None
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.neck = neck
        self.bbox_head: RTMDetSepBNHead = bbox_head
        self.selection = selection

    def predicting(self, score_threshold: float, nms_iou: float, max_detections: int) -> RTMDet:
        """The same network, sharing its weights, that answers selected boxes; arguments as for `BoxSelection`."""
        selection = BoxSelection(score_threshold, nms_iou, max_detections)
        return RTMDet(self.backbone, self.neck, self.bbox_head, selection)

    def forward(self, img: Tensor, mode: Mode = "predict", **targets: Tensor) -> dict[str, Tensor]:
        """Finds hands in normalised images.

        Args:
            img: (N, 3, H, W), channels in the order that the weights were trained with; sides are multiples of the
                last stride.
            mode: what is wanted; 'loss' is refused.
            targets: not read.

        Returns:
            In the mode 'predict' with a selection ``boxes``, ``scores`` and ``counts``, see `BoxSelection`, in pixels
            of `img`; without one, and in 'tensor', ``logits`` (N, A) and ``distances`` (N, A, 4), see
            `RTMDetSepBNHead`.

        Raises:
            ConfigError: an unknown mode, the mode 'loss', or sides that are no multiple of the last stride.
        """
        check_mode(mode, self)
        if mode == "loss":
            raise ConfigError("RTMDet cannot be trained in handkit, only run; detectors to train are SSDLite's configs")
        coarsest = self.bbox_head.strides[-1]
        if any(side % coarsest for side in img.shape[2:]):
            raise ConfigError(
                f"RTMDet's input has {img.shape[3]} x {img.shape[2]} pixels; both sides must be multiples of {coarsest}"
            )
        features = self.neck(self.backbone(img))
        logits, distances = self.bbox_head(features)
        if mode == "tensor" or self.selection is None:
            return {"logits": logits, "distances": distances}
        scores, boxes = self.bbox_head.decode(logits, distances, features, (img.shape[3], img.shape[2]))
        return self.selection(scores, boxes, self.bbox_head.level_sizes(features))
