"""Labelled hands of whole photographs, image by image: the view of an annotation file that evaluation takes."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from handkit.datasets.index import HandIndex, parse_index
from handkit.datasets.layouts import LAYOUTS, LayoutName
from handkit.geometry import box_area, turn_xyz
from handkit.hands import Side
from handkit.skeleton import HAND

Array = NDArray[Any]

#: Pseudo labels are good where those of the photo and of its mirror image differ by less than this share of the hand.
GOOD_DISAGREEMENT = 0.05

_SIDES: dict[int, Side | None] = {1: "right", 0: "left", -1: None}


@dataclass(frozen=True, eq=False)
class HandLabels:
    """N labelled hands of one image. Coordinates are image pixels, integers at pixel centres; boxes are xyxy.

    Args:
        path: the image file.
        image_size: (width, height).
        keypoints: (N, 21, 2) in handkit's order.
        visible: (N, 21) 0 not labelled or outside the frame, 1 labelled but hidden, 2 visible.
        joint_boxes: (N, 4) tight around every labelled joint, those outside the frame too; the file's `bbox` where
            fewer than two joints are labelled.
        boxes: (N, 4) handkit's hand box: `joint_boxes` x 1.15, clipped to the frame.
        handedness: per hand the person's own side, or None where the file does not say.
        good: (N,) bool, False where the file itself gives reason to doubt the joints.
        ignored: (N,) bool: a crowd region, a hand without a joint in the frame, or one that the data set leaves out.
            Who finds one makes no error, who misses one neither.
        human_boxes: (M, 4) hand boxes that people drew, independent of the joints and in no fixed order.
        xyz_cam: (N, 21, 3) metres in the camera's frame, x right, y down, z forward, NaN where a joint has none; None:
            the file is 2D.
    """

    path: Path
    image_size: tuple[int, int]
    keypoints: Array
    visible: Array
    joint_boxes: Array
    boxes: Array
    handedness: tuple[Side | None, ...]
    good: Array
    ignored: Array
    human_boxes: Array
    xyz_cam: Array | None = None

    @classmethod
    def of_boxes(
        cls,
        path: Path,
        image_size: tuple[int, int],
        boxes: Array,
        ignored_boxes: Array,
        points: Array | None = None,
    ) -> HandLabels:
        """Hands of which nothing is known but boxes and, it may be, joints.

        Args:
            path: the image file.
            image_size: (width, height).
            boxes: (N, 4).
            ignored_boxes: (M, 4) boxes that are ignored.
            points: (N, 21, 2) joints of the hands of `boxes`, NaN where unknown; None: all are unknown.
        """
        both = np.concatenate([boxes, ignored_boxes]).astype(np.float64).reshape(-1, 4)
        joints = np.full((len(both), len(HAND), 2), np.nan)
        if points is not None:
            joints[: len(points)] = points
        known = np.isfinite(joints).all(-1)
        low, high = (np.where(known[..., None], joints, end) for end in (np.inf, -np.inf))
        tight = np.concatenate([low.min(1), high.max(1)], -1)
        return cls(
            path=path,
            image_size=image_size,
            keypoints=np.where(known[..., None], joints, 0),
            visible=known.astype(np.uint8) * 2,
            joint_boxes=np.where(known.sum(-1)[:, None] > 1, tight, both),
            boxes=both,
            handedness=(None,) * len(both),
            good=np.ones(len(both), bool),
            ignored=np.arange(len(both)) >= len(boxes),
            human_boxes=np.zeros((0, 4)),
        )

    def __len__(self) -> int:
        return len(self.boxes)

    @property
    def areas(self) -> Array:
        """(N,) square pixels of the tight joint boxes."""
        return box_area(self.joint_boxes)

    def measured(self, good_only: bool = False) -> Array:
        """(N,) bool: the hands that count: not ignored and, if asked for, only those with good labels."""
        rows: Array = ~self.ignored & (self.good | (not good_only))
        return rows

    def rotated(self, turns: int) -> HandLabels:
        """The labels of the picture turned clockwise by `turns` quarters: x, y become H - 1 - y, x at each."""
        if turns % 4 == 0:
            return self
        height = self.image_size[1]
        turned = replace(
            self,
            image_size=(height, self.image_size[0]),
            keypoints=_turn_points(self.keypoints, height),
            joint_boxes=_turn_boxes(self.joint_boxes, height),
            boxes=_turn_boxes(self.boxes, height),
            human_boxes=_turn_boxes(self.human_boxes, height),
            xyz_cam=None if self.xyz_cam is None else turn_xyz(self.xyz_cam, np.full(len(self), np.pi / 2)),
        )
        return turned.rotated(turns % 4 - 1)


def read_hand_labels(
    path: str | os.PathLike[str], layout: LayoutName | None = None, image_root: str | os.PathLike[str] | None = None
) -> list[HandLabels]:
    """Reads a COCO keypoint JSON of hands, one record per image in the file's order, images without hands included.

    Args:
        path: the JSON file.
        layout: see `handkit.datasets.index.parse_index`.
        image_root: the folder that `file_name` is relative to; None takes the layout's own. It is not looked into.

    Raises:
        DataError: the file is missing or no JSON object, or a record breaks its documented form; the message names it.
    """
    index = parse_index(path, layout)
    root = picture_root(index, image_root)
    return [image_labels(index, image, root) for image in range(index.images)]


def picture_root(index: HandIndex, image_root: str | os.PathLike[str] | None = None) -> Path:
    """The folder that the file names of an index are relative to; None takes the layout's own."""
    return index.path.parent / LAYOUTS[index.layout].pictures if image_root is None else Path(image_root)


def image_labels(
    index: HandIndex,
    image: int,
    root: Path,
    rows: Sequence[int] | Array | None = None,
    max_disagreement: float = GOOD_DISAGREEMENT,
) -> HandLabels:
    """The labels of one image.

    Args:
        index: of the annotation file.
        image: its number in the file.
        root: the folder of the pictures.
        rows: the hands to take; None takes all of the image's.
        max_disagreement: labels are `good` below it, and where the file does not judge them.
    """
    of, first = index.columns, index.columns.first_human_boxes
    chosen = index.rows_of(image) if rows is None else np.asarray(rows, np.intp)
    width, height = of.image_sizes[image].tolist()
    visible = np.array(of.visible[chosen])
    return HandLabels(
        path=root / of.file_names[image].decode(),
        image_size=(width, height),
        keypoints=of.keypoints[chosen].astype(np.float64),
        visible=visible,
        joint_boxes=of.joint_boxes[chosen].astype(np.float64),
        boxes=of.boxes[chosen].astype(np.float64),
        handedness=tuple(_SIDES[side] for side in of.sides[chosen].tolist()),
        good=~(of.disagreement[chosen] >= max_disagreement),
        ignored=of.crowd[chosen] | ~(visible > 0).any(-1),
        human_boxes=of.human_boxes[first[image] : first[image + 1]].astype(np.float64),
        xyz_cam=of.xyz_cam[chosen].astype(np.float64) if len(of.xyz_cam) else None,
    )


def _turn_points(points: Array, height: int) -> Array:
    return np.stack([height - 1 - points[..., 1], points[..., 0]], -1)


def _turn_boxes(boxes: Array, height: int) -> Array:
    return np.stack([height - 1 - boxes[:, 3], boxes[:, 0], height - 1 - boxes[:, 1], boxes[:, 2]], -1)
