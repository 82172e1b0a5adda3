"""Another view of a whole image: turned, nearer or further, in another frame; hands of all sizes come of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from handkit.errors import ConfigError
from handkit.geometry import Crop, box_area, points_box
from handkit.registry import TRANSFORMS
from handkit.transforms.affine import cut_mask
from handkit.transforms.background import Backgrounds
from handkit.transforms.base import Sample
from handkit.transforms.draws import between, check_range, check_shares, stream
from handkit.transforms.whole_images import boxes_of, mask_of

Array = NDArray[Any]

#: A picture is enlarged by this factor at most: more shows only how it was enlarged.
_MOST_ENLARGED = 4.0
#: A view's sides are this many times the picture's longer one at most.
_WIDEST = 6.0


@dataclass(frozen=True)
class _Boxes:
    """What a view makes of M boxes: those that are left, those to be ignored, and (M,) bool which are left."""

    boxes: Array
    ignored: Array
    left: Array


@TRANSFORMS.register_module()
class RandomView:
    """Looks at a whole image through a random frame and fills the network's input with what it shows, in one warp.

    The frame is turned by any angle, has a random aspect (the input's is stretched to it, as whole photographs are when
    hands are looked for), and is drawn about one hand, or a random square where there is none, so that this hand's
    longer side is an evenly drawn power of the frame's: hands of 24 pixels are as common as those that fill the frame.

    Boxes follow: that of a hand whose joints are known is drawn about the turned joints with the margin that the box
    had around them; of another box, and of one that is not turned, the ellipse inside it is turned (Kalra et al., ICCV
    2021, who show that the box of its corners is too large). A box of which less than `least_seen` is inside, or that
    is smaller than `least_side`, becomes an ignored one.

    Args:
        input_size: (width, height) of the network's input in pixels.
        hand_size: least and largest share of the frame's side that the hand's takes; above 1 it is cut.
        aspect: least and largest width / height of the frame.
        turn_prob: how often it is turned, by an angle from the full circle.
        flip_prob: how often it is mirrored.
        shift: how far the hand may reach beyond the frame, in shares of its side.
        least_seen: share of a box's area.
        least_side: of a box's longer side, in pixels of the input.
        folder: pictures without hands, a random part of one of them shows where the frame exceeds the image; None:
            black.
        skip: leaves out the first of those pictures in the order of their names.

    Raises:
        ConfigError: limits out of order, no probability, or a size that is not positive.
        DataError: see `handkit.transforms.background.Backgrounds`.
    """

    stage: ClassVar[Literal["image"]] = "image"

    def __init__(
        self,
        input_size: tuple[int, int],
        hand_size: tuple[float, float] = (0.075, 1.1),
        aspect: tuple[float, float] = (0.5, 2.0),
        turn_prob: float = 0.7,
        flip_prob: float = 0.5,
        shift: float = 0.15,
        least_seen: float = 0.5,
        least_side: float = 14.0,
        folder: str | None = None,
        skip: int = 0,
    ) -> None:
        if len(input_size) != 2 or min(input_size) <= 0:
            raise ConfigError(f"RandomView needs a positive (width, height), got input_size={input_size}")
        check_range(self, "hand_size", hand_size, 1e-3)
        check_range(self, "aspect", aspect, 1e-2)
        check_shares(self, turn_prob=turn_prob, flip_prob=flip_prob, shift=shift, least_seen=least_seen)
        self.input_size = (int(input_size[0]), int(input_size[1]))
        self.hand_size = hand_size
        self.aspect = aspect
        self.turn_prob = turn_prob
        self.flip_prob = flip_prob
        self.shift = shift
        self.least_seen = least_seen
        self.least_side = least_side
        self.backgrounds = None if folder is None else Backgrounds(self, folder, skip)

    def __call__(self, sample: Sample) -> Sample:
        """Replaces `img`, `boxes`, `box_points`, `ignored_boxes` and `mask`.

        Raises:
            DataError: the `mask` is none of the picture.
        """
        rng = stream(sample, self, 1.0)
        assert rng is not None
        boxes, mask, img = boxes_of(sample, self), mask_of(sample, self), sample["img"]
        points = sample.get("box_points", np.full((len(boxes), 1, 2), np.nan, np.float32))
        crop = self._frame(rng, boxes, (img.shape[1], img.shape[0]))
        done = {**sample, "img": self._picture(rng, crop, img)}
        if mask is not None:
            done["mask"] = cut_mask(crop, mask)
        seen = self._visible(turned_boxes(crop, boxes, points))
        done["boxes"] = seen.boxes
        if "box_points" in sample:
            done["box_points"] = crop.apply_points(points[seen.left]).astype(np.float32)
        doubted = np.asarray(sample.get("ignored_boxes", ()), np.float32).reshape(-1, 4)
        rest = self._visible(turned_boxes(crop, doubted, np.full((len(doubted), 1, 2), np.nan)))
        done["ignored_boxes"] = np.concatenate([seen.ignored, rest.boxes, rest.ignored])
        return done

    def _frame(self, rng: np.random.Generator, boxes: Array, size: tuple[int, int]) -> Crop:
        """The frame about one of the boxes."""
        turned, flipped, which = rng.random(3)
        angle = between(rng, (-np.pi, np.pi)) if turned < self.turn_prob else 0.0
        aspect, share = (
            float(np.exp(between(rng, (np.log(low), np.log(high))))) for low, high in (self.aspect, self.hand_size)
        )
        places = rng.uniform(-1, 1, 2)
        box = boxes[int(which * len(boxes))] if len(boxes) else _random_square(rng, size)
        cos, sin = np.cos(angle), np.sin(angle)
        x_side, y_side = (box[2:] - box[:2]).tolist()
        own = np.hypot([x_side * cos, x_side * sin], [y_side * sin, y_side * cos])
        width = max(float(own[0]), float(own[1]) * aspect) / share
        width = float(np.clip(width, self.input_size[0] / _MOST_ENLARGED, _WIDEST * max(size)))
        view = np.array([width, width / aspect])
        free = np.abs(view - own) / 2 + self.shift * np.minimum(own, view)
        dx, dy = places * free
        center = (box[:2] + box[2:]) / 2 + [dx * cos - dy * sin, dx * sin + dy * cos]
        x, y = center.tolist()
        return Crop((x, y), (width, width / aspect), self.input_size, angle, bool(flipped < self.flip_prob))

    def _picture(self, rng: np.random.Generator, crop: Crop, img: Array) -> Array:
        cut = crop.apply_image(img)
        width, height = self.input_size
        corners = crop.inverse_points(np.array([[0, 0], [width, 0], [0, height], [width, height]], np.float64))
        if self.backgrounds is None or ((corners >= 0) & (corners <= [img.shape[1] - 1, img.shape[0] - 1])).all():
            return cut
        inside = crop.apply_image(np.full(img.shape[:2], 255, np.uint8)).astype(np.float32) / 255
        behind = self.backgrounds.draw(rng, self.input_size)
        return cv2.add(cut, cv2.multiply(behind, cv2.merge([1 - inside] * 3), dtype=cv2.CV_8U))

    def _visible(self, boxes: Array) -> _Boxes:
        """Boxes clipped to the frame, in those that count and those that are ignored; the others are gone."""
        clipped = np.clip(boxes, 0, np.array(self.input_size * 2))
        area = box_area(clipped)
        left = (clipped[:, 2:] > clipped[:, :2] + 1).all(-1)
        counts = (clipped[:, 2:] - clipped[:, :2]).max(-1, initial=0) >= self.least_side
        counts &= area >= self.least_seen * box_area(boxes)
        clipped = clipped.astype(np.float32)
        return _Boxes(clipped[left & counts], clipped[left & ~counts], left & counts)


def _random_square(rng: np.random.Generator, size: tuple[int, int]) -> Array:
    """A square inside an image of (width, height), for a frame that is about no hand."""
    side = min(size) * float(np.exp(between(rng, (np.log(0.08), 0.0))))
    corner = rng.uniform(0, 1, 2) * (np.array(size) - side)
    return np.concatenate([corner, corner + side])


def turned_boxes(crop: Crop, boxes: Array, points: Array) -> Array:
    """Boxes of an image in the pixels of a crop.

    Args:
        crop: of the image; each edge of the frame lies at 0 or at the output's size.
        boxes: (M, 4) xyxy.
        points: (M, K, 2) joints of the hand in each, NaN where unknown.

    Returns:
        (M, 4) xyxy; see `RandomView` for how they are found.
    """
    matrix = crop.matrix()
    half = (boxes[:, 2:] - boxes[:, :2]) / 2
    center = crop.apply_points((boxes[:, :2] + boxes[:, 2:]) / 2)
    reach = np.sqrt((half[:, None] ** 2 * matrix[:, :2] ** 2).sum(-1))
    turned = np.concatenate([center - reach, center + reach], -1)
    known = np.isfinite(points).all(-1).sum(-1) > 1
    if crop.rotation == 0 or not known.any():
        return turned
    spots, own = points[known].astype(np.float64), boxes[known]
    tight = points_box(np.where(np.isfinite(spots), spots, np.nanmean(spots, 1, keepdims=True)))
    sides = [(b[:, 2:] - b[:, :2]).mean(-1) for b in (own, tight)]
    margin = np.maximum(sides[0] - sides[1], 0)[:, None] / 2 * np.array(crop.output_size) / crop.size
    moved = crop.apply_points(np.where(np.isfinite(spots), spots, np.nanmean(spots, 1, keepdims=True)))
    low, high = moved.min(1), moved.max(1)
    turned[known] = np.concatenate([low - margin, high + margin], -1)
    return turned
