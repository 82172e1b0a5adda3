"""Whole images with the boxes of their hands: what a detector is trained on.

The arithmetic is mmdet's, so that its recipes and weights stay what they are: a box's sides are edges, the frame is
[0, width] x [0, height], and boxes scale by the ratio of the sizes, without the half pixel between edges and centres.
Joints, `box_points`, stay on their pixels' centres.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from handkit.errors import ConfigError, DataError
from handkit.geometry import box_iou, mirror_points
from handkit.registry import TRANSFORMS
from handkit.transforms.base import Sample
from handkit.transforms.draws import check_range, check_shares, generator, stream

Array = NDArray[Any]

#: The largest number in a mask: 0 background, 1 hand, 2 other things before the background.
_MASK_LABELS = 2
#: Tries for one least overlap before another is drawn.
_TRIES = 50
#: A crop's sides differ by this factor at most.
_MAX_ASPECT = 2.0


@TRANSFORMS.register_module()
class Expand:
    """Lays the image somewhere on a larger canvas of one colour, so that hands get smaller (SSD's "zoom out").

    Args:
        mean: the canvas's R, G, B in 0 to 255; fractions are cut off.
        ratio_range: limits of the canvas's sides in sides of the image.
        prob: how often.

    Raises:
        ConfigError: limits out of order or below 1, no colour, or no probability.
    """

    stage: ClassVar[Literal["image"]] = "image"

    def __init__(
        self,
        mean: tuple[float, float, float] = (123.675, 116.28, 103.53),
        ratio_range: tuple[float, float] = (1.0, 4.0),
        prob: float = 0.5,
    ) -> None:
        check_range(self, "ratio_range", ratio_range, 1)
        check_shares(self, prob=prob)
        if len(mean) != 3 or not all(0 <= value <= 255 for value in mean):
            raise ConfigError(f"Expand: mean must be R, G, B in 0 to 255, not {mean}")
        self.mean = tuple(mean)
        self.ratio_range = (float(ratio_range[0]), float(ratio_range[1]))
        self.prob = prob

    def __call__(self, sample: Sample) -> Sample:
        """Replaces `img` and moves `boxes` and `box_points`."""
        boxes = boxes_of(sample, self)
        rng = stream(sample, self, self.prob)
        if rng is None:
            return sample
        img = sample["img"]
        height, width = img.shape[:2]
        low, high = self.ratio_range
        ratio = low + (high - low) * rng.random()
        left = int((width * ratio - width) * rng.random())
        top = int((height * ratio - height) * rng.random())
        canvas = np.full((int(height * ratio), int(width * ratio), 3), self.mean, img.dtype)
        canvas[top : top + height, left : left + width] = img
        offset = np.array([left, top] * 2, np.float32)
        return _moved(
            sample, canvas, boxes + offset, lambda ignored: ignored + offset, lambda points: points + offset[:2]
        )


@TRANSFORMS.register_module()
class MinIoURandomCrop:
    """Cuts a part out that overlaps every box by a drawn least IoU (SSD's sampling: Liu et al., ECCV 2016, 2.2).

    The least IoU is one of `min_ious`, or 0, or the image stays whole, each as often. A part has sides within a factor
    of 2 of each other and holds the centre of at least one box; boxes whose centres lie outside are dropped, the others
    clipped. Where 50 parts fail, a least IoU is drawn anew. `box_points` go, since the joints of a hand whose box is
    dropped would be taught to be none.

    Args:
        min_ious: the least overlaps of the part with a box.
        min_crop_size: shortest side of a part, in shares of the image's.

    Raises:
        ConfigError: an overlap or a share outside [0, 1].
    """

    stage: ClassVar[Literal["image"]] = "image"

    def __init__(self, min_ious: Sequence[float] = (0.1, 0.3, 0.5, 0.7, 0.9), min_crop_size: float = 0.3) -> None:
        check_shares(self, min_crop_size=min_crop_size, **{f"min_ious[{i}]": v for i, v in enumerate(min_ious)})
        self.min_ious = tuple(min_ious)
        self.min_crop_size = min_crop_size

    def __call__(self, sample: Sample) -> Sample:
        """Replaces `img` and `boxes`."""
        boxes = boxes_of(sample, self)
        rng = stream(sample, self, 1.0)
        assert rng is not None
        modes = (None, *self.min_ious, 0.0)
        height, width = sample["img"].shape[:2]
        while (least := modes[int(rng.random() * len(modes))]) is not None:
            for _ in range(_TRIES):
                part = self._part(width, height, rng)
                if part is not None and (kept := _kept(boxes, part, least)) is not None:
                    x1, y1, x2, y2 = part
                    inside = functools.partial(_clipped_to, part)
                    return _moved(sample, sample["img"][y1:y2, x1:x2], inside(boxes[kept]), inside)
        return sample

    def _part(self, width: int, height: int, rng: np.random.Generator) -> Array | None:
        """(4,) int xyxy, or None where the sides are too different or a side is gone.

        mmdet draws a corner between its furthest place and 1, not 0.
        """
        w, h = (side * (self.min_crop_size + (1 - self.min_crop_size) * rng.random()) for side in (width, height))
        if not 1 / _MAX_ASPECT <= h / w <= _MAX_ASPECT:
            return None
        left, top = (free + (1 - free) * rng.random() for free in (width - w, height - h))
        part = np.array([int(left), int(top), int(left + w), int(top + h)])
        return None if part[0] == part[2] or part[1] == part[3] else part


@TRANSFORMS.register_module()
class Resize:
    """Stretches the image to the network's input, whatever its aspect; `boxes` and `mask`, where there are any, follow.

    Args:
        input_size: (width, height) in pixels.

    Raises:
        ConfigError: a size that is not positive.
    """

    stage: ClassVar[Literal["image"]] = "image"

    def __init__(self, input_size: tuple[int, int]) -> None:
        if len(input_size) != 2 or min(input_size) <= 0:
            raise ConfigError(f"Resize needs a positive (width, height), got input_size={input_size}")
        self.input_size = (int(input_size[0]), int(input_size[1]))

    def __call__(self, sample: Sample) -> Sample:
        """Replaces `img`, `boxes` by the boxes scaled and clipped to the frame, `box_points`, and `mask` by its nearest
        pixels.
        """
        height, width = sample["img"].shape[:2]
        img = cv2.resize(np.ascontiguousarray(sample["img"]), self.input_size, interpolation=cv2.INTER_LINEAR)
        mask = mask_of(sample, self)
        if mask is not None:
            mask = cv2.resize(mask, self.input_size, interpolation=cv2.INTER_NEAREST_EXACT)
        if "boxes" not in sample:
            return {**sample, "img": img} if mask is None else {**sample, "img": img, "mask": mask}
        size = np.array(self.input_size * 2)
        scale = (size / np.array([width, height] * 2)).astype(np.float32)

        def stretch(boxes: Array) -> Array:
            return np.asarray(np.clip(boxes * scale, 0, size.astype(np.float32)))

        def stretch_points(points: Array) -> Array:
            return np.asarray((points + 0.5) * scale[:2] - 0.5)

        return _moved(sample, img, stretch(boxes_of(sample, self)), stretch, stretch_points, mask)


@TRANSFORMS.register_module()
class RandomFlip:
    """Mirrors the image left to right, by chance: x of a box becomes width - x.

    Args:
        prob: how often.

    Raises:
        ConfigError: no probability.
    """

    stage: ClassVar[Literal["image"]] = "image"

    def __init__(self, prob: float = 0.5) -> None:
        check_shares(self, prob=prob)
        self.prob = prob

    def __call__(self, sample: Sample) -> Sample:
        """Replaces `img`, `boxes`, `box_points` and `mask`."""
        boxes, mask = boxes_of(sample, self), mask_of(sample, self)
        if generator(sample, self).random() >= self.prob:
            return sample
        width = sample["img"].shape[1]
        mirror, mirror_joints = functools.partial(_mirrored, width), functools.partial(mirror_points, width=width)
        mask = None if mask is None else np.ascontiguousarray(mask[:, ::-1])
        img = np.ascontiguousarray(sample["img"][:, ::-1])
        return _moved(sample, img, mirror(boxes), mirror, mirror_joints, mask)


@TRANSFORMS.register_module()
class RandomCrop:
    """Cuts a part of fixed size out, anywhere: HandSegNet's 256 x 256 of RHD's 320 x 320 (Zimmermann and Brox, 2017).

    `boxes` are clipped to the part, those without a rest dropped, and `mask` is cut with it. Pictures of another size
    are brought to one by `Resize` first: HandSynth's of 256 x 256 to 320 x 320, so that both learn at the same scale.

    Args:
        crop_size: (width, height) in pixels.

    Raises:
        ConfigError: a size that is not positive.
        DataError: in a call, a picture smaller than that.
    """

    stage: ClassVar[Literal["image"]] = "image"

    def __init__(self, crop_size: tuple[int, int] = (256, 256)) -> None:
        if len(crop_size) != 2 or min(crop_size) <= 0:
            raise ConfigError(f"RandomCrop needs a positive (width, height), got crop_size={crop_size}")
        self.crop_size = (int(crop_size[0]), int(crop_size[1]))

    def __call__(self, sample: Sample) -> Sample:
        """Replaces `img`, `boxes` and `mask`."""
        boxes, mask = boxes_of(sample, self), mask_of(sample, self)
        height, width = sample["img"].shape[:2]
        free = np.array([width, height]) - self.crop_size
        shares = generator(sample, self).random(2)
        if free.min() < 0:
            raise DataError(
                f"RandomCrop: {sample.get('sample_id', 'a sample')} has {width} x {height} pixels, less than crop_size="
                f"{self.crop_size}; put Resize before it"
            )
        x, y = (shares * (free + 1)).astype(int).tolist()
        part = np.array([x, y, x + self.crop_size[0], y + self.crop_size[1]])
        rows, columns = slice(part[1], part[3]), slice(part[0], part[2])
        inside = functools.partial(_clipped_to, part)
        moved = inside(boxes)
        left = (moved[:, 2:] > moved[:, :2]).all(1)
        mask = None if mask is None else np.ascontiguousarray(mask[rows, columns])
        return _moved(sample, np.ascontiguousarray(sample["img"][rows, columns]), moved[left], inside, mask=mask)


def _moved(
    sample: Sample,
    img: Array,
    boxes: Array,
    move: Callable[[Array], Array],
    move_points: Callable[[Array], Array] | None = None,
    mask: Array | None = None,
) -> Sample:
    """The sample with another picture: `ignored_boxes` follow by `move`, `box_points` by `move_points`.

    Without it they go, as `mask` does where none is given.
    """
    done = {key: value for key, value in sample.items() if key not in ("box_points", "mask")}
    if "ignored_boxes" in sample:
        done["ignored_boxes"] = move(np.asarray(sample["ignored_boxes"], np.float32).reshape(-1, 4))
    if "box_points" in sample and move_points is not None:
        done["box_points"] = np.asarray(move_points(sample["box_points"]), np.float32)
    return {**done, "img": img, "boxes": boxes} | ({} if mask is None else {"mask": mask})


def _clipped_to(part: Array, boxes: Array) -> Array:
    """(N, 4) boxes in pixels of a part (4,) of their image."""
    x1, y1, x2, y2 = part
    return np.asarray(np.clip(boxes - part[[0, 1, 0, 1]], 0, [x2 - x1, y2 - y1] * 2), np.float32)


def _mirrored(width: int, boxes: Array) -> Array:
    """(N, 4) boxes in the mirrored image, sides being edges."""
    mirrored: Array = boxes.copy()
    mirrored[:, 0], mirrored[:, 2] = width - boxes[:, 2], width - boxes[:, 0]
    return mirrored


def boxes_of(sample: Sample, transform: object) -> Array:
    """(N, 4) float32, the sample's `boxes`.

    Raises:
        DataError: there are none, or they are no boxes.
    """
    kind, name = type(transform).__name__, sample.get("sample_id", "a sample")
    if "boxes" not in sample:
        raise DataError(f"{kind}: {name} has no 'boxes': whole images come from a data set like ImageBoxes")
    boxes = np.asarray(sample["boxes"], np.float32)
    if boxes.ndim != 2 or boxes.shape[1] != 4:
        raise DataError(f"{kind}: the boxes of {name} must be (N, 4) x1, y1, x2, y2, not {boxes.shape}")
    if not np.isfinite(boxes).all() or (boxes[:, 2:] < boxes[:, :2]).any():
        wrong = ~np.isfinite(boxes).all(1) | (boxes[:, 2:] < boxes[:, :2]).any(1)
        raise DataError(f"{kind}: {name} has the box {boxes[wrong][0].tolist()}: not finite, or negative in size")
    return boxes


def mask_of(sample: Sample, transform: object) -> Array | None:
    """(H, W) uint8, the sample's `mask`; None where it has none.

    Raises:
        DataError: it is no mask of its picture.
    """
    mask = sample.get("mask")
    if mask is None:
        return None
    if mask.shape != sample["img"].shape[:2] or mask.dtype != np.uint8 or mask.max(initial=0) > _MASK_LABELS:
        raise DataError(
            f"{type(transform).__name__}: the mask of {sample.get('sample_id', 'a sample')} must be uint8 of the "
            f"picture's {sample['img'].shape[:2]} rows and columns, with 0, 1 and 2, not {mask.dtype} of {mask.shape} "
            f"up to {mask.max(initial=0)}"
        )
    return np.asarray(mask)


def _kept(boxes: Array, part: Array, least: float) -> Array | None:
    """(N,) bool, the boxes whose centres lie in a part; None where the part may not be taken."""
    if not len(boxes):
        return np.zeros(0, bool)
    if box_iou(part[None].astype(np.float32), boxes).min() < least:
        return None
    centers = (boxes[:, :2] + boxes[:, 2:]) / 2
    inside = np.asarray(((centers > part[:2]) & (centers < part[2:])).all(1))
    return inside if inside.any() else None
