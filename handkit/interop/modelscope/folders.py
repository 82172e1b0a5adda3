"""Folders of models as trainers see them: how a network is trained, its weights, and the folder written back."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

from handkit.errors import ConfigError
from handkit.files import replacing
from handkit.formats.easycv import configuration as easycv
from handkit.formats.modelscope import WEIGHTS, is_easycv, plain_values
from handkit.registry.config import with_options

#: Says what the old weights are.
_ABOUT_WEIGHTS = ("card.json", "README.md")
#: What a bundle is trained by where its configuration has no section `train`.
_DEFAULTS: dict[str, Any] = {
    "max_epochs": 20,
    "batch_size": 32,
    "optimizer": {"type": "Adam", "lr": 5e-4},
}
#: The loss of each codec's maps, and of each auxiliary head with its target.
_TARGETS = {"GaussianHeatmap": "KeypointMSELoss", "UDPHeatmap": "KeypointMSELoss"}
_AUX_LOSSES = {
    "HandednessHead": ("HandednessLoss", "right"),
    "PoseHandednessHead": ("HandednessLoss", "right"),
    "PresenceHead": ("PresenceLoss", "hand"),
}
_MOVES = ("TopDownRandomShift", "TopDownGetRandomScaleRotation", "TopDownRandomFlip")


@dataclass(frozen=True)
class TrainableModel:
    """What a model's folder says of its training.

    Args:
        folder: with configuration.json.
        config: handkit's keys, of a pipeline and of a training, without data sets where none are named.
        weights: the file with the network's; None where there is none.
        decisions: a line for each part that is only nearly what the configuration says.
    """

    folder: Path
    config: dict[str, Any]
    weights: Path | None
    decisions: tuple[str, ...]

    @classmethod
    def read(cls, folder: Path, file: Path, changes: Mapping[str, Any]) -> TrainableModel:
        """Reads a folder that EasyCV or handkit wrote.

        Args:
            folder: the model's.
            file: its configuration.json, or another one.
            changes: by dotted key of that file.

        Raises:
            ConfigError: no such file, or one that is neither's, has a key that is not known, or a network that cannot
                be trained.
        """
        configuration = with_options(_read(file), changes, str(file))
        decisions: list[str] = []
        if isinstance(configuration.get("handkit"), Mapping):
            config = _of_bundle(configuration, file.name, decisions)
            named = config.pop("checkpoint", None)
            weights = None if named is None or str(named).startswith(("hub:", "bundle:")) else folder / str(named)
        elif is_easycv(configuration):
            config = easycv.training(configuration, file.name, decisions)
            weights = folder / WEIGHTS
        else:
            raise ConfigError(f"{file}: is neither a bundle of handkit's (key 'handkit') nor a model of EasyCV's")
        return cls(folder, config, weights if weights is not None and weights.is_file() else None, tuple(decisions))

    @property
    def weights_name(self) -> str:
        """Where weights lie in the folder."""
        return WEIGHTS if self.weights is None else self.weights.relative_to(self.folder).as_posix()


def _read(file: Path) -> dict[str, Any]:
    try:
        value = plain_values(json.loads(file.read_text("utf-8")))
    except FileNotFoundError:
        raise ConfigError(f"{file.parent}: not the folder of a model: it holds no {file.name}") from None
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigError(f"{file}: cannot be read as JSON: {error}") from None
    if not isinstance(value, dict):
        raise ConfigError(f"{file}: expected a JSON object, got {type(value).__name__}")
    return value


def _of_bundle(configuration: Mapping[str, Any], where: str, decisions: list[str]) -> dict[str, Any]:
    """A pipeline's config, completed by what training needs: losses, targets, moves, optimizer."""
    config: dict[str, Any] = dict(configuration["handkit"])
    codec: dict[str, Any] = config.get("codec") or {}
    if (config.get("model") or {}).get("type") != "TopDownEstimator" or codec.get("type") not in _TARGETS:
        raise ConfigError(
            f"{where}: its network, {(config.get('model') or {}).get('type')!r}, cannot be trained; train a config, "
            "handkit train CONFIG"
        )
    head = config["model"]["head"]
    loss = {"type": "SpatialCrossEntropyLoss" if head.get("softmax") else _TARGETS[codec["type"]]}
    heads = [_AUX_LOSSES[aux["type"]] for aux in config["model"].get("aux_heads") or ()]
    keys = ["img", "heatmaps", "target_weight", *dict.fromkeys(key for _, key in heads)]
    made = {
        **config,
        "model": {**config["model"], "losses": [loss, *({"type": kind} for kind, _ in heads)]},
        "train_transforms": _training_steps(config["test_transforms"], codec, keys),
        "metrics": [{"type": name} for name in ("PCK", "AUC", "EPE", "NME", "NMEEasyCV")],
        **_DEFAULTS,
        **easycv.train_section(configuration, where),
        **easycv.evaluation(configuration, where, decisions),
    }
    decisions.append(
        f"{where}: the bundle does not say how it was trained: losses, moves and what is not in 'train' are handkit's"
    )
    return made


def _training_steps(steps: Any, codec: Mapping[str, Any], keys: list[str]) -> list[dict[str, Any]]:
    """The steps of testing with random moves before the crop and targets before the end."""
    made: list[dict[str, Any]] = []
    for step in steps:
        if step["type"] == "TopDownAffine":
            made += [{"type": kind} for kind in _MOVES]
        if step["type"] == "PoseCollect":
            made += [{"type": "TopDownGenerateTarget", "codec": dict(codec)}, {"type": "PoseCollect", "keys": keys}]
        else:
            made.append(step)
    return made


def export(model: TrainableModel, weights: Path, target: Path) -> Path:
    """Writes a model's folder anew with other weights; it appears whole or not at all, in the old one's place.

    Args:
        model: whose folder is copied.
        weights: safetensors.
        target: the new folder.

    Raises:
        OSError: it cannot be written.
    """
    root, old_weights = model.folder.resolve(), (model.folder / model.weights_name).resolve()
    with replacing(target) as made:
        own = {old_weights, target.resolve(), made.parent.resolve(), target.parent.resolve()}

        def left_out(folder: str, names: list[str]) -> set[str]:
            """The old weights and what is about them, and what the training writes, if that is below the model's."""
            here = Path(folder).resolve()
            about = set(_ABOUT_WEIGHTS) if here == root else set[str]()
            return {name for name in names if name in about or here / name in own}

        shutil.copytree(model.folder, made, ignore=left_out)
        file = made / model.weights_name
        file.parent.mkdir(parents=True, exist_ok=True)
        if file.suffix == ".safetensors":
            shutil.copyfile(weights, file)
        else:
            torch.save({"state_dict": load_file(weights)}, file)
    return target
