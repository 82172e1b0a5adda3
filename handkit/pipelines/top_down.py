"""Images -> boxes -> crops -> one batch -> joints -> `Hands`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from handkit.detections import Detections
from handkit.detectors.base import Detector
from handkit.errors import ConfigError
from handkit.geometry import hand_box, inverse_crops
from handkit.hands import Hands, Side
from handkit.runtime.base import Net
from handkit.skeleton import HAND, Skeleton
from handkit.transforms import ImageTransform, Sample

Array = NDArray[Any]
#: The columns of a sample that go into the batch beside `img`.
_COLUMNS = ("box", "box_score", "rotation", "image_size")


@dataclass(frozen=True)
class TopDown:
    """Finds hands, cuts each out, and puts its joints back into the image.

    Args:
        detector: answers where hands may be.
        crop_transforms: the image transforms behind `LoadImage`, for one hand each.
        net: batch of crops -> ``keypoints`` (M, K, 2) in crop pixels, ``scores`` (M, K), and where the model knows
            ``presence`` (M,), ``handedness`` (M,) as the probability of a right hand, ``xyz_root`` (M, K, 3).
        presence_threshold: detected crops below it are dropped; None for a model without presence.
        max_hands: most hands per image, the best kept; None for all.
        given_rotations: how many turns of a given box are tried, the best presence kept; 1 for a model that does not
            mind rotation.
        batch_size: crops per run of the net.
        skeleton: the joints the net answers.
    """

    detector: Detector
    crop_transforms: Sequence[ImageTransform]
    net: Net
    presence_threshold: float | None = None
    max_hands: int | None = None
    given_rotations: int = 1
    batch_size: int = 8
    skeleton: Skeleton = HAND

    def __call__(self, images: Sequence[Sample], given: Sequence[Detections | None]) -> list[Hands]:
        """Answers images in order.

        Args:
            images: samples with `img` and `image_size`.
            given: per image the caller's boxes, or None where the detector is to look.
        """
        unknown = [index for index, boxes in enumerate(given) if boxes is None]
        found = dict(zip(unknown, self._detect([images[index]["img"] for index in unknown]), strict=True))
        detections = [found[index] if boxes is None else boxes for index, boxes in enumerate(given)]
        turns = [1 if boxes is None else self.given_rotations for boxes in given]
        crops = [
            crop
            for image, boxes, turn in zip(images, detections, turns, strict=True)
            for crop in self._crops(image, boxes, turn)
        ]
        outputs = self._run(crops)
        hands, first = [], 0
        for image, boxes, turn, asked in zip(images, detections, turns, given, strict=True):
            rows = np.arange(first, first + len(boxes) * turn).reshape(len(boxes), turn)
            first += rows.size
            best = _best_turn(rows, outputs)
            hands.append(self._assemble(image, boxes, {key: value[best] for key, value in outputs.items()}, asked))
        return hands

    def _detect(self, images: list[Array]) -> list[Detections]:
        return self.detector.detect(images) if images else []

    def _crops(self, image: Sample, boxes: Detections, turns: int) -> list[Sample]:
        """The transformed sample of every box in every turn, box by box."""
        rotations = np.zeros(len(boxes)) if boxes.rotations is None else boxes.rotations
        crops = []
        for box, score, rotation in zip(boxes.boxes, boxes.scores, rotations, strict=True):
            for turn in range(turns):
                sample = {**image, "box": box, "box_score": score, "rotation": rotation + 2 * np.pi * turn / turns}
                for transform in self.crop_transforms:
                    sample = transform(sample)
                crops.append(sample)
        return crops

    def _run(self, crops: list[Sample]) -> dict[str, Array]:
        """Runs the net over all crops, and adds `points`: the joints in image pixels."""
        parts = []
        for start in range(0, len(crops), self.batch_size):
            part = crops[start : start + self.batch_size]
            outputs = self.net({key: np.stack([sample[key] for sample in part]) for key in ("img", *_COLUMNS)})
            points = inverse_crops([sample["crop"] for sample in part], outputs["keypoints"])
            angles = np.array([sample["rotation"] for sample in part])
            parts.append({**outputs, "keypoints": points, "angles": angles})
        return {key: np.concatenate([part[key] for part in parts]) for key in parts[0]} if parts else {}

    def _assemble(self, image: Sample, boxes: Detections, rows: dict[str, Array], asked: Detections | None) -> Hands:
        """Gates, sorts and limits what was detected; keeps row i for box i where the caller asked."""
        size = image["image_size"]
        if len(boxes) == 0:
            return Hands.empty(size, self.skeleton)
        presence = rows.get("presence")
        hands = self._hands(size, boxes, rows, boxes.scores if presence is None else presence)
        if asked is not None:
            return hands
        keep = np.arange(len(hands))
        if self.presence_threshold is not None:
            if presence is None:
                raise ConfigError("presence_threshold is set, but the model gives no presence; leave it out")
            keep = keep[presence >= self.presence_threshold]
        best_first: Hands = hands[keep[np.argsort(-hands.box_scores[keep], kind="stable")][: self.max_hands]]
        return best_first

    def _hands(self, size: tuple[int, int], boxes: Detections, rows: dict[str, Array], box_scores: Array) -> Hands:
        points = rows["keypoints"]
        right = rows.get("handedness")
        xyz = rows.get("xyz_root")
        sides: tuple[Side | None, ...] = (None,) * len(boxes)
        if right is not None:
            sides = tuple("right" if probability >= 0.5 else "left" for probability in right)
        known = {"keypoints", "scores", "presence", "handedness", "xyz_root", "angles"}
        return Hands(
            keypoints=points,
            scores=np.minimum(rows["scores"], box_scores[:, None]) if "presence" in rows else rows["scores"],
            boxes=boxes.boxes if boxes.rotations is None else hand_box(points, size),
            box_scores=box_scores,
            handedness=sides,
            handedness_scores=np.zeros(len(boxes)) if right is None else np.maximum(right, 1 - right),
            image_size=size,
            skeleton=self.skeleton,
            xyz_root=None if xyz is None else turn_xyz(xyz, rows["angles"]),
            extras={key: value for key, value in rows.items() if key not in known},
        )


def _best_turn(rows: Array, outputs: dict[str, Array]) -> Array:
    """(N, T) rows of the outputs -> (N,) the row of each box's best presence."""
    if rows.shape[1] == 1 or not len(rows):
        return rows.reshape(-1)
    if "presence" not in outputs:
        raise ConfigError("given_rotations needs a model that gives a presence to choose the best turn by")
    best: Array = rows[np.arange(len(rows)), outputs["presence"][rows].argmax(1)]
    return best


def turn_xyz(xyz: Array, angles: Array) -> Array:
    """(N, K, 3) in the frames of crops turned by (N,) radians clockwise -> the frame of the image."""
    cos, sin = np.cos(angles)[:, None], np.sin(angles)[:, None]
    x, y, z = np.moveaxis(xyz, -1, 0)
    return np.stack([x * cos - y * sin, x * sin + y * cos, z], -1)
