"""What handkit returns: all hands of one image, typed and checked."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from handkit.errors import DataError
from handkit.geometry import box_area, hand_box, mirror_boxes, mirror_points
from handkit.masks import checked_masks, run_lengths
from handkit.skeleton import HAND, Skeleton

Array = NDArray[Any]
Side = Literal["left", "right"]
_OTHER: dict[Side | None, Side | None] = {"left": "right", "right": "left", None: None}


def other_side(side: Side | None) -> Side | None:
    """The side a hand has in the mirrored image; None stays None."""
    return _OTHER[side]


@dataclass(frozen=True, eq=False)
class Hands:
    """N hands of one image, best first unless the caller gave the boxes. Arrays are float32, masks bool, and read-only.

    Args:
        keypoints: (N, K, 2) joints, (x, y) in pixels of the original image, integers at pixel centres.
        scores: (N, K) per joint, in [0, 1].
        boxes: (N, 4) xyxy in pixels of the original image.
        box_scores: (N,) that there is a hand, in [0, 1].
        handedness: per hand the person's own side, 'left' or 'right', or None where the model does not know.
        handedness_scores: (N,) that `handedness` is right, in [0, 1]; 0 where it is None.
        image_size: (width, height) of the original image.
        skeleton: names and bones of the K joints.
        xyz_root: (N, K, 3) metres relative to the wrist, x right, y down, z away from the camera, or None. They are
            those of a mean hand, since no single picture tells how large a hand is: handkit's heads take the
            forefinger's proximal bone for 32 mm.
        xyz_cam: (N, K, 3) metres in the camera's frame, or None.
        gestures: per hand what it does, or None where no gesture is certain enough; None: nobody asked.
        gesture_scores: (N,) probability of the likeliest gesture, in [0, 1], or None.
        track_ids: (N,) the same hand has the same number from frame to frame, or None.
        masks: (N, H, W) bool, which pixels of the original image show each, or None where the detector tells none.
        extras: further columns of N rows: what the model gives beyond these fields, e.g. ``xyz_bone``, (N, K, 3) as
            `xyz_root` but in lengths of the forefinger's proximal bone, and what the config's `PoseCollect` collected,
            e.g. ``rotation``.

    Raises:
        DataError: shapes that disagree, scores outside [0, 1], or values that are not finite.
    """

    keypoints: Array
    scores: Array
    boxes: Array
    box_scores: Array
    handedness: tuple[Side | None, ...]
    handedness_scores: Array
    image_size: tuple[int, int]
    skeleton: Skeleton = HAND
    xyz_root: Array | None = None
    xyz_cam: Array | None = None
    gestures: tuple[str | None, ...] | None = None
    gesture_scores: Array | None = None
    track_ids: Array | None = None
    masks: Array | None = None
    extras: Mapping[str, Array] = field(default_factory=dict)

    def __post_init__(self) -> None:
        count, joints = len(self.boxes), len(self.skeleton)
        shapes = {
            "keypoints": (count, joints, 2),
            "scores": (count, joints),
            "boxes": (count, 4),
            "box_scores": (count,),
            "handedness_scores": (count,),
            "gesture_scores": (count,),
            "xyz_root": (count, joints, 3),
            "xyz_cam": (count, joints, 3),
        }
        for name, shape in shapes.items():
            value = getattr(self, name)
            if value is not None:
                self._store(name, np.array(value, np.float32), shape)
        for name in ("scores", "box_scores", "handedness_scores", "gesture_scores"):
            value = getattr(self, name)
            if value is not None and value.size and not (value.min() >= 0 and value.max() <= 1):
                raise DataError(f"Hands.{name} must lie in [0, 1], got {value.min()} to {value.max()}")
        if self.track_ids is not None:
            self._store("track_ids", np.array(self.track_ids, np.int64), (count,))
        if self.masks is not None:
            object.__setattr__(self, "masks", checked_masks(self.masks, count, self.image_size, "Hands.masks"))
        object.__setattr__(self, "handedness", tuple(self.handedness))
        if len(self.handedness) != count or not set(self.handedness) <= set(_OTHER):
            raise DataError(f"Hands.handedness needs {count} of 'left', 'right' or None, got {self.handedness}")
        if self.gestures is not None:
            object.__setattr__(self, "gestures", tuple(self.gestures))
            if len(self.gestures) != count:
                raise DataError(f"Hands.gestures needs {count} names or None, got {self.gestures}")
        object.__setattr__(self, "extras", {name: self._column(name, count) for name in self.extras})

    def _store(self, name: str, value: Array, shape: tuple[int, ...]) -> None:
        if value.shape != shape:
            raise DataError(f"Hands.{name} must have the shape {shape}, got {value.shape}")
        if not np.isfinite(value).all():
            raise DataError(f"Hands.{name} holds values that are not finite")
        value.setflags(write=False)
        object.__setattr__(self, name, value)

    def _column(self, name: str, count: int) -> Array:
        column = np.array(self.extras[name])
        if column.shape[:1] != (count,):
            raise DataError(f"Hands.extras[{name!r}] needs {count} rows, got the shape {column.shape}")
        column.setflags(write=False)
        return column

    @classmethod
    def empty(cls, image_size: tuple[int, int], skeleton: Skeleton = HAND, spatial: bool = False) -> Hands:
        """No hand.

        Args:
            image_size: (width, height).
            skeleton: the K joints that a hand would have.
            spatial: a hand would have `xyz_root`, so that it is (0, K, 3) in place of None.
        """
        joints = len(skeleton)
        return cls(
            keypoints=np.zeros((0, joints, 2)),
            scores=np.zeros((0, joints)),
            boxes=np.zeros((0, 4)),
            box_scores=np.zeros(0),
            handedness=(),
            handedness_scores=np.zeros(0),
            image_size=image_size,
            skeleton=skeleton,
            xyz_root=np.zeros((0, joints, 3)) if spatial else None,
        )

    @classmethod
    def of_joints(
        cls,
        keypoints: Array,
        scores: Array,
        hand_scores: Array,
        image_size: tuple[int, int],
        skeleton: Skeleton = HAND,
    ) -> Hands:
        """Hands that were found by their joints, without a box, the best first.

        A hand's box is handkit's hand box of its joints; hands that score 0, or whose box lies outside the image, are
        none.

        Args:
            keypoints: (N, K, 2) in pixels of the image.
            scores: (N, K) in [0, 1].
            hand_scores: (N,) in [0, 1], as `HandOffsets.decode` gives them.
            image_size: (width, height).
            skeleton: names and bones of the K joints.
        """
        boxes = hand_box(keypoints, image_size)
        order = np.argsort(-hand_scores, kind="stable")
        kept = order[((hand_scores > 0) & (box_area(boxes) > 0))[order]]
        return cls(
            keypoints=keypoints[kept],
            scores=scores[kept],
            boxes=boxes[kept],
            box_scores=hand_scores[kept],
            handedness=(None,) * len(kept),
            handedness_scores=np.zeros(len(kept)),
            image_size=image_size,
            skeleton=skeleton,
        )

    def __len__(self) -> int:
        return len(self.boxes)

    def __iter__(self) -> Iterator[Hands]:
        """One `Hands` of length 1 per hand."""
        return (self[index] for index in range(len(self)))

    def __getitem__(self, key: Any) -> Any:
        """``hands[i]``, a slice, a mask or indices give `Hands`; a name gives ModelScope's array.

        ``hands['keypoints']`` is (N, K, 3) with (x, y, score), ``hands['boxes']`` (N, 4); any other field by its name.
        """
        if isinstance(key, str):
            if key == "keypoints":
                return np.concatenate([self.keypoints, self.scores[..., None]], -1)
            if key not in self.keys():
                raise KeyError(f"{key!r}; known: {', '.join(self.keys())}")
            return getattr(self, key)
        index = np.arange(len(self))[key]
        rows = np.atleast_1d(index)
        columns: dict[str, Any] = {}
        for item in fields(self):
            value = getattr(self, item.name)
            if isinstance(value, tuple) and item.name in ("handedness", "gestures"):
                value = tuple(value[row] for row in rows)
            elif item.name == "extras":
                value = {name: column[rows] for name, column in value.items()}
            elif isinstance(value, np.ndarray):
                value = value[rows]
            columns[item.name] = value
        return Hands(**columns)

    def keys(self) -> tuple[str, ...]:
        """The names that `hands[name]` answers."""
        return tuple(item.name for item in fields(self))

    def mirrored(self, swap_sides: bool = True) -> Hands:
        """The same hands in the mirrored image: x becomes W - 1 - x; the joint order stays.

        Of `extras` ``xyz_bone`` and the crops' ``box`` and ``rotation`` are mirrored; all others stay what they are.

        Args:
            swap_sides: True where the mirrored image is taken for an ordinary photograph, as in training; False where
                it is known to be mirrored and the sides are to stay the person's own.
        """
        width = self.image_size[0]
        columns = {name: getattr(self, name) for name in self.keys()}
        columns["keypoints"] = mirror_points(self.keypoints, width)
        columns["boxes"] = mirror_boxes(self.boxes, width)
        if swap_sides:
            columns["handedness"] = tuple(other_side(side) for side in self.handedness)
        for name in ("xyz_root", "xyz_cam"):
            if columns[name] is not None:
                columns[name] = columns[name] * np.array([-1, 1, 1], np.float32)
        if self.masks is not None:
            columns["masks"] = self.masks[..., ::-1]
        extras = dict(self.extras)
        if "xyz_bone" in extras:
            extras["xyz_bone"] = extras["xyz_bone"] * np.array([-1, 1, 1], np.float32)
        if "box" in extras:
            extras["box"] = mirror_boxes(extras["box"], width)
        if "rotation" in extras:
            extras["rotation"] = -extras["rotation"]
        columns["extras"] = extras
        return Hands(**columns)

    def to_dict(self) -> dict[str, Any]:
        """Plain lists under ModelScope's keys ``keypoints`` (N x K x [x, y, score]) and ``boxes``, and under ours.

        Masks are COCO's compressed run lengths.
        """
        out: dict[str, Any] = {"keypoints": self["keypoints"].tolist(), "boxes": self.boxes.tolist()}
        out["box_scores"] = self.box_scores.tolist()
        out["handedness"] = list(self.handedness)
        out["handedness_scores"] = self.handedness_scores.tolist()
        if self.gestures is not None:
            out["gestures"] = list(self.gestures)
        for name in ("gesture_scores", "xyz_root", "xyz_cam", "track_ids"):
            value = getattr(self, name)
            if value is not None:
                out[name] = value.tolist()
        if self.masks is not None:
            out["masks"] = run_lengths(self.masks)
        if self.extras:
            out["extras"] = {name: column.tolist() for name, column in self.extras.items()}
        out["image_size"] = list(self.image_size)
        out["skeleton"] = self.skeleton.name
        return out

    def to_json(self) -> str:
        """`to_dict` as one line of JSON."""
        return json.dumps(self.to_dict())

    def to_coco(self, image_id: int, category_id: int = 1) -> list[dict[str, Any]]:
        """COCO's result format, one dict per hand: flat keypoints (x, y, score), bbox xywh, score, and `hand_side`."""
        return [
            {
                "image_id": image_id,
                "category_id": category_id,
                "keypoints": row["keypoints"][0].reshape(-1).tolist(),
                "bbox": [*row.boxes[0, :2].tolist(), *(row.boxes[0, 2:] - row.boxes[0, :2]).tolist()],
                "score": float(row.box_scores[0]),
                "hand_side": row.handedness[0],
            }
            for row in self
        ]
