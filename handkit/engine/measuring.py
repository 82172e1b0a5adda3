"""From a batch of joints in crops, or of boxes or hands in whole images, to the config's metrics, in image pixels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.evaluator import Evaluator
from numpy.typing import NDArray

from handkit.datasets.labels import HandLabels
from handkit.detections import Detections
from handkit.engine.processes import ALONE, Processes
from handkit.errors import ConfigError, DataError
from handkit.geometry import inverse_crops, turn_xyz
from handkit.hands import Hands, Side
from handkit.metrics.gesture_samples import GestureSamples
from handkit.metrics.masks import mask_pixels
from handkit.metrics.matching import match_hands
from handkit.metrics.pose_samples import PoseSamples
from handkit.metrics.presence_samples import PresenceSamples
from handkit.metrics.samples import FRAMES, HandSamples, Metric
from handkit.metrics.scores import Scores, score
from handkit.registry.pairing import is_bottom_up
from handkit.registry.validate import measures_boxes, measures_gestures, measures_masks


class HandEvaluator(Evaluator):
    """mmengine's evaluator for handkit's metrics.

    Args:
        metrics: what is measured.
        processes: of which each gives its batches of `measuring_loader`.
    """

    def __init__(self, metrics: Sequence[Metric], processes: Processes = ALONE) -> None:
        super().__init__([])
        self.measures = tuple(metrics)
        self._processes = processes
        self._parts: list[tuple[int, tuple[HandSamples, list[str]]]] = []

    def process(self, data_samples: Sequence[Mapping[str, Any]], data_batch: Any = None) -> None:
        """Takes the answer of `TrainingModule.val_step` to a batch of `measuring_loader`."""
        number = self._processes.rank + len(self._parts) * self._processes.size
        self._parts.append((number, (self.samples(data_samples[0], data_batch), data_batch["image"])))

    def samples(self, outputs: Mapping[str, NDArray[Any]], batch: Mapping[str, Any]) -> HandSamples:
        """The outputs for a batch of `measuring_loader`, beside its labels."""
        raise NotImplementedError

    def evaluate(self, size: int) -> dict[str, float]:
        """All numbers of all metrics by name; the next measurement begins anew."""
        return dict(self.scores().values)

    def scores(self, bootstrap: int = 0) -> Scores:
        """The same with so many resampled sets' intervals, which take the hands of one photograph together."""
        return self.scored(self.gathered(), bootstrap)

    def scored(self, samples: HandSamples | None, bootstrap: int = 0) -> Scores:
        """What the metrics say of what `gathered` gives; the same on all processes."""
        own = Scores({}) if samples is None else score(self.measures, samples, bootstrap)
        return self._processes.from_first(own)

    def gathered(self) -> HandSamples | None:
        """All samples, the hands of one photograph together, on process 0; the next measurement begins anew."""
        own, self._parts = self._parts, []
        parts = self._processes.in_order(own)
        if not self._processes.first:
            return None
        samples = HandSamples.concatenate([part for part, _ in parts])
        names = [name for _, images in parts for name in images]
        if samples.detections is None and samples.masks is None:
            samples = samples.grouped(np.unique(names, return_inverse=True)[1])
        return samples


class CropEvaluator(HandEvaluator):
    """Joints of hands that were cut by their labelled boxes, so that none is missed."""

    def samples(self, outputs: Mapping[str, NDArray[Any]], batch: Mapping[str, Any]) -> HandSamples:
        """See `crop_samples`."""
        return crop_samples(outputs, batch["crop"], batch["labels"])


class BoxEvaluator(HandEvaluator):
    """Boxes of hands in whole images."""

    def samples(self, outputs: Mapping[str, NDArray[Any]], batch: Mapping[str, Any]) -> HandSamples:
        """See `box_samples`."""
        height, width = batch["img"].shape[1:3]
        return box_samples(outputs, batch["labels"], (width, height))


class ImageEvaluator(HandEvaluator):
    """Joints of all hands of whole images."""

    def samples(self, outputs: Mapping[str, NDArray[Any]], batch: Mapping[str, Any]) -> HandSamples:
        """See `image_samples`."""
        return image_samples(outputs, batch["crop"], batch["labels"])


class MaskEvaluator(HandEvaluator):
    """Which pixels of whole images show a hand, at the size that the network sees."""

    def samples(self, outputs: Mapping[str, NDArray[Any]], batch: Mapping[str, Any]) -> HandSamples:
        """The masks of a batch, whose ``mask`` (N, H, W) went through the transforms with the images.

        Raises:
            ConfigError: a model that answers no masks.
            DataError: samples without masks, or with masks of another size.
        """
        if "mask" not in outputs:
            raise ConfigError(f"the model answers {sorted(outputs)}, but masks are measured: give it a MaskHead")
        if "mask" not in batch:
            raise DataError("val_dataset gives samples without mask: wrap RHD(masks=True) or HandShards in ImageBoxes")
        return HandSamples.of_masks(mask_pixels(outputs["mask"], batch["mask"].numpy()))


class GestureEvaluator(HandEvaluator):
    """What hands do, by their joints.

    Args:
        metrics: see `HandEvaluator`.
        processes: likewise.
        classes: the names of the gestures.
    """

    def __init__(self, metrics: Sequence[Metric], processes: Processes, classes: Sequence[str]) -> None:
        super().__init__(metrics, processes)
        self._classes = tuple(classes)

    def samples(self, outputs: Mapping[str, NDArray[Any]], batch: Mapping[str, Any]) -> HandSamples:
        """The likeliest gesture of each hand beside its label.

        Raises:
            ConfigError: a model that answers no gestures.
            DataError: samples without a gesture.
        """
        if "gesture_probabilities" not in outputs:
            raise ConfigError(f"the model answers {sorted(outputs)}, but gestures are measured: take a GestureMLP")
        if any("gesture" not in row for row in batch["labels"]):
            raise DataError("val_dataset gives samples without gesture: take RenderedGestures or GestureHands")
        labelled = np.array([row["gesture"] for row in batch["labels"]], int)
        predicted = outputs["gesture_probabilities"].argmax(1)
        return HandSamples.of_gestures(GestureSamples(labelled, predicted, self._classes))


def evaluator_of(config: Mapping[str, Any], metrics: Sequence[Metric], processes: Processes = ALONE) -> HandEvaluator:
    """The evaluator of what a config's network answers.

    Gestures, masks, boxes, all hands of an image, or the joints of crops.
    """
    if measures_gestures(config):
        return GestureEvaluator(metrics, processes, (config.get("model") or {}).get("classes", ()))
    if measures_masks(config):
        return MaskEvaluator(metrics, processes)
    if measures_boxes(config):
        return BoxEvaluator(metrics, processes)
    return (ImageEvaluator if is_bottom_up(config) else CropEvaluator)(metrics, processes)


def crop_samples(
    outputs: Mapping[str, NDArray[Any]], crops: Sequence[Any], labels: Sequence[Mapping[str, Any]]
) -> HandSamples:
    """The rows of the hands among N crops; negatives give none, but count for `presence`.

    Args:
        outputs: ``keypoints`` (N, K, 2) in crop pixels and, where the model knows, ``scores`` (N, K), ``handedness``
            (N,), ``presence`` (N,), and ``xyz_root`` and ``xyz_cam`` (N, K, 3) metres in the frames of the crops.
        crops: the `handkit.geometry.Crop` of each.
        labels: per crop ``keypoints`` and ``box`` in image pixels, ``visible``, and ``right``, ``hand``, ``xyz_root``
            and ``xyz_cam`` if known.

    Raises:
        DataError: samples without labels.
    """
    if any(not {"keypoints", "visible", "box"} <= row.keys() for row in labels):
        raise DataError("val_dataset gives samples without keypoints, visible and box: there is nothing to measure by")
    rows = hand_rows(labels)
    kept = [labels[index] for index in rows]
    shape = outputs["keypoints"].shape[1:]
    handedness = outputs.get("handedness")
    columns: dict[str, Any] = {
        "labels": np.array([row["keypoints"] for row in kept], np.float64).reshape(-1, *shape),
        "visible": np.array([row["visible"] for row in kept], np.uint8).reshape(-1, shape[0]),
        "boxes": np.array([row["box"] for row in kept], np.float64).reshape(-1, 4),
        "predicted": inverse_crops([crops[index] for index in rows], outputs["keypoints"][rows].astype(np.float64)),
    }
    scores = outputs["scores"][rows].astype(np.float64) if "scores" in outputs else np.full((len(rows), shape[0]), 1.0)
    poses = PoseSamples(
        **columns,
        ignored=np.zeros(len(rows), bool),
        label_images=np.array(rows, int),
        scores=scores.mean(-1),
        predicted_images=np.array(rows, int),
        images=len(labels),
    )
    return HandSamples(
        **columns,
        sides=tuple(side_of(row.get("right", np.nan)) for row in kept),
        predicted_sides=tuple(None if handedness is None else side_of(handedness[index]) for index in rows),
        found=np.ones(len(rows), bool),
        images=np.array(rows, int),
        unmatched=np.zeros(len(labels), int),
        poses=poses,
        joint_scores=scores if "scores" in outputs else None,
        labelled_3d=_labelled_3d(kept, shape[0]),
        predicted_3d=_predicted_3d(outputs, crops, rows),
        presence=_presence(outputs, rows),
    )


def _presence(outputs: Mapping[str, NDArray[Any]], rows: Sequence[int]) -> PresenceSamples | None:
    """What the N crops are said to show, those of `rows` being hands; None where the model does not say."""
    if "presence" not in outputs:
        return None
    images = np.arange(len(outputs["presence"]))
    return PresenceSamples(np.isin(images, rows), outputs["presence"].astype(np.float64), images)


def hand_rows(labels: Sequence[Mapping[str, Any]]) -> list[int]:
    """Of every hand that becomes a row, which sample shows it: of crops each but the negatives, of images each box."""
    counts = (len(row["boxes"]) if "boxes" in row else int(row.get("hand", 1.0) > 0) for row in labels)
    return [index for index, count in enumerate(counts) for _ in range(count)]


def _labelled_3d(labels: Sequence[Mapping[str, Any]], joints: int) -> dict[str, NDArray[Any]]:
    """The joints in space of N hands by frame, NaN where a sample has none."""
    nothing = np.full((joints, 3), np.nan)
    return {
        name: np.array([row.get(name, nothing) for row in labels], np.float64)
        for name in FRAMES
        if any(name in row for row in labels)
    }


def _predicted_3d(
    outputs: Mapping[str, NDArray[Any]], crops: Sequence[Any], rows: Sequence[int]
) -> dict[str, NDArray[Any]]:
    """The outputs in space, turned back from the frames of their crops."""
    angles = np.array([crops[index].rotation for index in rows], np.float64)
    return {name: turn_xyz(outputs[name][list(rows)].astype(np.float64), angles) for name in FRAMES if name in outputs}


def box_samples(
    outputs: Mapping[str, NDArray[Any]], labels: Sequence[Mapping[str, Any]], input_size: tuple[int, int]
) -> HandSamples:
    """The rows of the labelled hands of N images, answered by the detections that match them.

    Args:
        outputs: best first ``boxes`` (N, M, 4) in pixels of the network's input, ``scores`` (N, M), ``counts`` (N,).
        labels: per image ``boxes`` in its own pixels, ``image_size``, and ``ignored_boxes`` if there are any.
        input_size: (width, height) of the network's input, to which the images were stretched.

    Raises:
        ConfigError: a model that answers no boxes.
        DataError: samples without labels.
    """
    if not {"boxes", "scores", "counts"} <= outputs.keys():
        raise ConfigError(
            f"the model answers {sorted(outputs)}, but boxes are measured: give it "
            "selection=dict(type='BoxSelection', ...)"
        )
    parts = []
    for index, hands in enumerate(whole_labels(labels)):
        found = image_detections(outputs, index, hands.image_size, input_size)
        parts.append(HandSamples.of_image(hands, found, match_hands(hands, found)))
    return HandSamples.concatenate(parts)


def image_detections(
    outputs: Mapping[str, NDArray[Any]], index: int, image_size: tuple[int, int], input_size: tuple[int, int]
) -> Detections:
    """What a detector network answers for one image of a batch, in the image's pixels; arguments as `box_samples`."""
    count = int(outputs["counts"][index])
    scale = np.array(tuple(image_size) * 2) / np.array(tuple(input_size) * 2)
    return Detections(outputs["boxes"][index, :count] * scale, outputs["scores"][index, :count])


def image_samples(
    outputs: Mapping[str, NDArray[Any]], crops: Sequence[Any], labels: Sequence[Mapping[str, Any]]
) -> HandSamples:
    """The rows of the labelled hands of N images, answered by the hands that match them.

    Args:
        outputs: ``keypoints`` (N, M, K, 2) in pixels of the network's input, ``scores`` (N, M, K) and ``hand_scores``
            (N, M), rows beyond an image's own hands scoring 0.
        crops: the `handkit.geometry.Crop` by which each image was brought to the input.
        labels: as of `box_samples`, and ``box_points`` (M, K, 2) in pixels of the image, NaN where unknown.

    Raises:
        DataError: samples without labels.
    """
    parts = []
    for index, hands in enumerate(whole_labels(labels)):
        found = image_hands(outputs, index, hands.image_size, crops[index])
        parts.append(HandSamples.of_image(hands, found, match_hands(hands, found)))
    return HandSamples.concatenate(parts)


def image_hands(outputs: Mapping[str, NDArray[Any]], index: int, image_size: tuple[int, int], crop: Any) -> Hands:
    """The hands of one image of a batch, in the image's pixels; arguments as `image_samples`."""
    points = crop.inverse_points(outputs["keypoints"][index].astype(np.float64))
    return Hands.of_joints(points, outputs["scores"][index], outputs["hand_scores"][index], image_size)


def whole_labels(labels: Sequence[Mapping[str, Any]]) -> list[HandLabels]:
    """What is known of the hands of N whole images: their boxes, and their joints where the data have some.

    Raises:
        DataError: samples without boxes.
    """
    if any(not {"boxes", "image_size"} <= row.keys() for row in labels):
        raise DataError("val_dataset gives samples without boxes and image_size: wrap a reader in ImageBoxes")
    made = []
    for row in labels:
        boxes, ignored = (np.asarray(row.get(key, ()), np.float64).reshape(-1, 4) for key in ("boxes", "ignored_boxes"))
        path, size = Path(str(row.get("sample_id", ""))), tuple(row["image_size"])
        made.append(HandLabels.of_boxes(path, size, boxes, ignored, row.get("box_points")))
    return made


def side_of(right: float) -> Side | None:
    """A label or a probability of the right hand -> the side; nan is unknown."""
    return None if np.isnan(right) else "right" if right >= 0.5 else "left"
