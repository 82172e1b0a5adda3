"""What ``handkit test`` and ``tools/test.py`` do."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from handkit.engine.loading import Failure, end_workers, measuring_loader
from handkit.engine.measuring import BoxEvaluator, CropEvaluator, image_detections
from handkit.errors import ConfigError
from handkit.files import write_json
from handkit.geometry import inverse_crops
from handkit.registry import DATASETS, METRICS, TRANSFORMS, build
from handkit.registry.config import load_config
from handkit.registry.validate import measures_boxes, validate
from handkit.runtime.build import build_net
from handkit.transforms import split_stages


def measure(
    config: str | Path,
    checkpoint: str | Path,
    device: str | None = None,
    cfg_options: Mapping[str, Any] | None = None,
    out: str | os.PathLike[str] | None = None,
) -> dict[str, float]:
    """Measures a checkpoint on the config's `val_dataset`: every labelled hand, cut by its own box, none missed.

    The network, its flip test and its codec are those of the config's pipeline. A network of the task 'hand_detection'
    looks at whole images instead and is measured by its boxes.

    Args:
        config: a path, or the name of one of handkit's own.
        checkpoint: the weights: a path, or hub:CARD/FILE.
        device: as torch names it; None takes a CUDA device if there is one, else the CPU.
        cfg_options: changes to the config by dotted key.
        out: a JSON file for the answers: per sample its id, joints (or boxes) in image pixels, and scores.

    Returns:
        The numbers of the config's metrics by name.

    Raises:
        ConfigError: a mistake in the config, or no `val_dataset` or `metrics` in it.
        CheckpointError: weights that do not fit.
        DataError: a sample that cannot be read or has no labels.
    """
    resolved = load_config(config, cfg_options)
    validate(resolved, str(config))
    for key in ("val_dataset", "metrics"):
        if not resolved.get(key):
            raise ConfigError(f"{config}: names no {key!r}, so there is nothing to measure")
    runtime = {"type": "TorchRuntime", **(resolved.get("runtime") or {}), "device": device}
    net = build_net({**resolved, "checkpoint": str(checkpoint), "runtime": runtime})
    image_part, _ = split_stages([build(node, TRANSFORMS, "test_transforms") for node in resolved["test_transforms"]])
    dataset = build(resolved["val_dataset"], DATASETS, "val_dataset")
    size = resolved.get("val_batch_size") or resolved.get("batch_size", 8)
    kind = BoxEvaluator if measures_boxes(resolved) else CropEvaluator
    evaluator = kind([build(node, METRICS, "metrics") for node in resolved["metrics"]])
    answers: list[dict[str, Any]] = []
    loader = measuring_loader(dataset, image_part, size, resolved.get("workers", 0))
    try:
        for batch in loader:
            if isinstance(batch, Failure):
                raise batch.error()
            outputs = net({"img": batch["img"].numpy()})
            evaluator.process([outputs], batch)
            answers += _boxes(batch, outputs) if kind is BoxEvaluator else _joints(batch, outputs)
    finally:
        end_workers(loader)
    values = evaluator.evaluate(len(dataset))
    if out is not None:
        write_json(out, {"metrics": values, "samples": answers})
    return values


def _joints(batch: Mapping[str, Any], outputs: Mapping[str, Any]) -> list[dict[str, Any]]:
    points = inverse_crops(batch["crop"], outputs["keypoints"])
    return [
        {"sample_id": name, "keypoints": point.tolist(), "scores": score.tolist()}
        for name, point, score in zip(batch["sample_id"], points, outputs["scores"], strict=True)
    ]


def _boxes(batch: Mapping[str, Any], outputs: Mapping[str, Any]) -> list[dict[str, Any]]:
    size = tuple(batch["img"].shape[2:0:-1])
    return [
        {"sample_id": name, **image_detections(outputs, index, row["image_size"], size).to_dict()}
        for index, (name, row) in enumerate(zip(batch["sample_id"], batch["labels"], strict=True))
    ]
