"""A bundle: one folder that holds a resolved config and its weights.

`configuration.json` has ModelScope's keys plus one key ``handkit`` with the pipeline config as JSON. Nothing in it is
executed: its nodes may only name handkit's registered components, and its paths only files inside the folder.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from handkit.errors import ConfigError
from handkit.registry.foreign import BRINGS, PLUG_INS

CONFIGURATION = "configuration.json"


def load_bundle(folder: Path) -> dict[str, Any]:
    """The pipeline config of a bundle, with the paths of its weights made absolute.

    Raises:
        ConfigError: no configuration.json, not JSON, no key ``handkit``, or a path that leaves the folder.
    """
    path = folder / CONFIGURATION
    try:
        configuration = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{folder}: not a bundle: it holds no {CONFIGURATION}") from None
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: cannot be read as JSON: {error}") from None
    config = configuration.get("handkit") if isinstance(configuration, dict) else None
    if not isinstance(config, dict):
        raise ConfigError(f"{path}: the key 'handkit' with the pipeline config is missing")
    check_own(config, str(path))
    inside: dict[str, Any] = _with_paths(config, folder.resolve(), str(path))
    return inside


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
            key: _inside(item, folder, where) if key == "checkpoint" else _with_paths(item, folder, where)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [_with_paths(item, folder, where) for item in value]
    return value


def _inside(reference: Any, folder: Path, where: str) -> Any:
    """A checkpoint of the bundle as an absolute path; ``hub:`` references stay."""
    if reference is None or (isinstance(reference, str) and reference.startswith("hub:")):
        return reference
    path = (folder / str(reference)).resolve()
    if not path.is_relative_to(folder):
        raise ConfigError(f"{where}: the checkpoint {reference!r} lies outside the bundle")
    if not path.is_file():
        raise ConfigError(f"{where}: the checkpoint {reference!r} is missing")
    return str(path)
