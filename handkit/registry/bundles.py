"""Folders of models: one configuration.json and the weights beside it.

Two kinds are read. handkit's own bundles have ModelScope's keys plus one key ``handkit`` with the pipeline config as
JSON; the models that EasyCV put on ModelScope's hub are translated by `handkit.formats.modelscope`. Nothing in either
is executed: nodes may only name handkit's registered components, paths only files inside the folder, and the
detector's ``config.py`` is parsed as text.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from handkit.errors import ConfigError
from handkit.formats import modelscope, parse_config
from handkit.formats.modelscope import CONFIGURATION
from handkit.registry.foreign import BRINGS, PLUG_INS

#: Suffixes of files that hold weights.
_WEIGHTS = (".pt", ".pth", ".bin", ".safetensors")
_TEXT_LIMIT = 16 << 20  # bytes of a config


def load_bundle(folder: Path, checkpoint: str | os.PathLike[str] | None = None) -> dict[str, Any]:
    """The pipeline config of a model's folder, with the paths of its weights made absolute.

    Args:
        folder: a bundle, or a model folder of ModelScope's as EasyCV wrote it.
        checkpoint: the weights to take instead of the folder's, which may then be missing or several.

    Raises:
        ConfigError: no configuration.json, or one of another kind; a part of it that handkit has no counterpart of; a
            file that is missing, that leaves the folder, or that there are several of; a config with code in it.
    """
    folder = folder.expanduser()
    configuration = read_configuration(folder)
    where = str(folder / CONFIGURATION)
    if "handkit" in configuration:
        config = configuration["handkit"]
        if not isinstance(config, dict):
            raise ConfigError(f"{where}: the key 'handkit' must hold the pipeline config, an object")
        check_own(config, where)
    else:
        modelscope.check(configuration, where)
        config = modelscope.translate(configuration, _detection(folder, configuration, where), where)
        config["checkpoint"] = str(checkpoint) if checkpoint is not None else _only_weights(folder)
    if checkpoint is not None:
        config = {key: value for key, value in config.items() if key != "checkpoint"}
    inside: dict[str, Any] = _with_paths(config, folder.resolve(), where)
    return inside if checkpoint is None else {**inside, "checkpoint": os.fspath(checkpoint)}


def shipped_detector(folder: Path) -> dict[str, Any]:
    """The nodes by which a bundle in the package finds hands, its weights named ``bundle:NAME/FILE``."""
    config = read_configuration(folder)["handkit"]
    weights = config["detector"]["checkpoint"]
    named = weights if weights.startswith("bundle:") else f"bundle:{folder.name}/{weights}"
    return {"detector": {**config["detector"], "checkpoint": named}, "box_threshold": config["box_threshold"]}


def read_configuration(folder: Path) -> dict[str, Any]:
    """The object in a folder's configuration.json, as plain values.

    Raises:
        ConfigError: there is none, or it is no JSON object.
    """
    path = folder / CONFIGURATION
    try:
        configuration = modelscope.plain_values(json.loads(_text(path)))
    except FileNotFoundError:
        raise ConfigError(
            f"{folder}: no folder of a model: it holds no {CONFIGURATION}. handkit reads its own bundles (`handkit "
            "export bundle` writes them) and ModelScope's folders of hand-2d-keypoints as snapshot_download brings them"
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: cannot be read as JSON: {error}") from None
    if not isinstance(configuration, dict):
        raise ConfigError(f"{path}: expected a JSON object, got {type(configuration).__name__}")
    return configuration


def _detection(folder: Path, configuration: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The parsed config of the detector."""
    node = configuration["DETECTION"]
    name = node.get("config_file") if isinstance(node, dict) else None
    if not isinstance(name, str):
        raise ConfigError(f"{where}: DETECTION names no 'config_file'")
    path = Path(_inside(name, folder.resolve(), where, "the detector's config"))
    try:
        return parse_config(_text(path), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from None


def _text(path: Path) -> str:
    if path.stat().st_size > _TEXT_LIMIT:
        raise ConfigError(f"{path}: {path.stat().st_size} bytes are too many for a config")
    return path.read_text(encoding="utf-8")


def _only_weights(folder: Path) -> str:
    """The one weight file that lies in the folder itself.

    Raises:
        ConfigError: there is none, or there are several.
    """
    found = sorted(path.name for path in folder.iterdir() if path.suffix in _WEIGHTS and path.is_file())
    if not found:
        raise ConfigError(f"{folder}: holds no weights; expected {modelscope.WEIGHTS}")
    if len(found) > 1:
        raise ConfigError(
            f"{folder}: holds several weight files, {', '.join(found)}; keep one there, or name one with checkpoint="
        )
    return found[0]


def check_own(config: Any, where: str) -> None:
    """A bundle's config must be whole without anybody else's code.

    Raises:
        ConfigError: it imports modules, or names components of another toolkit.
    """
    if isinstance(config, dict):
        if "custom_imports" in config:
            raise ConfigError(f"{where}: custom_imports: a bundle imports nothing; use the config it was made of")
        name = config.get("type")
        if isinstance(name, str) and name.rpartition(".")[0] in {*BRINGS, *PLUG_INS}:
            raise ConfigError(f"{where}: {name} is not handkit's; a bundle holds handkit's components only")
    for item in config.values() if isinstance(config, dict) else config if isinstance(config, list) else ():
        check_own(item, where)


def _with_paths(value: Any, folder: Path, where: str) -> Any:
    if isinstance(value, dict):
        return {
            key: _reference(item, folder, where)
            if key in ("checkpoint", "base_checkpoint")
            else _with_paths(item, folder, where)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [_with_paths(item, folder, where) for item in value]
    return value


def _reference(reference: Any, folder: Path, where: str) -> Any:
    """A checkpoint of the folder as an absolute path; ``hub:`` and ``bundle:`` references stay."""
    if reference is None or (isinstance(reference, str) and reference.startswith(("hub:", "bundle:"))):
        return reference
    return _inside(str(reference), folder, where, "the checkpoint")


def _inside(name: str, folder: Path, where: str, what: str) -> str:
    """The absolute path of a file of the folder.

    Raises:
        ConfigError: it is missing, or lies outside.
    """
    path = (folder / name).resolve()
    if not path.is_relative_to(folder):
        raise ConfigError(f"{where}: {what} {name!r} lies outside the folder")
    if not path.is_file():
        raise ConfigError(f"{where}: {what} {name!r} is missing")
    return str(path)
