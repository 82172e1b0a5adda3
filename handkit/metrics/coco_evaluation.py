"""COCO's average precision by faster-coco-eval, image by image, so that sets of images can be drawn again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Record = dict[str, Any]
_CATEGORY = 1


class CocoEvaluation:
    """What COCO's protocol finds in each of I images; `accumulate` turns any choice of them into numbers.

    Args:
        labels: from `records`, with ``iscrowd`` and, for joints, ``keypoints`` and ``num_keypoints``.
        predictions: from `records`, with ``score`` and, for joints, ``keypoints``.
        images: I.
        kind: what is compared: boxes by their intersection over union, joints by their object keypoint similarity.
        most: so many predictions of an image count, those of best score.
        sigmas: of the joints, needed for them.
    """

    def __init__(
        self,
        labels: list[Record],
        predictions: list[Record],
        images: int,
        kind: Literal["bbox", "keypoints"],
        most: int,
        sigmas: Sequence[float] | None = None,
    ) -> None:
        from faster_coco_eval import COCO, COCOeval_faster

        truth = COCO(
            {
                "images": [{"id": image} for image in range(images)],
                "annotations": labels,
                "categories": [{"id": _CATEGORY, "name": "hand"}],
            }
        )
        found = truth.loadRes(predictions)
        self._evaluation: Any = COCOeval_faster(truth, found, kind, separate_eval=True, kpt_oks_sigmas=sigmas)
        parameters = self._evaluation.params
        parameters.catIds = [_CATEGORY]
        parameters.areaRng, parameters.areaRngLbl = [[0, 1e10]], ["all"]
        parameters.maxDets = [most]
        self._evaluation.evaluate()
        self._parts = list(self._evaluation._evalImgs_cpp)

    def accumulate(self, images: Sequence[int]) -> tuple[Array, Array]:
        """COCO's numbers over a list of images, in which one may stand more than once.

        Returns:
            (10, 101) precision at recalls 0, 0.01 .. 1 and (10,) recall, for an overlap or a similarity of 0.5, 0.55
            .. 0.95; NaN without a label that counts.
        """
        self._evaluation._evalImgs_cpp = [self._parts[image] for image in images]
        self._evaluation._paramsEval.imgIds = list(range(len(images)))
        self._evaluation.accumulate()
        found: list[Array] = [np.asarray(self._evaluation.eval[name]) for name in ("precision", "recall")]
        precision, recall = (np.where(value < 0, np.nan, value) for value in found)
        return precision[:, :, 0, 0, 0], recall[:, 0, 0, 0]


def records(boxes: Array, images: Array, columns: Mapping[str, Sequence[Any]]) -> list[Record]:
    """COCO's records of (N, 4) xyxy boxes of (N,) images, with further columns of N values."""
    xywh = np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], 1).astype(np.float64)
    rows: list[Record] = [
        {"id": number, "image_id": image, "category_id": _CATEGORY, "bbox": box, "area": box[2] * box[3]}
        for number, (box, image) in enumerate(zip(xywh.tolist(), images.tolist(), strict=True), 1)
    ]
    for name, values in columns.items():
        for row, value in zip(rows, values, strict=True):
            row[name] = value
    return rows
