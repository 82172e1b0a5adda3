"""What ``handkit thresholds`` does: one look at every photograph, judged at many pairs of thresholds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from handkit.datasets.labels import read_hand_labels
from handkit.detectors import OneHandDetector
from handkit.errors import ConfigError, DataError
from handkit.images import picture_files
from handkit.metrics import PCK, DetectionRecall, FalseHandsPerImage, HandednessAccuracy
from handkit.metrics.evaluate import BATCH, match_images, measured_images, turned_picture
from handkit.metrics.scores import Scores, score
from handkit.pipelines.build import pipeline, read_model, resolve_config
from handkit.pipelines.comparing import COLUMNS
from handkit.pipelines.keypoints import HandKeypoints
from handkit.pipelines.tables import number, table
from handkit.pipelines.top_down import Candidates, TopDown


@dataclass(frozen=True)
class Choice:
    """A pair of thresholds and what a pipeline finds by them.

    Args:
        box: least score of a detected box.
        presence: least probability that a crop shows a hand; None for a model that tells none.
        scores: on the labelled photographs.
        false_hands: in all negatives together; None if there were none.
    """

    box: float
    presence: float | None
    scores: Scores
    false_hands: int | None

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return {
            "box_threshold": self.box,
            "presence_threshold": self.presence,
            **self.scores.to_dict(),
            "false_hands_in_negatives": self.false_hands,
        }


def sweep_thresholds(
    model: str | Path,
    data: str | Path,
    negatives: str | Path | None = None,
    device: str | None = None,
    *,
    box: Sequence[float],
    presence: Sequence[float] = (),
    checkpoint: str | Path | None = None,
    good_only: bool = False,
    rotate: int = 0,
    limit: int | None = None,
    negatives_count: int = 100,
    cfg_options: Mapping[str, Any] | None = None,
) -> list[Choice]:
    """Runs detector and network once, at the least box threshold, and gates what they say by every pair.

    A choice made by these numbers is made on these photographs: what it is worth, others must tell.

    Args:
        model: a config or bundle that cuts hands out of a detector's boxes, as `handkit.pipeline` takes it.
        data: a COCO keypoint JSON of hands.
        negatives: a folder of pictures that show no hand.
        device: where networks run.
        box: least scores of a box.
        presence: least probabilities of a hand; none leaves the model's own threshold.
        checkpoint: the weights of the config's model.
        good_only: measure only hands with good labels; who finds another makes no error.
        rotate: degrees by which the labelled photographs are turned clockwise first: 0, 90, 180 or 270.
        limit: measure so many photographs, spread evenly; None: all.
        negatives_count: so many of the negatives, the first by name.
        cfg_options: changes to the config by dotted key.

    Raises:
        ConfigError: thresholds outside [0, 1], a model that is not top-down or that looks a second time at other
            thresholds, a detector that makes boxes by its threshold, or presence thresholds for a model that tells no
            presence.
        DataError, CheckpointError, HubError: as `handkit.pipelines.measuring.measure_pipeline`.
    """
    if not box or not all(0 <= value <= 1 for value in (*box, *presence)):
        raise ConfigError(f"thresholds lie in [0, 1], and one for boxes is needed, not {list(box)}, {list(presence)}")
    if rotate not in (0, 90, 180, 270) or negatives_count < 1 or (limit is not None and limit < 1):
        raise ConfigError(
            "rotate must be 0, 90, 180 or 270, limit and negatives_count 1 or more, "
            f"got {rotate}, {limit} and {negatives_count}"
        )
    labels = measured_images(read_hand_labels(data), good_only, limit)
    if not labels:
        raise DataError(f"{data}: shows no {'well ' if good_only else ''}labelled hand, so there is nothing to measure")
    rooms = [] if negatives is None else picture_files(negatives)[:negatives_count]
    task = read_model(model, cfg_options, checkpoint).get("task", "")
    config = resolve_config(task, model, checkpoint, cfg_options)
    if config.get("retry_detector") is not None:
        raise ConfigError(
            f"{model}: its retry_detector looks again by thresholds of its own; leave it out by the option "
            "retry_detector=None"
        )
    pipe = pipeline(task, model, device, checkpoint=checkpoint, cfg_options=cfg_options, box_threshold=min(box))
    finder = _finder(pipe, str(model))
    photos = _looked(pipe, finder, [image.path for image in labels], rotate // 90)
    empty = _looked(pipe, finder, rooms, 0)
    turned = [image.rotated(rotate // 90) for image in labels]
    metrics = [DetectionRecall(), PCK(), PCK(threshold=0.1), HandednessAccuracy(), FalseHandsPerImage()]
    choices = []
    for least, probability in product(box, presence or (config.get("presence_threshold"),)):
        gate = _Gate(replace(finder, presence_threshold=probability), least)
        samples = match_images(turned, [gate(one) for one in photos], good_only)
        false = sum(len(gate(one)) for one in empty) if rooms else None
        choices.append(Choice(least, probability, score(metrics, samples), false))
    return choices


def markdown(choices: Sequence[Choice]) -> str:
    """A table of what `sweep_thresholds` found, a row per choice."""
    rows = [
        [
            f"{choice.box:g}",
            "-" if choice.presence is None else f"{choice.presence:g}",
            *(number(choice.scores.values.get(name, math.nan)) for name in COLUMNS.values()),
            "-" if choice.false_hands is None else str(choice.false_hands),
        ]
        for choice in choices
    ]
    return "\n".join(table(["box", "presence", *COLUMNS, "hands in negatives"], rows)) + "\n"


@dataclass(frozen=True)
class _Gate:
    """What `finder` makes of candidates above a box threshold."""

    finder: TopDown
    box: float

    def __call__(self, looked: Candidates) -> Any:
        return self.finder.found(looked[np.flatnonzero(looked.boxes.scores > self.box)])


def _finder(pipe: Any, where: str) -> TopDown:
    finder = pipe.finder if isinstance(pipe, HandKeypoints) else None
    if not isinstance(finder, TopDown):
        raise ConfigError(f"{where}: has no thresholds of boxes and presence to choose: it is not top-down")
    if not isinstance(finder.detector, OneHandDetector):  # whose boxes are those of a lower threshold, less the weaker
        raise ConfigError(
            f"{where}: the boxes of a {type(finder.detector).__name__} depend on its threshold beyond being kept or "
            "dropped, so one look does not tell those of another; an OneHandDetector's do not"
        )
    return finder


def _looked(pipe: HandKeypoints, finder: TopDown, paths: Sequence[Path], turns: int) -> list[Candidates]:
    """Every candidate in every picture, turned clockwise by quarters."""
    looked: list[Candidates] = []
    for start in range(0, len(paths), BATCH):
        part = paths[start : start + BATCH]
        samples = [
            pipe.load({"source": turned_picture(path, turns), "channel_order": "rgb", "name": str(path)})
            for path in part
        ]
        looked += finder.candidates(samples, [None] * len(samples))
    return looked
