"""A whole pipeline, detector included, against labelled photographs: predict and match."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from rich.console import Console
from rich.progress import track

from handkit.datasets.labels import HandLabels
from handkit.detections import Detections
from handkit.errors import DataError
from handkit.hands import Hands
from handkit.images import read_image
from handkit.metrics.matching import match_hands
from handkit.metrics.samples import HandSamples

#: What a pipeline answers to one image.
Prediction: TypeAlias = "Hands | Detections"
#: A list of images (paths, or upright PIL pictures) to the answer to each.
Predict: TypeAlias = "Callable[[list[Any]], Sequence[Prediction]]"

#: Pictures that a pipeline gets at once.
BATCH = 16


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


def predict_pictures(
    paths: Sequence[Path], predict: Predict, turns: int = 0, progress: str | None = None
) -> list[Prediction]:
    """The pipeline's answer to every picture, without masks, of which many photographs' do not fit into memory.

    Args:
        paths: of the pictures.
        predict: the pipeline.
        turns: quarters by which pictures are turned clockwise first.
        progress: what a bar on the terminal calls them; None: no bar.
    """
    console = Console(stderr=True)
    starts = range(0, len(paths), BATCH)
    found: list[Prediction] = []
    for start in track(
        starts, progress or "", console=console, disable=progress is None or not console.is_terminal, transient=True
    ):
        batch = paths[start : start + BATCH]
        told = predict([path if turns % 4 == 0 else Image.fromarray(turned_picture(path, turns)) for path in batch])
        found += [answer if answer.masks is None else replace(answer, masks=None) for answer in told]
    return found


def match_images(
    labels: Sequence[HandLabels], predictions: Sequence[Prediction], good_only: bool = False
) -> HandSamples:
    """Matches the predictions of labelled images.

    Args:
        labels: one record per image.
        predictions: the answer to each.
        good_only: measure only hands with good labels; who finds another makes no error.

    Raises:
        DataError: a picture's size is not the one its label states.
    """
    parts = []
    for image, found in zip(labels, predictions, strict=True):
        if isinstance(found, Hands) and found.image_size != image.image_size:
            raise DataError(f"{image.path}: labelled as {image.image_size} pixels, but it has {found.image_size}")
        parts.append(HandSamples.of_image(image, found, match_hands(image, found), image.measured(good_only)))
    return HandSamples.concatenate(parts)


def turned_picture(path: Path, turns: int) -> NDArray[Any]:
    """A picture, (H, W, 3) uint8 RGB, turned clockwise by `turns` quarters."""
    return np.ascontiguousarray(np.rot90(read_image(path), -turns))
