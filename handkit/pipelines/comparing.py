"""What ``handkit compare`` does: several pipelines on the same photographs at their shipped thresholds, as a table."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from handkit.datasets.labels import read_hand_labels
from handkit.errors import ConfigError
from handkit.images import picture_files, read_image
from handkit.metrics.evaluate import measured_images
from handkit.metrics.scores import Scores
from handkit.pipelines.build import pipeline, read_model, resolve_config
from handkit.pipelines.measuring import measure_pipeline
from handkit.pipelines.nets import used_nets
from handkit.pipelines.tables import number, table
from handkit.runtime.threads import one_thread

#: Clockwise turns of photographs and labels under which every pipeline is measured.
TURNS = (0, 90, 180, 270)
#: The columns of the table and the numbers that they show.
COLUMNS = {
    "recall": "recall",
    "PCK@0.2": "PCK@0.2",
    "PCK@0.1": "PCK@0.1",
    "handedness": "handedness_accuracy",
    "false hands per image": "false_hands_per_image",
}


@dataclass(frozen=True)
class Row:
    """One pipeline's numbers.

    Args:
        model: as the caller named it.
        scores: by turn, in degrees clockwise.
        false_per_negative: predicted hands per picture without hands; NaN if none was measured.
        milliseconds: per photograph, the median on one thread, from decoded pixels to `Hands`.
        nets: the networks, e.g. ``model HRNet``, and the sha256 of their weights.
        thresholds: that hold, by name.
    """

    model: str
    scores: Mapping[int, Scores]
    false_per_negative: float
    milliseconds: float
    nets: Sequence[tuple[str, str | None]]
    thresholds: Mapping[str, float]

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return {
            "model": self.model,
            "turned": {str(turn): scores.to_dict() for turn, scores in self.scores.items()},
            "false_hands_per_negative_image": _finite(self.false_per_negative),
            "milliseconds": _finite(self.milliseconds),
            "nets": [{"net": net, "sha256": sha256} for net, sha256 in self.nets],
            "thresholds": dict(self.thresholds),
        }


def compare_pipelines(
    models: Sequence[str | Path],
    data: str | Path,
    negatives: str | Path | None = None,
    device: str | None = None,
    *,
    good_only: bool = False,
    limit: int | None = None,
    negatives_count: int = 100,
    turns: Sequence[int] = TURNS,
    timed: int = 50,
) -> list[Row]:
    """Measures pipelines by `measure_pipeline`, each with the thresholds of its config or card, and times them.

    For the times every photograph goes through all pipelines in turn, so that what else the machine does slows all of
    them alike; the first photograph is not counted.

    Args:
        models: configs or bundles, as `handkit.pipeline` takes them.
        data: a COCO keypoint JSON of hands.
        negatives: a folder of pictures that show no hand.
        device: where networks run.
        good_only: measure only hands with good labels; who finds another makes no error.
        limit: measure so many photographs, spread evenly; None: all.
        negatives_count: so many negatives, the first by name.
        turns: 0, 90, 180 or 270 degrees clockwise each.
        timed: so many photographs are timed, spread evenly; 0: none.

    Raises:
        ConfigError, DataError, CheckpointError, HubError: as `measure_pipeline`; also a model that is named twice.
    """
    names = [str(model) for model in models]
    if not names or len(set(names)) < len(names):
        raise ConfigError(f"compare takes different models, one or more, not {names}")
    if timed < 0 or not turns or not set(turns) <= set(TURNS):
        raise ConfigError(f"timed must be 0 or more, and turns some of {TURNS}: {timed}, {turns}")
    if negatives_count < 1 or (limit is not None and limit < 1):
        raise ConfigError(f"limit and negatives_count must be 1 or more, got {limit} and {negatives_count}")
    if negatives is not None:
        picture_files(negatives)
    configs = [resolve_config(read_model(name).get("task", ""), name) for name in names]
    nets = [list(_weights(config)) for config in configs]
    milliseconds = _times(names, configs, device, data, good_only, timed)
    rows = []
    for name, config, used, spent in zip(names, configs, nets, milliseconds, strict=True):
        scores = {
            turn: measure_pipeline(name, None, device, data=data, good_only=good_only, rotate=turn, limit=limit)
            for turn in turns
        }
        false = math.nan
        if negatives is not None:
            empty = measure_pipeline(name, None, device, negatives=negatives, negatives_count=negatives_count)
            false = empty["false_hands_per_negative_image"]
        rows.append(Row(name, scores, false, spent, used, _thresholds(config)))
    return rows


def markdown(rows: Sequence[Row], data: str, negatives: str | None = None) -> str:
    """Two tables: what each pipeline finds, turn by turn, and what it is.

    Args:
        rows: of `compare_pipelines`.
        data: how the text calls the labelled photographs.
        negatives: how it calls the pictures without hands; None if none were measured.
    """
    turns = list(rows[0].scores)
    counts = rows[0].scores[turns[0]].counts
    lines = [
        f"{counts['hands']} hands in {counts['images']} photographs of {data}, at each pipeline's own thresholds:",
        "",
    ]
    found = [
        [f"{turn}°", row.model, *(number(row.scores[turn].values.get(name, math.nan)) for name in COLUMNS.values())]
        for turn in turns
        for row in rows
    ]
    lines += table(["turned", "pipeline", *COLUMNS], found)
    without = "false hands per picture without hands" + ("" if negatives is None else f" ({negatives})")
    titles = ["pipeline", without, "ms per photograph", "thresholds", "weights (sha256)"]
    lines += ["", *table(titles, [_made_of(row) for row in rows])]
    lines += ["", "Milliseconds: median on one thread, from decoded pixels, photograph by photograph in turn."]
    return "\n".join(lines) + "\n"


def _times(
    names: Sequence[str],
    configs: Sequence[Mapping[str, Any]],
    device: str | None,
    data: str | Path,
    good_only: bool,
    timed: int,
) -> list[float]:
    """Per pipeline the median milliseconds; NaN where none is timed."""
    pipes = [pipeline(config["task"], name, device) for name, config in zip(names, configs, strict=True)]
    photos = [image.path for image in measured_images(read_hand_labels(data), good_only, timed + 1)] if timed else []
    spent: list[list[float]] = [[] for _ in pipes]
    with one_thread():
        for index, photo in enumerate(photos):
            image = read_image(photo)
            for pipe, times in zip(pipes, spent, strict=True):
                start = time.perf_counter()
                pipe(image, channel_order="rgb")
                if index or len(photos) == 1:
                    times.append(1000 * (time.perf_counter() - start))
    return [statistics.median(times) if times else math.nan for times in spent]


def _weights(config: Mapping[str, Any]) -> Iterator[tuple[str, str | None]]:
    """The networks and the sha256 of their weights; those of the second look only where they are others."""
    seen = set()
    for net in used_nets(config):
        if (net.name, net.reference) not in seen:
            seen.add((net.name, net.reference))
            yield f"{net.part.replace('_', ' ')} {net.name}", net.sha256()


def _thresholds(config: Mapping[str, Any]) -> dict[str, float]:
    """Those that hold: the config's or card's, else the detector's own."""
    own = config.get("detector") or {}
    found = {
        "box": config.get("box_threshold", own.get("score_threshold")),
        "presence": None if config["task"] == "hand_detection" else config.get("presence_threshold"),
        "nms_iou": config.get("nms_iou", own.get("nms_iou")),
        "pose_nms": config.get("pose_nms"),
    }
    return {name: value for name, value in found.items() if value is not None}


def _made_of(row: Row) -> list[str]:
    """A pipeline's line in the second table."""
    thresholds = ", ".join(f"{name} {value:g}" for name, value in row.thresholds.items())
    weights = "<br>".join(f"{net} `{sha256 or 'none'}`" for net, sha256 in row.nets)
    spent = number(row.milliseconds, 1)
    return [row.model, number(row.false_per_negative), spent, thresholds or "-", weights or "-"]


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
