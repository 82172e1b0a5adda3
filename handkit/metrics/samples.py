"""What every metric takes: one row per labelled hand, collected image by image and reduced at the end."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence, Sized
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from handkit.canonical import bone_length
from handkit.datasets.labels import HandLabels
from handkit.detections import Detections
from handkit.errors import ConfigError, DataError
from handkit.hands import Hands, Side
from handkit.metrics.box_samples import BoxSamples
from handkit.metrics.gesture_samples import GestureSamples
from handkit.metrics.keypoints import box_sides, distances
from handkit.metrics.pose_samples import PoseSamples
from handkit.metrics.presence_samples import PresenceSamples

if TYPE_CHECKING:  # it imports scipy.optimize, which building a config does not need
    from handkit.metrics.matching import Match

Array = NDArray[Any]
#: Columns of joints in space: relative to the wrist, in the camera's frame, and relative to the wrist in lengths of the
#: forefinger's proximal bone (of predictions only).
FRAMES = ("xyz_root", "xyz_cam", "xyz_bone")
#: Over which hands a metric goes: all labelled ones, the joints of a missed hand being wrong, or only the found ones.
Over = Literal["labelled", "matched"]


def check_over(over: Over) -> Over:
    """The argument itself.

    Raises:
        ConfigError: it is neither of the two.
    """
    if over not in ("labelled", "matched"):
        raise ConfigError(f"over must be 'labelled' or 'matched', not {over!r}")
    return over


@dataclass(frozen=True, eq=False)
class HandSamples:
    """N labelled hands of I images with the predictions that answer them.

    Args:
        labels: (N, K, 2) labelled joints, pixels of the original image.
        visible: (N, K), 0 where a joint is not labelled.
        boxes: (N, 4) xyxy boxes that normalise distances.
        sides: N labelled sides, None where unknown.
        predicted: (N, K, 2) predicted joints; NaN where the hand was missed.
        predicted_sides: N predicted sides; None where the model does not say or the hand was missed.
        found: (N,) bool, False where the hand was missed.
        images: (N,) the image of each hand, 0 .. I - 1.
        unmatched: (I,) per image the number of predicted hands that answer no label.
        detections: all boxes of the I images; None for hands that were cut by their labelled boxes.
        poses: the joints of all hands of the I images for COCO's protocol; None where boxes alone are predicted.
        joint_scores: (N, K) of the predicted joints, in [0, 1]; NaN where the hand was missed. None: unknown.
        labelled_3d: by name, ``xyz_root`` or ``xyz_cam``, (N, K, 3) labelled metres, NaN where not labelled.
        predicted_3d: likewise, and ``xyz_bone`` in lengths of the forefinger's proximal bone; NaN where the hand was
            missed.
        masks: (I, 2) pixels in the intersection and the union of the masks of the I images, see
            `handkit.metrics.masks`; None where no masks are predicted.
        gestures: what the N hands do and are said to do; None where no gestures are predicted.
        presence: which crops show a hand and are said to, those of no hand too; None where that is not predicted.

    Raises:
        DataError: columns that disagree in length.
    """

    labels: Array
    visible: Array
    boxes: Array
    sides: tuple[Side | None, ...]
    predicted: Array
    predicted_sides: tuple[Side | None, ...]
    found: Array
    images: Array
    unmatched: Array
    detections: BoxSamples | None = None
    poses: PoseSamples | None = None
    joint_scores: Array | None = None
    labelled_3d: Mapping[str, Array] = field(default_factory=dict)
    predicted_3d: Mapping[str, Array] = field(default_factory=dict)
    masks: Array | None = None
    gestures: GestureSamples | None = None
    presence: PresenceSamples | None = None

    def __post_init__(self) -> None:
        rows = {name: len(getattr(self, name)) for name in _COLUMNS}
        if len(set(rows.values())) > 1:
            raise DataError(f"HandSamples needs one row per labelled hand in every column, got {rows}")
        if self.predicted.shape != self.labels.shape or self.visible.shape != self.labels.shape[:2]:
            shapes = [self.labels.shape, self.predicted.shape, self.visible.shape]
            raise DataError(f"HandSamples.labels, predicted and visible must be of the same joints, got {shapes}")
        if self.joint_scores is None:
            object.__setattr__(self, "joint_scores", np.full(self.visible.shape, np.nan))
        for name in _SPATIAL:
            for column, value in getattr(self, name).items():
                if value.shape != (*self.labels.shape[:2], 3):
                    raise DataError(
                        f"HandSamples.{name}[{column!r}] has the shape {value.shape}, not that of the joints"
                    )

    def __len__(self) -> int:
        return len(self.found)

    @cached_property
    def distances(self) -> Array:
        """(N, K) pixels; NaN where not labelled, inf where missed."""
        return distances(self.predicted, self.labels, self.visible)

    @cached_property
    def box_sides(self) -> Array:
        """(N,) the longer sides of the boxes in pixels."""
        return box_sides(self.boxes)

    def rows(self, over: Over) -> Array:
        """(N,) bool: the hands that a metric goes over."""
        return self.found if check_over(over) == "matched" else np.ones(len(self), bool)

    def grouped(self, images: Array) -> HandSamples:
        """The same hands, where several of the I images are one.

        Args:
            images: (I,) the new number of each image, 0 .. their largest.
        """
        if self.detections is not None or self.masks is not None:
            raise DataError("the images of detections and masks are whole, and are not grouped")
        unmatched = np.zeros(int(images.max(initial=-1)) + 1, int)
        np.add.at(unmatched, images, self.unmatched)
        poses = None if self.poses is None else self.poses.grouped(images)
        presence = None if self.presence is None else self.presence.grouped(images)
        return replace(self, images=images[self.images], unmatched=unmatched, poses=poses, presence=presence)

    def spatial(self, frame: str) -> tuple[Array, Array]:
        """(N, K, 3) predicted and labelled joints in metres; without a label, or with a model that tells none, NaN.

        Args:
            frame: ``xyz_root`` or ``xyz_cam``; what is relative to the wrist may come from the camera's frame. With
                ``xyz_bone`` both are relative to the wrist, the prediction scaled by the labelled bone.
        """
        predicted = _in_frame(self.predicted_3d, frame)
        labelled = _in_frame(self.labelled_3d, "xyz_root" if frame == "xyz_bone" else frame)
        if frame == "xyz_bone" and predicted is not None and labelled is not None:
            predicted = predicted * bone_length(labelled)[:, None, None]
        nothing = np.full((*self.labels.shape[:2], 3), np.nan)
        return (nothing, nothing) if predicted is None or labelled is None else (predicted, labelled)

    @classmethod
    def of_image(
        cls, labels: HandLabels, hands: Hands | Detections, match: Match, measured: Array | None = None
    ) -> HandSamples:
        """The rows of one image.

        Args:
            labels: the labelled hands.
            hands: the predicted ones, or boxes alone, whose joints and sides are unknown.
            match: from `match_hands`.
            measured: (N,) bool, the labels that become rows; None takes those that are not ignored. The prediction of
                any other label is neither right nor unmatched.
        """
        kept = labels.measured() if measured is None else measured
        answer = np.full(len(labels), -1)
        answer[match.labels] = match.predictions
        predicted = np.full((len(labels), *labels.keypoints.shape[1:]), np.nan)
        scores = np.full(predicted.shape[:2], np.nan)
        sides: tuple[Side | None, ...] = (None,) * len(hands)
        poses = None
        if isinstance(hands, Hands):
            predicted[match.labels] = hands.keypoints[match.predictions]
            scores[match.labels] = hands.scores[match.predictions]
            sides = hands.handedness
            poses = _image_poses(labels, hands, ~kept)
        rows = np.flatnonzero(kept)
        return cls(
            labels=labels.keypoints[rows],
            visible=labels.visible[rows],
            boxes=labels.boxes[rows],
            sides=tuple(labels.handedness[row] for row in rows),
            predicted=predicted[rows],
            predicted_sides=tuple(sides[answer[row]] if answer[row] >= 0 else None for row in rows),
            found=answer[rows] >= 0,
            images=np.zeros(len(rows), int),
            unmatched=np.array([len(match.unmatched)]),
            detections=BoxSamples.of_image(labels.boxes, ~kept, hands.boxes, _scores(hands)),
            poses=poses,
            joint_scores=scores[rows],
            labelled_3d={} if labels.xyz_cam is None else {"xyz_cam": labels.xyz_cam[rows]},
            predicted_3d=_image_space(hands, match, len(labels), rows) if isinstance(hands, Hands) else {},
        )

    @classmethod
    def of_negatives(cls, predictions: Sequence[Sized], joints: int = 21) -> HandSamples:
        """Images known to show no hand: no row, and every predicted hand is unmatched."""
        return cls(
            labels=np.zeros((0, joints, 2)),
            visible=np.zeros((0, joints), np.uint8),
            boxes=np.zeros((0, 4)),
            sides=(),
            predicted=np.zeros((0, joints, 2)),
            predicted_sides=(),
            found=np.zeros(0, bool),
            images=np.zeros(0, int),
            unmatched=np.array([len(hands) for hands in predictions], int),
        )

    @classmethod
    def of_masks(cls, pixels: Array, joints: int = 21) -> HandSamples:
        """Images of which only masks are predicted: no row, and the (I, 2) pixels of their `masks`."""
        return replace(cls.of_negatives([()] * len(pixels), joints), masks=pixels)

    @classmethod
    def of_gestures(cls, gestures: GestureSamples) -> HandSamples:
        """N hands of which the gesture alone is asked: a row for each, of no joints."""
        count = len(gestures)
        return cls(
            labels=np.zeros((count, 0, 2)),
            visible=np.zeros((count, 0), np.uint8),
            boxes=np.zeros((count, 4)),
            sides=(None,) * count,
            predicted=np.zeros((count, 0, 2)),
            predicted_sides=(None,) * count,
            found=np.ones(count, bool),
            images=np.arange(count),
            unmatched=np.zeros(count, int),
            gestures=gestures,
        )

    @classmethod
    def concatenate(cls, parts: Sequence[HandSamples], joints: int = 21) -> HandSamples:
        """Parts with images of their own, one after the other; none gives no rows."""
        parts = parts or [cls.of_negatives([], joints)]
        columns: dict[str, Any] = {}
        for name in (*_ARRAYS, "unmatched", "joint_scores"):
            columns[name] = np.concatenate([getattr(part, name) for part in parts])
        for name in _SPATIAL:
            columns[name] = _joined([getattr(part, name) for part in parts], [part.visible.shape for part in parts])
        first = np.cumsum([0, *(len(part.unmatched) for part in parts)])
        columns["images"] = np.concatenate(
            [part.images + start for part, start in zip(parts, first[:-1], strict=True)]
        ).astype(int)
        boxes = [part.detections for part in parts if part.detections is not None]
        if len(boxes) == len(parts):
            columns["detections"] = BoxSamples.concatenate(boxes)
        poses = [part.poses for part in parts if part.poses is not None]
        if len(poses) == len(parts):
            columns["poses"] = PoseSamples.concatenate(poses)
        masks = [part.masks for part in parts if part.masks is not None]
        if len(masks) == len(parts):
            columns["masks"] = np.concatenate(masks)
        gestures = [part.gestures for part in parts if part.gestures is not None]
        if len(gestures) == len(parts):
            columns["gestures"] = GestureSamples.concatenate(gestures)
        presences = [part.presence for part in parts if part.presence is not None]
        if len(presences) == len(parts):
            columns["presence"] = PresenceSamples.concatenate(presences, first[:-1].tolist())
        for name in _SIDES:
            columns[name] = tuple(side for part in parts for side in getattr(part, name))
        return cls(**columns)


def _scores(hands: Hands | Detections) -> Array:
    return hands.box_scores if isinstance(hands, Hands) else hands.scores


def _image_space(hands: Hands, match: Match, labels: int, rows: Array) -> dict[str, Array]:
    """The columns of the hands' joints in space for the `rows` of so many labels of one image."""
    columns = {}
    for name in ("xyz_root", "xyz_cam"):
        if (joints := getattr(hands, name)) is not None:
            column = np.full((labels, *joints.shape[1:]), np.nan)
            column[match.labels] = joints[match.predictions]
            columns[name] = column[rows]
    if "xyz_root" in columns:
        bone = bone_length(columns["xyz_root"])[:, None, None]
        columns["xyz_bone"] = columns["xyz_root"] / np.where(bone > 0, bone, np.nan)
    return columns


def _image_poses(labels: HandLabels, hands: Hands, ignored: Array) -> PoseSamples:
    """The joints of one image."""
    return PoseSamples(
        labels=labels.keypoints,
        visible=labels.visible,
        boxes=labels.boxes,
        ignored=ignored,
        label_images=np.zeros(len(labels), int),
        predicted=hands.keypoints,
        scores=hands.box_scores * hands.scores.mean(-1),
        predicted_images=np.zeros(len(hands), int),
        images=1,
    )


def _in_frame(columns: Mapping[str, Array], frame: str) -> Array | None:
    """The column of a frame, or the camera's relative to the wrist; None where there is neither."""
    if frame == "xyz_root" and frame not in columns and "xyz_cam" in columns:
        moved: Array = columns["xyz_cam"] - columns["xyz_cam"][:, :1]
        return moved
    return columns.get(frame)


def _joined(parts: Sequence[Mapping[str, Array]], shapes: Sequence[tuple[int, int]]) -> dict[str, Array]:
    """Columns in space one after the other; NaN in a part that lacks one."""
    names = sorted({name for part in parts for name in part})
    return {
        name: np.concatenate(
            [part.get(name, np.full((*shape, 3), np.nan)) for part, shape in zip(parts, shapes, strict=True)]
        )
        for name in names
    }


_SPATIAL = ("labelled_3d", "predicted_3d")
_ARRAYS = ("labels", "visible", "boxes", "predicted", "found", "images")
_SIDES = ("sides", "predicted_sides")
_COLUMNS = (*_ARRAYS, *_SIDES)


class Metric(ABC):
    """A registered metric: built from its own arguments, it reduces samples to named numbers."""

    #: Whether it is about joints in space.
    spatial: ClassVar[bool] = False
    #: What a reader must know of a number by its name, one line each.
    notes: ClassVar[Mapping[str, str]] = MappingProxyType({})

    def compute(self, samples: HandSamples) -> dict[str, float]:
        """Names with values; NaN where there is nothing to measure."""
        once = np.ones((1, len(samples.unmatched)))
        return {name: float(values[0]) for name, values in self.resampled(samples, once).items()}

    def details(self, samples: HandSamples) -> list[str]:
        """Lines that stand below the numbers, e.g. what each gesture was taken for."""
        return []

    @abstractmethod
    def resampled(self, samples: HandSamples, times: Array) -> dict[str, Array]:
        """The values of resampled sets of images.

        Args:
            samples: the hands of I images.
            times: (B, I) how many times each image is taken in each of B sets.

        Returns:
            Names with (B,) values.
        """
