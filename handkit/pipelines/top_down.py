"""Images -> boxes -> crops -> one batch -> joints -> `Hands`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from handkit.detections import Detections
from handkit.detectors.base import Detector
from handkit.errors import ConfigError
from handkit.geometry import hand_box, inverse_crops, turn_xyz, upright_turns
from handkit.hands import Hands, Side
from handkit.pipelines.duplicates import distinct_poses
from handkit.runtime.base import Net
from handkit.skeleton import HAND, Skeleton
from handkit.transforms import ImageTransform, Sample

Array = NDArray[Any]
#: The columns of a sample that go into the batch beside `img`.
_COLUMNS = ("box", "box_score", "rotation", "image_size")


@dataclass(frozen=True, eq=False)
class Candidates:
    """What was looked at in one image, before anything is dropped.

    Args:
        image_size: (width, height) in pixels.
        boxes: M of them.
        outputs: M rows of what the net says, by name; joints in image pixels, and `angles`, the turns of the crops.
    """

    image_size: tuple[int, int]
    boxes: Detections
    outputs: Mapping[str, Array]

    def __getitem__(self, rows: Any) -> Candidates:
        """Those that a slice, a mask or an array of indices picks."""
        return Candidates(self.image_size, self.boxes[rows], {key: value[rows] for key, value in self.outputs.items()})


@dataclass(frozen=True)
class TopDown:
    """Finds hands, cuts each out, and puts its joints back into the image.

    Args:
        detector: answers where hands may be.
        crop_transforms: the image transforms behind `LoadImage`, for one hand each.
        net: batch of crops -> ``keypoints`` (M, K, 2) in crop pixels, ``scores`` (M, K), and where the model knows
            ``presence`` (M,), ``handedness`` (M,) as the probability of a right hand, ``xyz_root`` (M, K, 3).
        retry_detector: looks again where no hand of the detector's passed the gates; None leaves those images empty.
        presence_threshold: detected crops below it are dropped; None for a model without presence.
        pose_nms: of two detected hands whose joints are nearer than this the weaker is dropped, see
            `handkit.pipelines.duplicates.distinct_poses`; None for all.
        max_hands: most hands per image, the best kept; None for all.
        given_rotations: in how many turns a given box is tried to find its hand's upright; 1 for a model that does not
            mind rotation.
        batch_size: crops per run of the net.
        skeleton: the joints the net answers.
        spatial: the net gives `xyz_root`, so that images without a hand have it too, (0, K, 3).
    """

    detector: Detector
    crop_transforms: Sequence[ImageTransform]
    net: Net
    retry_detector: Detector | None = None
    presence_threshold: float | None = None
    pose_nms: float | None = None
    max_hands: int | None = None
    given_rotations: int = 1
    batch_size: int = 8
    skeleton: Skeleton = HAND
    spatial: bool = False

    def __call__(self, images: Sequence[Sample], given: Sequence[Detections | None]) -> list[Hands]:
        """Answers images in order.

        Args:
            images: samples with `img` and `image_size`.
            given: per image the caller's boxes, or None where the detector is to look.
        """
        hands = self._answer(images, given)
        empty = [
            row for row, (one, boxes) in enumerate(zip(hands, given, strict=True)) if boxes is None and not len(one)
        ]
        if self.retry_detector is not None and empty:
            again = replace(self, detector=self.retry_detector, retry_detector=None)
            for row, one in zip(empty, again([images[row] for row in empty], [None] * len(empty)), strict=True):
                hands[row] = one
        return hands

    def _answer(self, images: Sequence[Sample], given: Sequence[Detections | None]) -> list[Hands]:
        """One pass: boxes of the detector or the caller -> hands."""
        looked = self.candidates(images, given)
        return [
            self.found(one) if asked is None else self._hands(one, asked)
            for one, asked in zip(looked, given, strict=True)
        ]

    def candidates(self, images: Sequence[Sample], given: Sequence[Detections | None]) -> list[Candidates]:
        """Looks at every box of the detector or the caller; see `__call__`. `retry_detector` is not asked."""
        unknown = [index for index, boxes in enumerate(given) if boxes is None]
        found = dict(zip(unknown, self._detect([images[index]["img"] for index in unknown]), strict=True))
        turned = self._turned(images, given) if self.given_rotations > 1 else given
        detections = [found[index] if boxes is None else boxes for index, boxes in enumerate(turned)]
        pairs = list(zip(images, detections, strict=True))
        outputs = self._run([crop for image, boxes in pairs for crop in self._crops(image, boxes)])
        ends = np.cumsum([0, *map(len, detections)])
        return [
            Candidates(image["image_size"], boxes, {key: value[first:last] for key, value in outputs.items()})
            for (image, boxes), first, last in zip(pairs, ends[:-1], ends[1:], strict=True)
        ]

    def _detect(self, images: list[Array]) -> list[Detections]:
        return self.detector.detect(images) if images else []

    def _turned(self, images: Sequence[Sample], given: Sequence[Detections | None]) -> list[Detections | None]:
        """The caller's boxes with the turn in which their hands stand upright.

        Of `given_rotations` turns the one of best presence counts; where its joints point tells the turn exactly.
        """
        turns = np.arange(self.given_rotations) * 2 * np.pi / self.given_rotations
        crops = [
            crop
            for image, boxes in zip(images, given, strict=True)
            if boxes is not None
            for row in np.repeat(np.arange(len(boxes)), len(turns)).reshape(-1, len(turns))
            for crop in self._crops(image, Detections(boxes.boxes[row], boxes.scores[row], turns))
        ]
        outputs = self._run(crops)
        if crops and "presence" not in outputs:
            raise ConfigError("given_rotations needs a model that gives a presence to choose the best turn by")
        directions = _best_directions(outputs, len(turns), self.skeleton) if crops else np.zeros(0)
        turned: list[Detections | None] = []
        for boxes in given:
            count = 0 if boxes is None else len(boxes)
            mine, directions = directions[:count], directions[count:]
            turned.append(None if boxes is None else Detections(boxes.boxes, boxes.scores, mine))
        return turned

    def _crops(self, image: Sample, boxes: Detections) -> list[Sample]:
        """The transformed sample of every box."""
        rotations = np.zeros(len(boxes)) if boxes.rotations is None else boxes.rotations
        crops = []
        for box, score, rotation in zip(boxes.boxes, boxes.scores, rotations, strict=True):
            sample = {**image, "box": box, "box_score": score, "rotation": rotation}
            for transform in self.crop_transforms:
                sample = transform(sample)
            crops.append(sample)
        return crops

    def _run(self, crops: list[Sample]) -> dict[str, Array]:
        """Runs the net over all crops; joints in image pixels, and the `angles` by which the crops were turned."""
        parts = []
        for start in range(0, len(crops), self.batch_size):
            part = crops[start : start + self.batch_size]
            outputs = self.net({key: np.stack([sample[key] for sample in part]) for key in ("img", *_COLUMNS)})
            points = inverse_crops([sample["crop"] for sample in part], outputs["keypoints"])
            angles = np.array([sample["rotation"] for sample in part])
            parts.append({**outputs, "keypoints": points, "angles": angles})
        return {key: np.concatenate([part[key] for part in parts]) for key in parts[0]} if parts else {}

    def found(self, looked: Candidates) -> Hands:
        """The candidates of a detector that pass the gates, best first."""
        hands, presence = self._hands(looked), looked.outputs.get("presence")
        keep = np.arange(len(hands))
        if self.presence_threshold is not None and len(keep):
            if presence is None:
                raise ConfigError("presence_threshold is set, but the model gives no presence; leave it out")
            keep = keep[presence >= self.presence_threshold]
        keep = keep[np.argsort(-hands.box_scores[keep], kind="stable")]
        if self.pose_nms is not None:
            keep = keep[distinct_poses(hands.keypoints[keep], self.pose_nms)]
        best_first: Hands = hands[keep[: self.max_hands]]
        return best_first if len(best_first) else self._none(looked)

    def _none(self, looked: Candidates) -> Hands:
        """No hand, the same whether nothing was looked at or nothing passed the gates."""
        none, masks = Hands.empty(looked.image_size, self.skeleton, self.spatial), looked.boxes.masks
        return none if masks is None else replace(none, masks=masks[:0])

    def _hands(self, looked: Candidates, asked: Detections | None = None) -> Hands:
        """All candidates; row i is the caller's box i where the caller asked."""
        boxes, rows, size = looked.boxes, looked.outputs, looked.image_size
        if len(boxes) == 0:
            return self._none(looked)
        presence, right, xyz = (rows.get(name) for name in ("presence", "handedness", "xyz_root"))
        box_scores = boxes.scores if presence is None else presence
        shown = hand_box(rows["keypoints"], size) if boxes.rotations is not None else boxes.boxes
        sides: tuple[Side | None, ...] = (None,) * len(boxes)
        if right is not None:
            sides = tuple("right" if probability >= 0.5 else "left" for probability in right)
        known = {"keypoints", "scores", "presence", "handedness", "xyz_root", "angles"}
        extras = {key: value for key, value in rows.items() if key not in known}
        if "xyz_bone" in extras:
            extras["xyz_bone"] = turn_xyz(extras["xyz_bone"], rows["angles"])
        return Hands(
            keypoints=rows["keypoints"],
            scores=np.minimum(rows["scores"], box_scores[:, None]) if "presence" in rows else rows["scores"],
            boxes=shown if asked is None else asked.boxes,
            box_scores=box_scores,
            handedness=sides,
            handedness_scores=np.zeros(len(boxes)) if right is None else np.maximum(right, 1 - right),
            image_size=size,
            skeleton=self.skeleton,
            xyz_root=None if xyz is None else turn_xyz(xyz, rows["angles"]),
            masks=boxes.masks,
            extras=extras,
        )


def _best_directions(outputs: dict[str, Array], turns: int, skeleton: Skeleton) -> Array:
    """Outputs of N boxes, each in `turns` turns -> (N,) radians by which their hands are turned, clockwise."""
    best = outputs["presence"].reshape(-1, turns).argmax(1)
    points = outputs["keypoints"].reshape(len(best), turns, -1, 2)[np.arange(len(best)), best]
    tail, head = skeleton.upright
    return upright_turns(points[:, tail], points[:, head])
