"""mmdet's detectors as the net of handkit's `OneHandDetector`."""

from __future__ import annotations

from typing import Any

import torch
from mmdet.structures import DetDataSample
from torch import Tensor, nn

from handkit.errors import ConfigError


def adapted_detector(cls: Any) -> Any:
    """A class that is mmdet's, with its state dict, and has the method ``predicting`` that `OneHandDetector` calls."""
    places = {"__module__": cls.__module__, "__qualname__": cls.__qualname__, "__doc__": cls.__doc__}
    return type(cls.__name__, (_MMDetDetector, cls), places)


class _MMDetDetector:
    """What stands before mmdet's class."""

    def predicting(self: Any, score_threshold: float, nms_iou: float, max_detections: int) -> BoxNet:
        """The same network, sharing its weights, that answers selected boxes.

        The thresholds take the place of those in its ``test_cfg``.

        Raises:
            ConfigError: it finds more than one class, or its ``test_cfg`` is missing.
        """
        head: Any = (
            self.roi_head.bbox_head if getattr(self, "with_roi_head", False) else getattr(self, "bbox_head", None)
        )
        name, count = type(self).__name__, getattr(head, "num_classes", 1)
        if count != 1:
            raise ConfigError(
                f"mmdet.{name} finds {count} classes; handkit takes detectors of hands alone: num_classes=1"
            )
        owner = self.roi_head if getattr(self, "with_roi_head", False) else head
        settings = getattr(owner, "test_cfg", None)
        if settings is None:
            raise ConfigError(f"mmdet.{name} has no test_cfg, which says how boxes are chosen")
        if head is not None and not hasattr(head, "loss_cls"):
            head.loss_cls = None  # mmdet 3.3.0 reads it, but its SSDHead never sets it: mmdetection#11780
        settings["score_thr"] = score_threshold
        settings["max_per_img"] = max_detections
        if settings.get("nms") is not None:
            settings["nms"]["iou_threshold"] = nms_iou
        return BoxNet(self, score_threshold, max_detections)


class BoxNet(nn.Module):
    """An mmdet detector that answers tensors.

    Args:
        detector: mmdet's; it becomes the attribute ``module``, whose weights `handkit.checkpoints` reads.
        score_threshold: a box must score more.
        max_detections: boxes per image at most.
    """

    def __init__(self, detector: nn.Module, score_threshold: float, max_detections: int) -> None:
        super().__init__()
        self.module = detector
        self.score_threshold = score_threshold
        self.max_detections = max_detections

    def forward(self, img: Tensor) -> dict[str, Tensor]:
        """Normalised images (N, 3, H, W) -> ``boxes`` (N, M, 4) xyxy in pixels of `img`, ``scores``, ``counts`` (N,).

        Best first; rows beyond an image's count are 0.
        """
        size = (img.shape[2], img.shape[3])
        known = {"img_shape": size, "ori_shape": size, "pad_shape": size, "batch_input_shape": size}
        samples = [DetDataSample(metainfo={**known, "scale_factor": (1.0, 1.0)}) for _ in img]
        found = [sample.pred_instances for sample in self.module.predict(img, samples, rescale=False)]  # type: ignore[operator]
        chosen = [self._chosen(one.bboxes, one.scores) for one in found]
        most = max((len(scores) for _, scores in chosen), default=0)
        boxes, scores = img.new_zeros(len(img), most, 4), img.new_zeros(len(img), most)
        for row, (own_boxes, own_scores) in enumerate(chosen):
            boxes[row, : len(own_scores)] = own_boxes
            scores[row, : len(own_scores)] = own_scores
        counts = torch.tensor([len(scores) for _, scores in chosen], device=img.device)
        return {"boxes": boxes, "scores": scores, "counts": counts}

    def _chosen(self, boxes: Any, scores: Tensor) -> tuple[Tensor, Tensor]:
        order = scores.argsort(descending=True, stable=True)[: self.max_detections]
        order = order[scores[order] > self.score_threshold]
        return getattr(boxes, "tensor", boxes)[order], scores[order]
