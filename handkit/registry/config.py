"""Config files: finding, reading and changing them.

A config is a Python text file in mmengine's style: variables, `_base_` files merged below them, no imports of code.
Helper variables begin with an underscore and are dropped. handkit's own configs are installed with it and found by
their name below ``configs/``, from any folder, and as ``handkit::NAME`` among the bases of a config that lies anywhere
(`handkit.registry.bases`). Those of EasyCV and mmpose are translated (`handkit.formats`).
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from mmengine.config import Config

from handkit.errors import ConfigError, HandkitError
from handkit.formats.foreign import Translation, translation
from handkit.hub import bundle_path
from handkit.registry.bases import BaseError, config_names, config_root, find_config, own_bases
from handkit.registry.bundles import shipped_detector
from handkit.registry.keys import DOTTED_KEYS, NODE_LISTS

__all__ = [
    "config_names",
    "config_root",
    "find_config",
    "load_config",
    "parse_options",
    "translated",
    "with_options",
]


def load_config(name: str | Path, options: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Reads a config, merges its bases and applies options.

    Args:
        name: see `find_config`.
        options: changes by dotted key, e.g. ``{'test_transforms.1.padding': 1.5}``; a number is a place in a list, and
            a dict with ``_delete_=True`` replaces a node instead of being merged into it.

    Returns:
        Plain nested dicts, lists and tuples, without helpers.

    Raises:
        ConfigError: no such file, a mistake in it, or an option that fits no place.
    """
    path = find_config(name)
    if (foreign := translated(path)) is not None:
        return with_options(foreign.config, options, str(path))
    try:
        with own_bases():
            config = Config.fromfile(str(path), lazy_import=False)
    except BaseError:
        raise
    except Exception as error:
        reason = _reason(error)
        raise ConfigError(f"{path}: cannot be read as a config: {type(reason).__name__}: {reason}") from error
    return with_options(_plain(config), options, str(path))


def translated(name: str | Path) -> Translation | None:
    """What the config of another toolkit says, with the detector in the package; None of one of handkit's own.

    Args:
        name: see `find_config`.

    Raises:
        ConfigError: no such file, or what handkit cannot translate, with its place.
    """
    path = find_config(name)
    made = translation(path)
    if made is None:
        return None
    bundle = bundle_path("hand_detection")
    finds = {**shipped_detector(bundle), "runtime": {"type": "TorchRuntime"}}
    line = f"{path.name}: names no detector; in photographs, that of the bundle {bundle.name} finds the hands"
    return replace(made, config={**made.config, **finds}, decisions=(*made.decisions, line))


def _reason(error: BaseException) -> BaseException:
    """The error of handkit's own behind one of mmengine's, which hides what a custom import raised; else itself."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, HandkitError):
            return seen
        seen = seen.__cause__ or seen.__context__
    return error


def with_options(config: dict[str, Any], options: Mapping[str, Any] | None, where: str = "config") -> dict[str, Any]:
    """A copy of a config with options applied; see `load_config`."""
    merged = Config(config)
    for key, value in (options or {}).items():
        if key.startswith("_"):
            raise ConfigError(
                f"{where}: option {key}={value!r}: helpers are in their places already when options come; name the "
                "place, e.g. test_transforms.1.padding=1.5"
            )
        table, _, name = key.partition(".")
        if table in DOTTED_KEYS and name:
            merged[table] = {**(merged.get(table) or {}), name: value}
            continue
        try:
            merged.merge_from_dict({key: copy.deepcopy(value)})  # which takes ``_delete_`` out of it
        except (KeyError, IndexError, TypeError, AssertionError, AttributeError) as error:
            raise ConfigError(f"{where}: option {key}={value!r} fits no place in the config: {error}") from error
    return _plain(merged)


def parse_options(pairs: Sequence[str]) -> dict[str, Any]:
    """``['a.b=1', "c=['x']", 'd=text']`` -> ``{'a.b': 1, 'c': ['x'], 'd': 'text'}``: Python literals, else text.

    Raises:
        ConfigError: an entry without ``=``.
    """
    options: dict[str, Any] = {}
    for pair in pairs:
        key, sign, text = pair.partition("=")
        if not sign or not key:
            raise ConfigError(f"--cfg-options takes KEY=VALUE, not {pair!r}")
        try:
            options[key] = ast.literal_eval(text)
        except (ValueError, SyntaxError):
            options[key] = {"true": True, "false": False, "none": None}.get(text.lower(), text)
    return options


def _plain(config: Config) -> dict[str, Any]:
    """Plain dicts instead of mmengine's, without top-level helpers; lists of nodes are flat."""
    kept = {key: item for key, item in config.to_dict().items() if not key.startswith("_")}
    return {key: _flat(item) if key in NODE_LISTS and isinstance(item, list) else item for key, item in kept.items()}


def _flat(nodes: Sequence[Any]) -> list[Any]:
    """A list among the nodes stands for its items: ``{{_base_._steps}}`` may stand in a config's own list."""
    return [item for node in nodes for item in (_flat(node) if isinstance(node, (list, tuple)) else [node])]
