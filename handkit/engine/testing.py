"""What ``handkit test`` and ``tools/test.py`` do."""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from handkit.datasets.image_boxes import ImageBoxes
from handkit.datasets.reader import HandReader
from handkit.datasets.view import HandDataset
from handkit.engine.loading import Failure, end_workers, measuring_loader
from handkit.engine.measuring import (
    HandEvaluator,
    evaluator_of,
    hand_rows,
    image_detections,
    image_hands,
    side_of,
)
from handkit.engine.processes import ALONE, Processes
from handkit.errors import ConfigError
from handkit.files import sha256_of, write_json
from handkit.geometry import inverse_crops
from handkit.hub import resolve
from handkit.metrics.baseline import mean_pose_samples
from handkit.metrics.masks import mask_pixels
from handkit.metrics.measurement import Listener, Measurement
from handkit.metrics.samples import Metric
from handkit.metrics.scores import Scores, names_of, score
from handkit.registry import DATASETS, METRICS, TRANSFORMS, build
from handkit.registry.config import load_config, with_options
from handkit.registry.pairing import is_bottom_up
from handkit.registry.validate import measures_boxes, measures_gestures, measures_masks, validate
from handkit.runtime.build import build_net
from handkit.skeleton import HAND, SKELETONS
from handkit.transforms import split_stages
from handkit.transforms.base import ImageTransform, Sample

if TYPE_CHECKING:
    from torch.utils.data import DataLoader

    from handkit.runtime.base import Net

#: What is measured where the config does not say.
CROP_METRICS = tuple(dict(type=name) for name in ("PCK", "AUC", "EPE", "NME", "HandednessAccuracy"))
BOX_METRICS = (dict(type="BoxAP"),)
IMAGE_METRICS = (
    *(dict(type=name) for name in ("DetectionRecall", "FalseHandsPerImage", "OKSAP", "PCK")),
    dict(type="PCK", over="matched"),
)
MASK_METRICS = (dict(type="MaskIoU"),)
GESTURE_METRICS = (dict(type="GestureAccuracy"),)


def measure(
    config: str | Path | Mapping[str, Any],
    checkpoint: str | Path | None = None,
    device: str | None = None,
    cfg_options: Mapping[str, Any] | None = None,
    out: str | os.PathLike[str] | None = None,
    *,
    dataset: HandDataset | None = None,
    rotate: float = 0,
    bootstrap: int = 0,
    baseline: bool = False,
    report: Listener | None = None,
    processes: Processes = ALONE,
) -> Scores:
    """Measures a checkpoint on labelled hands, each cut by its own box, so that none is missed.

    The network, its flip test and its codec are those of the config's pipeline. A network of the task 'hand_detection'
    looks at whole images instead and is measured by its boxes, one of 'hand_segmentation' by its masks, and one whose
    codec reads all hands off a whole image by the hands it finds; one of 'gesture_classification' looks at joints, and
    is measured by the gestures it names.

    Args:
        config: a path, the name of one of handkit's own, or a resolved one.
        checkpoint: the weights: a path, or hub:CARD/FILE; None takes the config's.
        device: as torch names it; None takes a CUDA device if there is one, else the CPU.
        cfg_options: changes to the config by dotted key.
        out: a JSON file for the numbers and, per sample, its id, its joints in image pixels, their scores, the box
            that was cut and, where the model knows, the side; of whole images the boxes and their scores; of gestures
            the label, and the probability of each.
        dataset: the hands, of a reader by whole images where the network sees such; None takes `val_dataset`.
        rotate: degrees by which every hand is turned clockwise first, with its box: any angle; not for whole images.
        bootstrap: resampled sets that make the intervals; 0: no intervals.
        baseline: measure the mean pose of the config's `train_dataset` as well: every joint of a hand guessed at its
            mean place in the box.
        report: takes the hands behind the numbers, e.g. a `handkit.reports.ReportWriter`; not of whole images.
        processes: from `handkit.engine.launching.launched`; each measures some of the batches, process 0 writes.

    Returns:
        The numbers of the config's metrics, or of the usual ones for what its network answers; the same on all
        processes.

    Raises:
        ConfigError: a mistake in the config, no weights, or nothing to measure on.
        CheckpointError: weights that do not fit.
        DataError: a sample that cannot be read or has no labels; a baseline of a data set of other samples than hands.
    """
    where = "config" if isinstance(config, Mapping) else str(config)
    resolved = (
        with_options(dict(config), cfg_options) if isinstance(config, Mapping) else load_config(config, cfg_options)
    )
    validate(resolved, where)
    if dataset is None and not resolved.get("val_dataset"):
        raise ConfigError(f"{where}: names no 'val_dataset', so there is nothing to measure")
    runtime = {"type": "TorchRuntime", **(resolved.get("runtime") or {}), "device": device}
    weights = checkpoint or resolved.get("checkpoint")
    net = build_net({**resolved, "checkpoint": weights, "runtime": runtime})
    image_part, _ = split_stages([build(node, TRANSFORMS, "test_transforms") for node in resolved["test_transforms"]])
    usual, told = _kind(resolved)
    whole = told is not _records
    if rotate:
        image_part = _turned(image_part, rotate, whole)
    metrics = [build(node, METRICS, "metrics") for node in resolved.get("metrics") or usual]
    names_of(metrics, len(SKELETONS[resolved.get("skeleton", HAND.name)]))  # which refuses doubled ones
    evaluator = evaluator_of(resolved, metrics, processes)
    if told not in (_records, _image_records) and report is not None:
        raise ConfigError(f"{where}: finds no joints, and a report is about them: leave out --report")
    if told is not _records and baseline:
        raise ConfigError(
            f"{where}: answers no joints of single hands, which the mean pose is of: leave out --baseline"
        )
    dataset = _measured(resolved, dataset, whole)
    size = resolved.get("val_batch_size") or resolved.get("batch_size", 8)
    loader = measuring_loader(dataset, image_part, size, resolved.get("workers", 0), processes)
    records, rows = _answers(net, loader, evaluator, told, processes)
    samples = evaluator.gathered()
    scores = evaluator.scored(samples, bootstrap)
    if weights is not None:
        scores = replace(scores, weights={"model": sha256_of(resolve(str(weights)))})
    if baseline:
        scores = replace(scores, baseline=_mean_pose(resolved, dataset, evaluator.measures, where))
    if samples is None:
        return scores
    data = str(getattr(getattr(dataset, "index", None), "path", type(dataset).__name__))
    options = {"config": where, "checkpoint": weights and str(weights), "rotate": rotate, "data": data}
    if out is not None:
        write_json(out, {"options": options, **scores.to_dict(), "samples": records})
    if report is not None:
        names = _names(records, rows, whole)
        pictures = _Pictures(dataset, image_part[0], rows)
        report(Measurement(scores, samples, names, pictures, options))
    return scores


@dataclass(frozen=True)
class _Pictures:
    """The photograph of each of the measured hands, which are these rows of the data set."""

    dataset: HandDataset
    load: ImageTransform
    rows: Sequence[int]

    def __call__(self, hand: int) -> NDArray[Any]:
        img: NDArray[Any] = self.load(self.dataset[self.rows[hand]])["img"]
        return img


def _kind(config: Mapping[str, Any]) -> tuple[Sequence[Mapping[str, Any]], Callable[..., list[dict[str, Any]]]]:
    """Of what a config's network answers: the usual metrics, and what the JSON tells of a batch."""
    if measures_gestures(config):
        return GESTURE_METRICS, partial(_gesture_records, (config.get("model") or {}).get("classes", ()))
    if measures_masks(config):
        return MASK_METRICS, _mask_records
    if measures_boxes(config):
        return BOX_METRICS, _box_records
    return (IMAGE_METRICS, _image_records) if is_bottom_up(config) else (CROP_METRICS, _records)


def _measured(config: Mapping[str, Any], dataset: HandDataset | None, whole: bool) -> HandDataset:
    """The samples that are measured, whole images where the network looks at such."""
    if dataset is None:
        made: HandDataset = build(config["val_dataset"], DATASETS, "val_dataset")
        return made
    return ImageBoxes(dataset) if whole and isinstance(dataset, HandReader) else dataset


def _names(records: Sequence[Mapping[str, Any]], rows: Sequence[int], whole: bool) -> tuple[str, ...]:
    """The name of each hand: its sample's, and of whole images its number there."""
    met: Counter[int] = Counter()
    names = []
    for row in rows:
        name = str(records[row]["sample_id"] or f"sample {row}")
        names.append(f"{name}#{met[row]}" if whole else name)
        met[row] += 1
    return tuple(names)


def _answers(
    net: Net, loader: DataLoader[Any], evaluator: HandEvaluator, records_of: Callable[..., Any], processes: Processes
) -> tuple[list[dict[str, Any]], list[int]]:
    """Gives the evaluator the answers to this process's batches.

    On process 0 what the JSON tells of all samples, and which of them are hands; nothing on the others.
    """
    parts: list[tuple[int, tuple[list[dict[str, Any]], list[int]]]] = []
    try:
        for row, batch in enumerate(loader):
            if isinstance(batch, Failure):
                raise batch.error()
            outputs = net({key: batch[key].numpy() for key in (net.input_name,) if key in batch})
            evaluator.process([outputs], batch)
            number = processes.rank + row * processes.size
            parts.append((number, (records_of(batch, outputs), hand_rows(batch["labels"]))))
    finally:
        end_workers(loader)
    records: list[dict[str, Any]] = []
    rows: list[int] = []
    for part, hands in processes.in_order(parts):
        rows += [len(records) + hand for hand in hands]
        records += part
    return records, rows


def _turned(steps: Sequence[ImageTransform], degrees: float, whole: bool) -> list[ImageTransform]:
    """The image part with every hand turned in front of its crop."""
    if whole:
        raise ConfigError(
            "rotate turns single hands that are cut from images; a network that looks at whole images is turned by "
            "--detector, and one that looks at joints not at all"
        )
    return [steps[0], _Turn(degrees), *steps[1:]]


class _Turn:
    """Turns a hand in front of the crop: a crop turned the other way shows the same pixels."""

    stage: ClassVar[Literal["image"]] = "image"

    def __init__(self, degrees: float) -> None:
        self._angle = -math.radians(degrees)

    def __call__(self, sample: Sample) -> Sample:
        return {**sample, "rotation": float(sample.get("rotation", 0.0)) + self._angle}


def _mean_pose(
    config: Mapping[str, Any], dataset: HandDataset, metrics: Sequence[Metric], where: str
) -> dict[str, float]:
    """What the metrics of joints say of the mean pose of the config's train_dataset."""
    if not config.get("train_dataset"):
        raise ConfigError(f"{where}: names no 'train_dataset', whose mean pose would be the baseline")
    train: Any = build(config["train_dataset"], DATASETS, "train_dataset")
    spatial = any(metric.spatial for metric in metrics)
    guess = score(metrics, mean_pose_samples(train, dataset, spatial=spatial))
    return {name: value for name, value in guess.values.items() if not math.isnan(value)}


def _records(batch: Mapping[str, Any], outputs: Mapping[str, NDArray[Any]]) -> list[dict[str, Any]]:
    """What the JSON tells of each sample of a batch."""
    points = inverse_crops(batch["crop"], outputs["keypoints"])
    records = []
    for row, (name, labels) in enumerate(zip(batch["sample_id"], batch["labels"], strict=True)):
        record = {"sample_id": name, "keypoints": points[row].tolist(), "scores": outputs["scores"][row].tolist()}
        record["box"] = np.asarray(labels["box"]).tolist()
        if "handedness" in outputs:
            record["handedness"] = side_of(outputs["handedness"][row])
        records.append(record)
    return records


def _box_records(batch: Mapping[str, Any], outputs: Mapping[str, NDArray[Any]]) -> list[dict[str, Any]]:
    """The same of whole images."""
    height, width = batch["img"].shape[1:3]
    return [
        {"sample_id": name, **image_detections(outputs, index, labels["image_size"], (width, height)).to_dict()}
        for index, (name, labels) in enumerate(zip(batch["sample_id"], batch["labels"], strict=True))
    ]


def _image_records(batch: Mapping[str, Any], outputs: Mapping[str, NDArray[Any]]) -> list[dict[str, Any]]:
    """The same of whole images whose hands were found by their joints."""
    return [
        {"sample_id": name, **image_hands(outputs, index, tuple(labels["image_size"]), batch["crop"][index]).to_dict()}
        for index, (name, labels) in enumerate(zip(batch["sample_id"], batch["labels"], strict=True))
    ]


def _mask_records(batch: Mapping[str, Any], outputs: Mapping[str, NDArray[Any]]) -> list[dict[str, Any]]:
    """The same of masks: how many pixels of the network's input lie in the intersection and in the union."""
    pixels = mask_pixels(outputs["mask"], batch["mask"].numpy())
    names = batch["sample_id"]
    return [
        {"sample_id": name, "intersection": int(both), "union": int(either)}
        for name, (both, either) in zip(names, pixels, strict=True)
    ]


def _gesture_records(
    classes: Sequence[str], batch: Mapping[str, Any], outputs: Mapping[str, NDArray[Any]]
) -> list[dict[str, Any]]:
    """The same of gestures."""
    rows = zip(batch["sample_id"], batch["labels"], outputs["gesture_probabilities"], strict=True)
    return [
        {
            "sample_id": name,
            "gesture": classes[int(labels["gesture"])],
            "probabilities": dict(zip(classes, shares.tolist(), strict=True)),
        }
        for name, labels, shares in rows
    ]
