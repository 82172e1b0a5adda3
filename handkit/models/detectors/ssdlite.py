"""SSDLite: a single-stage detector of hands."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from handkit.errors import ConfigError
from handkit.models.detectors.assigner import MaxIoUAssigner
from handkit.models.detectors.selection import BoxSelection
from handkit.models.detectors.ssd_head import SSDHead
from handkit.models.losses import MultiBoxLoss
from handkit.models.modes import Mode, check_mode
from handkit.registry import MODELS


@MODELS.register_module()
class SSDLite(nn.Module):
    """Backbone, neck and head; state-dict keys ``backbone.*``, ``neck.*`` and ``bbox_head.*``, equal to mmdet's.

    With the parts of ``configs/_base_/detectors/onehand_ssdlite_mobilenetv2.py`` it is the network of mmdet's config
    ``ssdlite_mobilenetv2_scratch_600e_onehand`` and gives the same boxes; with the default assigner and loss it has the
    same loss.

    Args:
        backbone: (N, 3, H, W) -> feature maps.
        neck: feature maps -> the maps of all levels.
        bbox_head: the maps -> logits and deltas on every anchor, and what they mean.
        selection: which boxes are answered in the mode 'predict'; None to answer the raw outputs there too.
        assigner: which anchor answers for which hand in training; None for `MaxIoUAssigner` as it is by default.
        loss: of the answers; None for `MultiBoxLoss` as it is by default.
    """

    def __init__(
        self,
        backbone: nn.Module,
        neck: nn.Module,
        bbox_head: SSDHead,
        selection: BoxSelection | None = None,
        assigner: MaxIoUAssigner | None = None,
        loss: MultiBoxLoss | None = None,
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.neck = neck
        self.bbox_head: SSDHead = bbox_head
        self.selection = selection
        self.assigner = assigner or MaxIoUAssigner()
        self.loss: MultiBoxLoss = loss or MultiBoxLoss()

    def predicting(self, score_threshold: float, nms_iou: float, max_detections: int) -> SSDLite:
        """The same network, sharing its weights, that answers selected boxes; arguments as for `BoxSelection`."""
        selection = BoxSelection(score_threshold, nms_iou, max_detections)
        return SSDLite(self.backbone, self.neck, self.bbox_head, selection, self.assigner, self.loss)

    def forward(
        self,
        img: Tensor,
        mode: Mode = "predict",
        boxes: Tensor | None = None,
        counts: Tensor | None = None,
        ignored_boxes: Tensor | None = None,
        ignored_counts: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """Finds hands in normalised RGB images.

        Args:
            img: (N, 3, H, W).
            mode: what is wanted.
            boxes: (N, M, 4) xyxy of the hands in pixels of `img`, for the mode 'loss'; one without area is no hand.
            counts: (N,) how many of the M rows are hands, the others being there to fill up; None for all.
            ignored_boxes: (N, I, 4) where there may be a hand or not: nothing is learnt there; None for none.
            ignored_counts: (N,) likewise of `ignored_boxes`.

        Returns:
            In the mode 'predict' with a selection ``boxes``, ``scores`` and ``counts``, see `BoxSelection`, in pixels
            of `img`; without one, and in 'tensor', ``logits`` (N, A, 2) and ``deltas`` (N, A, 4), see `SSDHead`; in
            'loss' the scalars ``loss_cls``, ``loss_bbox`` and ``loss``, their sum.

        Raises:
            ConfigError: an unknown mode; in 'loss', no boxes, or boxes of another shape.
        """
        check_mode(mode, self)
        features = self.neck(self.backbone(img))
        logits, deltas = self.bbox_head(features)
        if mode == "loss":
            return self._loss(logits, deltas, features, boxes, counts, (ignored_boxes, ignored_counts))
        if mode == "tensor" or self.selection is None:
            return {"logits": logits, "deltas": deltas}
        scores, found = self.bbox_head.decode(logits, deltas, features, (img.shape[3], img.shape[2]))
        return self.selection(scores, found, self.bbox_head.level_sizes(features))

    def _loss(
        self,
        logits: Tensor,
        deltas: Tensor,
        features: Sequence[Tensor],
        boxes: Tensor | None,
        counts: Tensor | None,
        ignored: tuple[Tensor | None, Tensor | None],
    ) -> dict[str, Tensor]:
        if boxes is None:
            raise ConfigError("SSDLite's loss needs the target 'boxes': PoseCollect(keys=...) must name it")
        if boxes.shape != (len(logits), boxes.shape[1] if boxes.ndim > 1 else 0, 4):
            raise ConfigError(f"boxes {tuple(boxes.shape)} must be (N, M, 4), N being the {len(logits)} images")
        if counts is None:
            counts = torch.full((len(boxes),), boxes.shape[1], device=boxes.device)
        anchors = self.bbox_head.level_anchors(features)
        assigned = self.assigner(anchors, boxes, counts, *ignored)
        targets = self.bbox_head.encode(anchors, boxes, assigned)
        losses: dict[str, Tensor] = self.loss(logits, deltas, assigned, targets)
        return losses
