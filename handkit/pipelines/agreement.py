"""One photograph seen mirrored and turned: how far a pipeline agrees with itself, and the joints it agrees on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from handkit.datasets.labels import GOOD_DISAGREEMENT, HandLabels
from handkit.geometry import Crop, hand_box, points_box
from handkit.hands import Hands, Side, other_side
from handkit.images import MAX_PIXELS
from handkit.metrics.keypoints import box_sides
from handkit.metrics.matching import match_hands

Array = NDArray[Any]

#: The disagreement of a hand that a view does not show: as far off as the hand is large.
NOT_FOUND = 1.0


@dataclass(frozen=True)
class View:
    """The whole picture, mirrored or turned about its centre, on a canvas that holds all of it.

    Args:
        crop: from the picture to the canvas, pixel centres onto pixel centres.
        image_size: (width, height) of the picture.
    """

    crop: Crop
    image_size: tuple[int, int]

    @classmethod
    def mirrored(cls, image_size: tuple[int, int]) -> View:
        """Left and right exchanged."""
        return cls(replace(_whole(image_size, image_size, 0.0), flip=True), image_size)

    @classmethod
    def turned(cls, image_size: tuple[int, int], degrees: float, max_pixels: int = MAX_PIXELS) -> View:
        """The picture turned clockwise; corners that it leaves free are black.

        A canvas of more than `max_pixels` is made smaller, and the picture with it.
        """
        angle = math.radians(degrees)
        width, height = image_size[0] - 1, image_size[1] - 1
        cos, sin = abs(math.cos(angle)), abs(math.sin(angle))
        canvas = (
            1 + math.ceil(round(width * cos + height * sin, 6)),
            1 + math.ceil(round(width * sin + height * cos, 6)),
        )
        whole = _whole(image_size, canvas, -angle)
        shrink = math.sqrt(max_pixels / math.prod(whole.output_size))
        if shrink < 1:
            width, height = (max(int(side * shrink), 2) for side in whole.output_size)
            whole = replace(whole, output_size=(width, height))
        return cls(whole, image_size)

    def picture(self, image: Array) -> Array:
        """(H, W, 3) uint8 -> the canvas."""
        return self.crop.apply_image(image)

    def back(self, hands: Hands) -> Hands:
        """The canvas's hands in the picture: joints, boxes of the joints x 1.15, and the sides they have there."""
        points = self.crop.inverse_points(hands.keypoints.astype(np.float64))
        sides = tuple(map(other_side, hands.handedness)) if self.crop.flip else hands.handedness
        return Hands(
            keypoints=points,
            scores=hands.scores,
            boxes=hand_box(points, self.image_size),
            box_scores=hands.box_scores,
            handedness=sides,
            handedness_scores=hands.handedness_scores,
            image_size=self.image_size,
            skeleton=hands.skeleton,
        )


def _whole(image_size: tuple[int, int], canvas: tuple[int, int], rotation: float) -> Crop:
    """The crop of scale 1 whose centre is the picture's; two pixels at least, so that it can be undone."""
    canvas = (max(canvas[0], 2), max(canvas[1], 2))
    center = ((image_size[0] - 1) / 2, (image_size[1] - 1) / 2)
    return Crop(center, (canvas[0] - 1, canvas[1] - 1), canvas, rotation, udp=True)


@dataclass(frozen=True, eq=False)
class Agreement:
    """N hands of one photograph as all its views see them; coordinates are pixels of the photograph.

    Args:
        image_size: (width, height) of the photograph.
        keypoints: (N, 21, 2) mean over the photograph and those views that agree.
        presence: (N,) mean box score over the same, in [0, 1].
        handedness: per hand the side that the same tell, or None where the model knows none.
        handedness_scores: (N,) mean probability of that side.
        views: (N,) how many views agree, the photograph among them.
        flip_disagreement: (N,) mean distance between the joints of the photograph and of its mirror image over the
            longer side of their box; at most `NOT_FOUND`.
        turn_disagreement: (N,) the same of the turned photographs, their median, or None without any.
    """

    image_size: tuple[int, int]
    keypoints: Array
    presence: Array
    handedness: tuple[Side | None, ...]
    handedness_scores: Array
    views: Array
    flip_disagreement: Array
    turn_disagreement: Array | None

    def __len__(self) -> int:
        return len(self.keypoints)

    @property
    def quality(self) -> Array:
        """(N,) 1 minus the larger of the two disagreements, in [0, 1]."""
        turned = 0.0 if self.turn_disagreement is None else self.turn_disagreement
        quality: Array = 1 - np.maximum(self.flip_disagreement, turned)
        return quality


def agree(found: Hands, mirrored: Hands, turned: Sequence[Hands] = ()) -> Agreement:
    """Follows every hand of a photograph through its views.

    A view agrees on a hand if its joints are nearer than `GOOD_DISAGREEMENT` x the hand. A hand that only a view shows
    is left out.

    Args:
        found: the hands of the photograph itself.
        mirrored: those of its mirror image, brought back by `View.back`.
        turned: those of the turned photographs, brought back likewise.
    """
    others = [mirrored, *turned]
    size = box_sides(points_box(found.keypoints))
    points = np.repeat(found.keypoints[None].astype(np.float64), 1 + len(others), 0)
    presence = np.repeat(found.box_scores[None].astype(np.float64), 1 + len(others), 0)
    right = np.repeat(_right(found)[None], 1 + len(others), 0)
    disagreement = np.zeros((1 + len(others), len(found)))
    for view, other in enumerate(others, 1):
        match = match_hands(_as_labels(found), other)
        mine, theirs = match.labels, match.predictions
        distance = np.linalg.norm(found.keypoints[mine] - other.keypoints[theirs], axis=-1)
        disagreement[view] = NOT_FOUND
        disagreement[view, mine] = np.minimum(distance.mean(-1) / np.maximum(size[mine], 1e-6), NOT_FOUND)
        points[view, mine], presence[view, mine] = other.keypoints[theirs], other.box_scores[theirs]
        right[view, mine] = _right(other)[theirs]
    agreeing = disagreement < GOOD_DISAGREEMENT
    mean_right = _mean(right, agreeing)
    known = np.isfinite(mean_right)
    return Agreement(
        image_size=found.image_size,
        keypoints=_mean(points, agreeing[..., None, None]),
        presence=_mean(presence, agreeing),
        handedness=tuple(
            ("right" if p >= 0.5 else "left") if k else None for p, k in zip(mean_right, known, strict=True)
        ),
        handedness_scores=np.where(known, np.maximum(mean_right, 1 - mean_right), 0),
        views=agreeing.sum(0),
        flip_disagreement=disagreement[1],
        turn_disagreement=np.median(disagreement[2:], 0) if turned else None,
    )


def _mean(values: Array, chosen: Array) -> Array:
    """Mean over the first axis of the chosen; NaN where one of them is NaN."""
    mean: Array = np.where(chosen, values, 0).sum(0) / chosen.sum(0)
    return mean


def _right(hands: Hands) -> Array:
    """(N,) probability of a right hand; NaN where the model tells no side."""
    sign = np.array([{"right": 1.0, "left": -1.0, None: np.nan}[side] for side in hands.handedness])
    probability: Array = 0.5 + sign * (hands.handedness_scores - 0.5)
    return probability


def _as_labels(hands: Hands) -> HandLabels:
    count = len(hands)
    return HandLabels(
        path=Path(),
        image_size=hands.image_size,
        keypoints=hands.keypoints,
        visible=np.full(hands.keypoints.shape[:2], 2, np.uint8),
        joint_boxes=points_box(hands.keypoints),
        boxes=hand_box(hands.keypoints, hands.image_size),
        handedness=hands.handedness,
        good=np.ones(count, bool),
        ignored=np.zeros(count, bool),
        human_boxes=np.zeros((0, 4)),
    )
