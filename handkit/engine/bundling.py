"""From trained weights to a bundle: the folder that `handkit.pipeline(model=FOLDER)` reads."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import nn

from handkit.checkpoints import load_weights, save_weights
from handkit.checkpoints.stripping import halved
from handkit.errors import ConfigError
from handkit.files import sha256_of
from handkit.hub import resolve
from handkit.hub.bundle_card import BundleCard, BundleFile
from handkit.registry import MODELS, build
from handkit.registry.bundles import CONFIGURATION, load_bundle
from handkit.registry.config import load_config, with_options
from handkit.registry.keys import PIPELINE_KEYS
from handkit.registry.validate import validate

#: ModelScope's names of a task's pipeline.
_PIPELINES = {
    "hand_2d_keypoints": "hrnetv2w18_hand-2d-keypoints_image",
    "hand_detection": "yolox-pai_hand-detection",
}
_WEIGHTS = "model.safetensors"
_DETECTION_WEIGHTS = "detection/model.safetensors"


def write_bundle(
    out: str | os.PathLike[str],
    config: str | Path,
    checkpoint: str | Path,
    card: BundleCard,
    detector: str | Path | None = None,
    detector_checkpoint: str | Path | None = None,
    cfg_options: Mapping[str, Any] | None = None,
    half: bool = True,
    overwrite: bool = False,
) -> Path:
    """Writes configuration.json, the weights, card.json and README.md; the folder appears whole or not at all.

    Args:
        out: the folder to be.
        config: of the network that was trained: a path, or the name of one of handkit's own. Its keys of a pipeline
            are kept.
        checkpoint: the network's weights.
        card: what is said about them.
        detector: a config with a `detector`; None takes that of `config`.
        detector_checkpoint: the detector's weights; None leaves the reference that its node names.
        cfg_options: changes by dotted key to the bundle's config, e.g. ``{'presence_threshold': 0.5}``.
        half: store weights with two or more axes as float16; statistics of norms and biases stay float32.
        overwrite: put the new folder in the place of one that is there.

    Returns:
        The folder.

    Raises:
        ConfigError: no detector, a mistake in a config, or `out` is there and `overwrite` is not asked for.
        CheckpointError: weights that do not fit.
        OSError: the folder cannot be written.
    """
    folder = Path(out)
    if folder.exists() and not overwrite:
        raise ConfigError(f"{folder} is there already; choose another folder, or ask to overwrite it")
    bundled = _pipeline_config(load_config(config), detector, str(config))
    sources = {_WEIGHTS: (bundled["model"], checkpoint)}
    bundled["checkpoint"] = _WEIGHTS
    if detector_checkpoint is not None:
        sources[_DETECTION_WEIGHTS] = (bundled["detector"]["net"], detector_checkpoint)
        bundled["detector"]["checkpoint"] = _DETECTION_WEIGHTS
    bundled = with_options(bundled, cfg_options, str(config))
    validate(bundled, str(config), use="pipeline")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as beside:
        made = Path(beside) / folder.name
        files = [_write_weights(made, name, *source, half=half) for name, source in sources.items()]
        configuration = {
            "framework": "pytorch",
            "task": bundled["task"].replace("_", "-"),
            "pipeline": {"type": _PIPELINES[bundled["task"]]},
            "handkit": bundled,
        }
        (made / CONFIGURATION).write_text(json.dumps(configuration, indent=1) + "\n", encoding="utf-8")
        card.write(made, files, _thresholds(bundled))
        load_bundle(made)
        if folder.exists():
            shutil.rmtree(folder)
        made.replace(folder)
    return folder


def _pipeline_config(config: dict[str, Any], detector: str | Path | None, where: str) -> dict[str, Any]:
    """The keys of a pipeline, without what only training needs."""
    kept = {key: value for key, value in config.items() if key in PIPELINE_KEYS and value is not None}
    if "model" not in kept:
        raise ConfigError(f"{where}: names no 'model'")
    kept["model"] = {key: value for key, value in kept["model"].items() if key != "losses"}
    kept.setdefault("runtime", {"type": "TorchRuntime"})
    if detector is not None:
        other = load_config(detector)
        if not other.get("detector"):
            raise ConfigError(f"{detector}: names no 'detector'")
        kept |= {key: other[key] for key in ("detector", "retry_detector") if other.get(key)}
    if "detector" not in kept:
        raise ConfigError(f"{where}: names no 'detector'; give a config that does")
    return kept


def _write_weights(folder: Path, name: str, node: Mapping[str, Any], checkpoint: str | Path, half: bool) -> BundleFile:
    model: Any = build(node, MODELS, name)
    if not isinstance(model, nn.Module):
        raise ConfigError(f"{name}: {type(model).__name__} is no torch module, so its weights cannot be bundled")
    load_weights(model, resolve(str(checkpoint)))
    if half:
        for parameter in model.parameters():
            parameter.data = halved(parameter.data)
    path = folder / name
    save_weights(model, path)
    return BundleFile(name, sha256_of(path), path.stat().st_size)


def _thresholds(config: Mapping[str, Any]) -> dict[str, float]:
    """What decides whether something is a hand, as the bundle ships it."""
    found = {key: config[key] for key in ("box_threshold", "presence_threshold", "nms_iou") if key in config}
    for key, name in (("score_threshold", "box_threshold"), ("nms_iou", "nms_iou")):
        if key in config["detector"]:
            found.setdefault(name, config["detector"][key])
    return found
