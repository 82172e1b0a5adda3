"""From trained weights to a bundle: the folder that `handkit.pipeline(model=FOLDER)` reads."""

from __future__ import annotations

import inspect
import json
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import torch
from torch import nn

from handkit.checkpoints import (
    load_weights,
    read_state_dict,
    save_pickled,
    save_tensors,
    save_weights,
    to_easycv_keys,
)
from handkit.checkpoints.stripping import halved
from handkit.errors import ConfigError
from handkit.files import replacing, sha256_of
from handkit.formats import easycv_writing
from handkit.formats.modelscope import CONFIGURATION, WEIGHTS
from handkit.hub import bundle_paths, resolve
from handkit.hub.bundle_card import BundleCard, BundleFile
from handkit.registry import MODELS, build
from handkit.registry import resolve as resolve_type
from handkit.registry.bundles import load_bundle, shipped_detector
from handkit.registry.config import load_config, with_options
from handkit.registry.keys import PIPELINE_KEYS
from handkit.registry.mask_detector import marks_pixels, mask_detector
from handkit.registry.pairing import is_bottom_up
from handkit.registry.validate import validate

#: Keys of a config that decide what is a hand.
_THRESHOLDS = ("box_threshold", "detection_threshold", "presence_threshold", "pose_nms", "nms_iou")
#: ModelScope's names of a task's pipeline, where it has that task.
_PIPELINES = {
    "hand_2d_keypoints": "hrnetv2w18_hand-2d-keypoints_image",
    "hand_detection": "yolox-pai_hand-detection",
}
Layout = Literal["handkit", "modelscope"]
#: The names of the network's and the detector's weights.
_NAMES: dict[str, tuple[str, str]] = {
    "handkit": ("model.safetensors", "detection/model.safetensors"),
    "modelscope": (WEIGHTS, easycv_writing.DETECTOR_WEIGHTS),
}
logger = logging.getLogger("handkit.engine")


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
    layout: str = "handkit",
    base: str | None = None,
) -> Path:
    """Writes configuration.json, the weights, card.json and README.md; the folder appears whole or not at all.

    In ModelScope's layout the weights are those of torch.save, ``pytorch_model.pt`` and
    ``detection/detection_model.pth``. Where EasyCV has network and detector too, configuration.json also says in its
    terms how to run them, ``detection/config.py`` stands beside, and the weights have the names it knows; where not, a
    warning says so.

    Args:
        out: the folder to be.
        config: of the network that was trained: a path, or the name of one of handkit's own. Its keys of a pipeline
            are kept.
        checkpoint: the network's weights.
        card: what is said about them.
        detector: a config with a `detector`, one of the task 'hand_segmentation', whose boxes are those of the pieces
            of its mask, or the name of a bundle in the package, to whose detector the new one then refers; None takes
            that of `config`. A network that reads whole images needs none.
        detector_checkpoint: the detector's weights; None leaves the reference that its node names.
        cfg_options: changes by dotted key to the bundle's config, e.g. ``{'presence_threshold': 0.5}``.
        half: store weights with two or more axes as float16; statistics of norms and biases stay float32.
        overwrite: put the new folder in the place of one that is there.
        layout: 'handkit', with safetensors, or 'modelscope'.
        base: weights that every user has, ``bundle:NAME/FILE`` or ``hub:CARD/FILE``: what the network shares with them
            is left out, and the bundle is read on top of them. Of the layout 'handkit' alone.

    Returns:
        The folder.

    Raises:
        ConfigError: no detector, a mistake in a config, a base of which the network has nothing, or `out` is there and
            `overwrite` is not asked for, or would replace what is no bundle.
        CheckpointError: weights that do not fit.
        OSError: the folder cannot be written.
    """
    folder = Path(out)
    if layout not in _NAMES:
        raise ConfigError(f"layout={layout!r} is none of {', '.join(_NAMES)}")
    if base is not None and layout != "handkit":
        raise ConfigError(f"base={base!r} is of the layout 'handkit': nobody else reads one file on top of another")
    if base is not None and not base.startswith(("bundle:", "hub:")):
        raise ConfigError(f"base={base!r} is no bundle:NAME/FILE and no hub:CARD/FILE, so others would not have it")
    _check_target(folder, overwrite)
    bundled = _pipeline_config(load_config(config), detector, str(config))
    bundled["checkpoint"], detection = _NAMES[layout]
    sources = {bundled["checkpoint"]: (bundled["model"], checkpoint)}
    if detector_checkpoint is not None:
        sources[detection] = (bundled["detector"]["net"], detector_checkpoint)
        bundled["detector"]["checkpoint"] = detection
    if base is not None:
        bundled["base_checkpoint"] = base
    bundled = with_options(bundled, cfg_options, str(config))
    validate(bundled, str(config), use="pipeline")
    with replacing(folder) as made:
        files = [_write_weights(made, name, *source, half=half, base=base) for name, source in sources.items()]
        easycv = _write_easycv(made, bundled) if layout == "modelscope" else {}
        configuration = {
            "framework": "pytorch",
            "task": bundled["task"].replace("_", "-"),
            **easycv,
            **_pipeline_key(bundled["task"], easycv),
            "handkit": bundled,
        }
        (made / CONFIGURATION).write_text(json.dumps(configuration, indent=1) + "\n", encoding="utf-8")
        card.write(made, files, _thresholds(bundled), None if base is None else _file(base, resolve(base)))
        load_bundle(made)
    return folder


def _check_target(folder: Path, overwrite: bool) -> None:
    """Raises a ConfigError where a bundle would take the place of something else."""
    if not os.path.lexists(folder):
        return
    if not overwrite:
        raise ConfigError(f"{folder} is there already; choose another folder, or ask to overwrite it")
    if Path.cwd().is_relative_to(folder.resolve()):
        raise ConfigError(f"{folder} is the current folder, or above it; name another")
    replaceable = folder.is_dir() and not folder.is_symlink()
    if not replaceable or (any(folder.iterdir()) and not (folder / CONFIGURATION).is_file()):
        raise ConfigError(f"{folder} is no bundle ({CONFIGURATION}), so it is not overwritten; choose another folder")


def _pipeline_config(config: dict[str, Any], detector: str | Path | None, where: str) -> dict[str, Any]:
    """The keys of a pipeline, without what only training needs."""
    kept = {key: value for key, value in config.items() if key in PIPELINE_KEYS and value is not None}
    if "model" not in kept:
        raise ConfigError(f"{where}: names no 'model'")
    kept["model"] = {key: value for key, value in kept["model"].items() if key != "losses"}
    kept.setdefault("runtime", {"type": "TorchRuntime"})
    shipped = {path.name: path for path in bundle_paths()}
    if str(detector) in shipped:
        kept |= shipped_detector(shipped[str(detector)])
    elif detector is not None:
        other = load_config(detector)
        if marks_pixels(other):
            other = mask_detector(other)
        if not other.get("detector"):
            raise ConfigError(f"{detector}: names no 'detector'")
        kept |= {key: other[key] for key in ("detector", "retry_detector") if other.get(key)}
    if "detector" not in kept and not is_bottom_up(kept):
        raise ConfigError(f"{where}: names no 'detector'; give a config that does")
    return kept


def _pipeline_key(task: str, easycv: Mapping[str, Any]) -> dict[str, Any]:
    """What ModelScope's `pipeline` asks for; nothing for a task that it does not know."""
    return {"pipeline": {"type": _PIPELINES[task], **easycv.get("pipeline", {})}} if task in _PIPELINES else {}


def _write_weights(
    folder: Path, name: str, node: Mapping[str, Any], checkpoint: str | Path, half: bool, base: str | None
) -> BundleFile:
    model: Any = build(node, MODELS, name)
    if not isinstance(model, nn.Module):
        raise ConfigError(f"{name}: {type(model).__name__} is no torch module, so its weights cannot be bundled")
    load_weights(model, resolve(str(checkpoint)))
    if half:
        for parameter in model.parameters():
            parameter.data = halved(parameter.data)
    path = folder / name
    if base is not None and name == _NAMES["handkit"][0]:
        _save_own(model, path, base)
    elif name == WEIGHTS:
        save_pickled(to_easycv_keys(model.state_dict()), path)
    elif path.suffix == ".pth":
        save_pickled(model.state_dict(), path)
    else:
        save_weights(model, path)
    return _file(name, path)


def _save_own(model: nn.Module, path: Path, base: str) -> None:
    """Saves what a model does not share, bit for bit, with its base."""
    below = read_state_dict(resolve(base))
    weights = model.state_dict()
    shared = {key for key, value in below.items() if key in weights and torch.equal(weights[key], value)}
    if not shared:
        raise ConfigError(f"base={base!r}: no tensor of the network is the same there")
    save_tensors({key: value for key, value in weights.items() if key not in shared}, path)


def _file(name: str, path: Path) -> BundleFile:
    return BundleFile(name, sha256_of(path), path.stat().st_size)


def _write_easycv(folder: Path, config: Mapping[str, Any]) -> dict[str, Any]:
    """EasyCV's sections of configuration.json, once the detector's config is written; none where it lacks a part."""
    try:
        complete = _complete({key: config[key] for key in config if key != "runtime"})
        made = easycv_writing.sections(complete)
        text = easycv_writing.detector_text(complete["detector"])
        if not (folder / easycv_writing.DETECTOR_WEIGHTS).is_file():
            raise ConfigError("the detector's weights are not in the bundle")
    except ConfigError as error:
        logger.warning("%s: only handkit can run it, since EasyCV lacks a part: %s", folder.name, error)
        return {}
    (folder / easycv_writing.DETECTOR_CONFIG).write_text(text, encoding="utf-8")
    return made


def _complete(value: Any) -> Any:
    """A config whose nodes state all of their arguments, those they leave out with the constructor's defaults."""
    if isinstance(value, Mapping):
        node = dict(value)
        if "type" in node:
            parameters = inspect.signature(resolve_type(node["type"])).parameters
            node = {**{key: p.default for key, p in parameters.items() if p.default is not p.empty}, **node}
        return {key: _complete(item) for key, item in node.items()}
    return [_complete(item) for item in value] if isinstance(value, (list, tuple)) else value


def _thresholds(config: Mapping[str, Any]) -> dict[str, float]:
    """What decides whether something is a hand, as the bundle ships it."""
    found = {key: config[key] for key in _THRESHOLDS if key in config}
    for key, name in (("score_threshold", "box_threshold"), ("nms_iou", "nms_iou")):
        if key in config.get("detector", {}):
            found.setdefault(name, config["detector"][key])
    return found
