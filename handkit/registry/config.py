"""Config files: finding, reading and changing them.

A config is a Python text file in mmengine's style: variables, `_base_` files merged below them, no imports of code.
Helper variables begin with an underscore and are dropped. handkit's own configs are installed with it and found by
their name below ``configs/``, from any folder. Those of EasyCV and mmpose are translated (`handkit.formats`).
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from mmengine.config import Config

from handkit.errors import ConfigError, HandkitError, did_you_mean
from handkit.formats.foreign import Translation, translation
from handkit.hub import bundle_path
from handkit.registry.bundles import shipped_detector
from handkit.registry.keys import NODE_LISTS

_PACKAGE = Path(__file__).resolve().parents[1]


def config_root() -> Path:
    """The folder of handkit's own configs: inside the installed package, or beside it in a checkout."""
    installed = _PACKAGE / "configs"
    return installed if installed.is_dir() else _PACKAGE.parent / "configs"


def config_names() -> list[str]:
    """The names of handkit's own runnable configs, e.g. ``pipelines/hand_2d_keypoints_mediapipe``."""
    root = config_root()
    files = (path.relative_to(root) for path in root.rglob("*.py"))
    return sorted(
        path.with_suffix("").as_posix() for path in files if path.parts[0] != "_base_" and path.stem[0] != "_"
    )


def find_config(name: str | Path) -> Path:
    """The file of a config.

    Args:
        name: a path, or the name of one of handkit's own, with or without ``configs/`` before and ``.py`` behind it.

    Raises:
        ConfigError: there is no such file.
    """
    path = Path(name)
    if path.is_file():
        return path
    plain = path.as_posix().removeprefix("configs/").removesuffix(".py")
    own = config_root() / f"{plain}.py"
    if own.is_file():
        return own
    raise ConfigError(f"no config {str(name)!r}: neither a file nor one of handkit's own; {_nearest(plain)}")


def _nearest(plain: str) -> str:
    hint = did_you_mean(plain, config_names())
    return hint if hint.startswith("did") else "`handkit ls configs` lists those"


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
        config = Config.fromfile(str(path), lazy_import=False)
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
