"""What an annotation file says of itself: boxes, joints, and the same hand twice."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from handkit.datasets.checking.findings import Finding, finding
from handkit.datasets.index import HandIndex
from handkit.datasets.reader import HandReader
from handkit.geometry import box_iou

Array = NDArray[Any]

#: A joint is outside a box that it is farther from than this share of the box's longer side.
_BEYOND = 0.1
#: A box is not its hand's where so many of the joints are outside.
_OUTSIDE = 0.25
#: Two annotations are of one hand where their joints are this near, in shares of the box's longer side.
_SAME = 0.02


def check_labels(reader: HandReader, where: str) -> tuple[list[Finding], Array]:
    """Checks all hands of the reader's file that it would take, samples or not.

    Returns:
        The findings, and (H,) bool which hands of the index they are about.
    """
    index, of = reader.index, reader.index.columns
    wanted = np.repeat(reader.chosen_images(), np.diff(of.first_hands)) & ~reader.doubted
    found: list[Finding] = []
    faulty = np.zeros(len(index), bool)
    for kind, rows, message in (
        ("joints_outside_box", wanted & _outside_box(index), "a quarter or more of the joints lie outside the box"),
        ("no_visible_joints", wanted & ~(of.visible > 0).any(-1), "no joint is labelled inside the picture"),
        ("duplicate_annotations", wanted & _repeated(index), "the hand is annotated more than once"),
    ):
        if rows.any():
            faulty |= rows
            counted = f"{int(rows.sum())} of {int(wanted.sum())} hands: {message}"
            found.append(finding(kind, where, counted, [index.place(row) for row in np.flatnonzero(rows).tolist()]))
    return found, faulty


def _outside_box(index: HandIndex) -> Array:
    """(H,) bool: the file's own box leaves out a quarter of the joints inside the frame."""
    of = index.columns
    boxes = of.annotated_boxes[:, None]
    margin = _BEYOND * (boxes[..., 2:] - boxes[..., :2]).max(-1, keepdims=True)
    with np.errstate(invalid="ignore"):
        away = ((of.keypoints < boxes[..., :2] - margin) | (of.keypoints > boxes[..., 2:] + margin)).any(-1)
    shown = of.visible > 0
    share = (away & shown).sum(-1) / np.maximum(shown.sum(-1), 1)
    outside: Array = share >= _OUTSIDE
    return outside


def _repeated(index: HandIndex) -> Array:
    """(H,) bool: an earlier hand of the same picture file has the same joints; crowd regions are none."""
    of = index.columns
    rows_of_file: dict[bytes, list[int]] = {}
    for image in range(index.images):
        rows = index.rows_of(image)
        rows_of_file.setdefault(bytes(of.file_names[image]), []).extend(range(rows.start, rows.stop))
    repeated = np.zeros(len(index), bool)
    for members in rows_of_file.values():
        real = [row for row in members if not of.crowd[row] and (of.visible[row] > 0).any()]
        if len(real) > 1:
            near = box_iou(of.joint_boxes[real], of.joint_boxes[real]) > 0.8
            for later, earlier in zip(*np.nonzero(np.tril(near, -1)), strict=True):
                repeated[real[later]] |= _same(index, real[later], real[earlier])
    return repeated


def _same(index: HandIndex, one: int, other: int) -> bool:
    of = index.columns
    both = (of.visible[one] > 0) & (of.visible[other] > 0)
    if both.sum() < 5:
        return False
    size = float((of.joint_boxes[one][2:] - of.joint_boxes[one][:2]).max())
    apart = np.linalg.norm(of.keypoints[one][both] - of.keypoints[other][both], axis=-1)
    return bool(apart.max() <= max(_SAME * size, 0.5))
