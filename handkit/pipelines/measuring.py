"""What ``handkit test --detector`` does: a whole pipeline, detector included, on labelled photographs."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from handkit.datasets.labels import HandLabels, read_hand_labels
from handkit.engine.processes import ALONE, Processes
from handkit.errors import ConfigError, DataError
from handkit.files import write_json
from handkit.images import picture_files
from handkit.metrics import FalseHandsPerImage, HandSamples
from handkit.metrics.evaluate import (
    BATCH,
    Predict,
    Prediction,
    match_images,
    measured_images,
    predict_pictures,
    turned_picture,
)
from handkit.metrics.measurement import Listener, Measurement
from handkit.metrics.samples import Metric
from handkit.metrics.scores import Scores, names_of, score
from handkit.pipelines.build import pipeline, read_model
from handkit.pipelines.nets import used_nets
from handkit.registry import DATASETS, METRICS, build
from handkit.registry.mask_detector import marks_pixels, mask_detector
from handkit.registry.pairing import is_bottom_up
from handkit.registry.validate import validate
from handkit.skeleton import HAND, SKELETONS

#: What is always measured; of a task without joints the first three.
PIPELINE_METRICS: tuple[dict[str, Any], ...] = (
    dict(type="DetectionRecall"),
    dict(type="FalseHandsPerImage"),
    dict(type="BoxAP"),
    *(dict(type="PCK", threshold=share, over=over) for share in (0.2, 0.1, 0.05) for over in ("labelled", "matched")),
    dict(type="EPE", over="matched"),
    dict(type="NME", over="matched"),
    dict(type="OKSAP"),
    dict(type="HandednessAccuracy"),
)

#: What is measured too where the task and the labels are in space; a missed hand has no distance.
SPATIAL_METRICS: tuple[dict[str, Any], ...] = (
    dict(type="MPJPE", over="matched"),
    dict(type="PAMPJPE", over="matched"),
)


def measure_pipeline(
    model: str | Path,
    checkpoint: str | Path | None = None,
    device: str | None = None,
    cfg_options: Mapping[str, Any] | None = None,
    out: str | os.PathLike[str] | None = None,
    *,
    data: str | Path | None = None,
    good_only: bool = False,
    rotate: int = 0,
    limit: int | None = None,
    negatives: str | Path | None = None,
    negatives_count: int = 100,
    bootstrap: int = 0,
    report: Listener | None = None,
    processes: Processes = ALONE,
) -> Scores:
    """Runs a pipeline over photographs and compares what it finds with their labels, and with none on negatives.

    Measured are `PIPELINE_METRICS`, for joints in space with labels in space `SPATIAL_METRICS`, and the config's own
    ``metrics``. An image without a label is left out.

    Args:
        model: a config or the folder of a bundle, as `handkit.pipeline` takes them.
        checkpoint: the weights of the config's model, of one that answers boxes those of its detector; None takes the
            config's.
        device: where networks run.
        cfg_options: changes to the config by dotted key.
        out: a JSON file for the numbers and, per photograph, the hands.
        data: a COCO keypoint JSON of hands, see `handkit.datasets.layouts`; None takes the config's ``val_dataset``.
        good_only: of `data`, measure only hands with good labels; who finds another makes no error.
        rotate: degrees by which pictures and labels are turned clockwise first: 0, 90, 180 or 270.
        limit: measure so many photographs, spread evenly; None: all.
        negatives: a folder of pictures that show no hand; without labelled photographs it alone is measured.
        negatives_count: so many of them, the first by name.
        bootstrap: resampled sets that make the intervals; 0: no intervals.
        report: takes the hands behind the numbers, e.g. a `handkit.reports.ReportWriter`.
        processes: from `handkit.engine.launching.launched`; each looks at some of the photographs, process 0 compares
            and writes.

    Returns:
        The numbers; the same on all processes.

    Raises:
        ConfigError: a mistake in the config, no detector in it, nothing to measure on, or an option out of its range.
        DataError: labels that cannot be read or hold no hand, or no negatives.
        CheckpointError: weights that do not fit.
    """
    if rotate not in (0, 90, 180, 270) or negatives_count < 1 or (limit is not None and limit < 1):
        raise ConfigError(
            "rotate must be 0, 90, 180 or 270, limit and negatives_count 1 or more, "
            f"got {rotate}, {limit} and {negatives_count}"
        )
    config = read_model(model, cfg_options, checkpoint)
    if marks_pixels(config):
        config = {**mask_detector(config), "val_dataset": config.get("val_dataset")}
    if config.get("detector") is None and not is_bottom_up(config):
        raise ConfigError(f"{model}: names no 'detector', without which no whole photograph is measured")
    validate(config, str(model), use="pipeline")
    labels = _photographs(config, str(model), data, good_only, limit, negatives is None)
    rooms = [] if negatives is None else picture_files(negatives)[:negatives_count]
    task = config["task"]
    spatial = task == "hand_3d_keypoints" and any(image.xyz_cam is not None for image in labels)
    metrics = _metrics(config, task != "hand_detection", spatial)
    predict = pipeline(task, model, device, checkpoint=checkpoint, cfg_options=cfg_options)
    if report is not None and (task == "hand_detection" or not labels):
        raise ConfigError(f"{model}: a report is about labelled joints: name a pipeline of joints and labelled data")
    turns = rotate // 90
    photos = _predicted([image.path for image in labels], predict, turns, "photographs", processes)
    empty = _predicted(rooms, predict, turns, "pictures without hands", processes)
    scores, samples, good = Scores({}), None, good_only or data is None
    if labels and processes.first:
        samples = match_images([image.rotated(turns) for image in labels], photos, good)
        scores = score(metrics, samples, bootstrap)
    if rooms and processes.first:
        scores = _with_negatives(scores, HandSamples.of_negatives(empty), bootstrap)
    scores = processes.from_first(scores)
    scores = replace(scores, weights={net.part: digest for net in used_nets(config) if (digest := net.sha256())})
    named = {"config": model, "checkpoint": checkpoint, "data": data, "negatives": negatives}
    options: dict[str, Any] = {name: None if value is None else str(value) for name, value in named.items()}
    options |= {"good_only": good_only, "rotate": rotate, "limit": limit, "bootstrap": bootstrap}
    if out is not None and processes.first:
        record = {"options": options, **scores.to_dict()}
        record["photographs"] = _records([image.path for image in labels], photos)
        write_json(out, {**record, "negatives": _records(rooms, empty)})
    if report is not None and samples is not None:
        report(_measurement(scores, samples, labels, good, turns, options))
    return scores


def _measurement(
    scores: Scores, samples: HandSamples, labels: Sequence[HandLabels], good: bool, turns: int, options: dict[str, Any]
) -> Measurement:
    """The hands; their names are that of the photograph from the label file's folder on, and a number."""
    folder = Path(options["data"]).parent if options["data"] else Path()
    names = tuple(
        f"{image.path.relative_to(folder) if image.path.is_relative_to(folder) else image.path}#{row}"
        for image in labels
        for row in image.measured(good).nonzero()[0]
    )

    def picture(hand: int) -> NDArray[Any]:
        return turned_picture(labels[int(samples.images[hand])].path, turns)

    return Measurement(scores, samples, names, picture, options)


def _predicted(
    paths: Sequence[Path], predict: Predict, turns: int, progress: str, processes: Processes
) -> list[Prediction]:
    """The answers to all pictures on process 0, none on the others; every process looks at some of the batches."""
    batches = processes.shares(len(paths), BATCH)
    own = [row for _, rows in batches for row in rows]
    found = predict_pictures([paths[row] for row in own], predict, turns, progress if processes.first else None)
    return processes.in_order(list(zip(own, found, strict=True)))


def _photographs(
    config: Mapping[str, Any], where: str, data: str | Path | None, good_only: bool, limit: int | None, needed: bool
) -> list[HandLabels]:
    """The labelled images that are measured; none only if none are needed.

    Of a reader all hands that are none of its samples are left out, so that both ways of testing measure the same.
    """
    if data is not None:
        found = measured_images(read_hand_labels(data), good_only, limit)
        if not found:
            raise DataError(
                f"{data}: shows no {'well ' if good_only else ''}labelled hand, so there is nothing to measure"
            )
        return found
    if good_only:
        raise ConfigError("good_only judges the labels of data; of a val_dataset max_disagreement does")
    if config.get("val_dataset") is None:
        if needed:
            raise ConfigError(
                f"{where}: names no 'val_dataset', so there is nothing to measure; name data or negatives"
            )
        return []
    dataset = build(config["val_dataset"], DATASETS, "val_dataset")
    if not hasattr(dataset, "image_labels"):
        raise ConfigError(
            f"{where}: val_dataset is a {type(dataset).__name__}, which has no labels of whole photographs; name data"
        )
    return measured_images(dataset.image_labels(), good_only=True, limit=limit)


def _metrics(config: Mapping[str, Any], joints: bool, spatial: bool = False) -> list[Metric]:
    """The usual metrics and the config's own, which stand in the place of usual ones of the same name."""
    always = (PIPELINE_METRICS if joints else PIPELINE_METRICS[:3]) + (SPATIAL_METRICS if spatial else ())
    usual, own = (
        [build(node, METRICS, "metrics") for node in nodes] for nodes in (always, config.get("metrics") or ())
    )
    count = len(SKELETONS[config.get("skeleton", HAND.name)])
    told = {name: metric for metric in own for name in names_of([metric], count)}
    first = [next((told[name] for name in names_of([metric], count) if name in told), metric) for metric in usual]
    return list(dict.fromkeys([*first, *own]))


def _with_negatives(scores: Scores, negatives: HandSamples, bootstrap: int) -> Scores:
    """The scores with one more row: false hands on pictures without hands."""
    more = score([FalseHandsPerImage()], negatives, bootstrap)
    old, new = "false_hands_per_image", "false_hands_per_negative_image"
    return Scores(
        values={**scores.values, new: more.values[old]},
        intervals={**scores.intervals, **({new: more.intervals[old]} if bootstrap else {})},
        counts={**scores.counts, "negative_images": more.counts["images"]},
        notes=scores.notes,
    )


def _records(paths: Sequence[Path], predictions: Sequence[Prediction]) -> list[dict[str, Any]]:
    return [{"image": str(path), **found.to_dict()} for path, found in zip(paths, predictions, strict=True)]
