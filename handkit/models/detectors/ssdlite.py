"""SSDLite: a single-stage detector of hands."""

from __future__ import annotations

from torch import Tensor, nn

from handkit.models.detectors.selection import BoxSelection
from handkit.models.detectors.ssd_head import SSDHead
from handkit.registry import MODELS


@MODELS.register_module()
class SSDLite(nn.Module):
    """Backbone, neck and head; state-dict keys ``backbone.*``, ``neck.*`` and ``bbox_head.*``, equal to mmdet's.

    With the parts of ``configs/_base_/detectors/onehand_ssdlite_mobilenetv2.py`` it is the network of mmdet's config
    ``ssdlite_mobilenetv2_scratch_600e_onehand`` and gives the same boxes.

    Args:
        backbone: (N, 3, H, W) -> feature maps.
        neck: feature maps -> the maps of all levels.
        bbox_head: the maps -> logits and deltas on every anchor, and what they mean.
        selection: None to answer raw outputs, from which a loss is computed; else which boxes are answered.
    """

    def __init__(
        self, backbone: nn.Module, neck: nn.Module, bbox_head: SSDHead, selection: BoxSelection | None = None
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.neck = neck
        self.bbox_head: SSDHead = bbox_head
        self.selection = selection

    def predicting(self, score_threshold: float, nms_iou: float, max_detections: int) -> SSDLite:
        """The same network, sharing its weights, that answers selected boxes; arguments as for `BoxSelection`."""
        selection = BoxSelection(score_threshold, nms_iou, max_detections)
        return SSDLite(self.backbone, self.neck, self.bbox_head, selection)

    def forward(self, img: Tensor) -> dict[str, Tensor]:
        """Finds hands in normalised RGB images.

        Args:
            img: (N, 3, H, W).

        Returns:
            Without a selection ``logits`` (N, A, 2) and ``deltas`` (N, A, 4), see `SSDHead`; with one ``boxes``,
            ``scores`` and ``counts``, see `BoxSelection`, in pixels of `img`.
        """
        features = self.neck(self.backbone(img))
        logits, deltas = self.bbox_head(features)
        if self.selection is None:
            return {"logits": logits, "deltas": deltas}
        scores, boxes = self.bbox_head.decode(logits, deltas, features, (img.shape[3], img.shape[2]))
        return self.selection(scores, boxes, self.bbox_head.level_sizes(features))
