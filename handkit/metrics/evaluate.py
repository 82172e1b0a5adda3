"""A whole pipeline, detector included, against labelled photographs: predict, match, reduce, one table."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from rich.progress import track
from rich.table import Table

from handkit.datasets.labels import HandLabels
from handkit.errors import DataError
from handkit.hands import Hands
from handkit.images import picture_files, read_image
from handkit.metrics.detection import DetectionRecall, FalseHandsPerImage
from handkit.metrics.handedness import HandednessAccuracy
from handkit.metrics.keypoint_metrics import EPE, NME, PCK
from handkit.metrics.matching import match_hands
from handkit.metrics.samples import HandSamples, Metric, Over

#: A list of images (paths, or upright PIL pictures) to the hands of each.
Predict = Callable[[list[Any]], Sequence[Hands]]

PCK_THRESHOLDS = (0.2, 0.1, 0.05)
_OVERS: tuple[Over, ...] = ("labelled", "matched")
_BATCH = 16


def measured_images(
    labels: Sequence[HandLabels], good_only: bool = False, limit: int | None = None
) -> list[HandLabels]:
    """The images that show at least one hand that counts; with `limit`, that many spread evenly over them.

    An image without a label is left out: that nobody labelled a hand does not say that there is none.
    """
    chosen = [image for image in labels if image.measured(good_only).any()]
    if limit is not None and limit < len(chosen):
        chosen = [chosen[int(index)] for index in np.linspace(0, len(chosen) - 1, limit)]
    return chosen


def evaluate_images(
    labels: Sequence[HandLabels], predict: Predict, good_only: bool = False, turns: int = 0, progress: bool = False
) -> HandSamples:
    """Predicts the hands of every image and matches them with its labels.

    Args:
        labels: one record per image.
        predict: the pipeline.
        good_only: measure only hands with good labels; who finds another makes no error.
        turns: quarters by which pictures and labels are turned clockwise first.
        progress: show a bar on the terminal.

    Raises:
        DataError: a picture's size is not the one its label states.
    """
    parts = []
    turned = [image.rotated(turns) for image in labels]
    predictions = _predict_all([image.path for image in labels], predict, turns, "photos", progress)
    for image, hands in zip(turned, predictions, strict=True):
        if hands.image_size != image.image_size:
            raise DataError(f"{image.path}: labelled as {image.image_size} pixels, but it has {hands.image_size}")
        parts.append(HandSamples.of_image(image, hands, match_hands(image, hands), image.measured(good_only)))
    return HandSamples.concatenate(parts)


def evaluate_negatives(paths: Sequence[Path], predict: Predict, turns: int = 0, progress: bool = False) -> HandSamples:
    """Predicts hands on pictures known to show none; arguments as in `evaluate_images`."""
    return HandSamples.of_negatives(list(_predict_all(paths, predict, turns, "pictures without hands", progress)))


def first_pictures(folder: Path, count: int) -> list[Path]:
    """The first pictures of a folder by name.

    Raises:
        DataError: there is none.
    """
    return picture_files(folder)[:count]


def _predict_all(paths: Sequence[Path], predict: Predict, turns: int, name: str, progress: bool) -> Iterator[Hands]:
    starts = range(0, len(paths), _BATCH)
    for start in track(starts, name, disable=not progress, transient=True):
        batch = paths[start : start + _BATCH]
        yield from predict([path if turns % 4 == 0 else _turned_picture(path, turns) for path in batch])


def _turned_picture(path: Path, turns: int) -> Image.Image:
    return Image.fromarray(np.rot90(read_image(path), -turns))


def summary(samples: HandSamples, negatives: HandSamples | None = None) -> dict[str, float]:
    """All numbers of the table by name."""
    metrics: list[Metric] = [DetectionRecall()]
    metrics += [PCK(threshold, over) for threshold in PCK_THRESHOLDS for over in _OVERS]
    metrics += [EPE("matched"), NME("matched"), HandednessAccuracy(), FalseHandsPerImage()]
    values: dict[str, float] = {"images": len(samples.unmatched), "hands": len(samples)}
    for metric in metrics:
        values |= metric.compute(samples)
    if negatives is not None:
        values["negative_images"] = len(negatives.unmatched)
        values["false_hands"] = int(negatives.unmatched.sum())
        values["false_hands_per_negative_image"] = FalseHandsPerImage().compute(negatives)["false_hands_per_image"]
    return values


def table(values: dict[str, float], title: str) -> Table:
    """The numbers of `summary` for the terminal."""
    out = Table(
        "measure",
        "all labelled",
        "matched",
        title=title,
        caption="PCK: mean over joints; distance < t x the longer side of the hand box (joints' box x 1.15, clipped). "
        "'all labelled' counts the joints of a missed hand as wrong. Recall with its 95 % interval (Wilson).",
    )

    def row(name: str, key: str | None = None, matched: str | None = None, digits: int = 4) -> None:
        cells = ["" if k is None else _format(values[k], digits) for k in (key, matched)]
        out.add_row(name, *cells)

    row("images", "images", digits=0)
    row("hands", "hands", digits=0)
    interval = f"{_format(values['recall_low'], 3)} to {_format(values['recall_high'], 3)}"
    out.add_row("recall", f"{_format(values['recall'], 4)} ({interval})")
    for threshold in PCK_THRESHOLDS:
        row(f"PCK@{threshold:g}", f"PCK@{threshold:g}", f"PCK@{threshold:g}_matched")
    row("EPE, px", matched="EPE_matched", digits=2)
    row("NME, of the hand box", matched="NME_matched")
    row("handedness accuracy", matched="handedness_accuracy")
    row("unmatched predictions per image", "false_hands_per_image")
    if "false_hands" in values:
        count = _format(values["negative_images"], 0)
        row(f"false hands on {count} pictures without hands", "false_hands", digits=0)
    return out


def _format(value: float, digits: int) -> str:
    return "-" if math.isnan(value) else f"{value:.{digits}f}"


def json_values(values: dict[str, float]) -> dict[str, float | None]:
    """The same numbers as JSON can hold them: null where nothing was measured or an error is infinite."""
    return {name: value if math.isfinite(value) else None for name, value in values.items()}
