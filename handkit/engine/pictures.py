"""What the network is shown, and what it answers, as pictures to be looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from mmengine.hooks import Hook
from numpy.typing import NDArray
from PIL import Image

from handkit.detections import Detections
from handkit.drawing import contact_sheet, crop_picture, draw, draw_boxes, draw_mask
from handkit.engine.work_dir import WorkDir
from handkit.files import writing
from handkit.hands import Hands
from handkit.skeleton import HAND, Skeleton

Array = NDArray[Any]
_MOST = 32
#: Boxes that score less are not drawn.
_FAIR = 0.3
#: From this probability on a pixel shows a hand.
_HALF = 0.5


class PicturesHook(Hook):
    """Draws the first training batch with its labels, and the first batch of each measurement with the answers.

    Whole images show boxes or masks, those of the labels in white, and joints where they are known; crops show joints.
    Batches without ``img`` (N, H, W, 3), and hands of other joints than the skeleton's, are left out.

    Args:
        work_dir: where ``first_batch.png`` and ``predictions.png`` go.
        skeleton: the joints.
        masks: the network answers masks.
    """

    priority = "LOWEST"

    def __init__(self, work_dir: WorkDir, skeleton: Skeleton = HAND, masks: bool = False) -> None:
        self._work_dir = work_dir
        self._skeleton = skeleton
        self._masks = masks

    def after_train_iter(
        self, runner: Any, batch_idx: int, data_batch: Mapping[str, Any] | None = None, outputs: Any = None
    ) -> None:
        """The pictures of the first batch with their labels."""
        if runner.iter > 0 or data_batch is None or "img" not in data_batch:
            return
        if self._masks:
            self._write_masks("first_batch", data_batch)
        elif "boxes" in data_batch:
            self._write_boxes("first_batch", data_batch)
        if {"keypoints", "visible"} <= data_batch.keys():
            points, visible = (data_batch[key].numpy() for key in ("keypoints", "visible"))
            self._write("first_batch", data_batch, points, visible > 0)

    def after_val_iter(
        self,
        runner: Any,
        batch_idx: int,
        data_batch: Mapping[str, Any] | None = None,
        outputs: Sequence[Mapping[str, Array]] = (),
    ) -> None:
        """The first crops of the measured set with the joints found; rings are the labels."""
        if batch_idx > 0 or data_batch is None or "img" not in data_batch:
            return
        if self._masks:
            self._write_masks("predictions", data_batch, outputs[0])
        elif "boxes" in data_batch:
            self._write_boxes("predictions", data_batch, outputs[0])
        else:
            rows = zip(data_batch["crop"], data_batch["labels"], strict=True)
            labels = [
                np.where(label["visible"][:, None] > 0, crop.apply_points(label["keypoints"]), np.nan)
                for crop, label in rows
                if {"visible", "keypoints"} <= label.keys()
            ]
            points = outputs[0]["keypoints"]
            if len(labels) == len(points):
                self._write("predictions", data_batch, points, np.ones(points.shape[:2], bool), labels)

    def _write(
        self,
        name: str,
        batch: Mapping[str, Any],
        points: Array,
        shown: Array,
        labels: Sequence[Array] | None = None,
    ) -> None:
        crops = batch["img"].numpy()
        if crops.dtype != np.uint8 or crops.ndim != 4 or points.shape[1] != len(self._skeleton):
            return
        drawn = [
            crop_picture(
                crops[row],
                points[row],
                shown[row],
                None if labels is None else labels[row],
                skeleton=self._skeleton,
            )
            for row in range(min(len(crops), _MOST))
        ]
        self._save(name, drawn)

    def _write_boxes(self, name: str, batch: Mapping[str, Any], answers: Mapping[str, Array] | None = None) -> None:
        """Whole images with their labelled boxes and, in colour, the answers of a fair score."""
        images, boxes, counts = (batch[key].numpy() for key in ("img", "boxes", "counts"))
        if images.ndim != 4 or images.shape[-1] != 3:
            return
        drawn = []
        points = batch["box_points"].numpy() if answers is None and "box_points" in batch else None
        for row in range(min(len(images), _MOST)):
            picture = np.ascontiguousarray(images[row].clip(0, 255).astype(np.uint8))
            if answers is not None:
                picture = draw(picture, _found(answers, row, (picture.shape[1], picture.shape[0])), channel_order="rgb")
            draw_boxes(picture, boxes[row, : counts[row]], None if points is None else points[row])
            drawn.append(picture)
        self._save(name, drawn)

    def _write_masks(self, name: str, batch: Mapping[str, Any], answers: Mapping[str, Array] | None = None) -> None:
        """Whole images with the outlines of their labelled hands and, in colour, the answers."""
        if not {"img", "mask"} <= batch.keys():
            return
        images, labels = batch["img"].numpy(), batch["mask"].numpy() == 1
        shown = np.zeros(labels.shape, bool) if answers is None else answers["mask"] >= _HALF
        drawn = [np.ascontiguousarray(image.clip(0, 255).astype(np.uint8)) for image in images[:_MOST]]
        for row, picture in enumerate(drawn):
            draw_mask(picture, shown[row], labels[row])
        self._save(name, drawn)

    def _save(self, name: str, drawn: Sequence[Array]) -> None:
        path = getattr(self._work_dir, name)
        with self._work_dir.guard(path), writing(path) as file:
            Image.fromarray(contact_sheet(drawn)).save(file, "PNG")


def _found(answers: Mapping[str, Array], row: int, size: tuple[int, int]) -> Hands | Detections:
    """The answers of a fair score to one whole image of (width, height)."""
    if "keypoints" in answers:
        keypoints, scores, hand_scores = (answers[name][row] for name in ("keypoints", "scores", "hand_scores"))
        return Hands.of_joints(keypoints, scores, hand_scores, size)
    found = Detections(answers["boxes"][row], answers["scores"][row])
    return found[found.scores >= _FAIR]
