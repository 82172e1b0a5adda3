"""From nodes ``dict(type=NAME, **arguments)`` to objects, by registered names only.

mmengine's own build falls back to importing any dotted path and calling it, so a config could run
``subprocess.check_output``; and a child registry does not build nested nodes. Hence this module: a name is looked up in
handkit's registries and nowhere else, and nodes inside arguments, lists and tuples are built first.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from mmengine.registry import Registry

from handkit.errors import ConfigError, did_you_mean
from handkit.registry.foreign import BRINGS, plug_in
from handkit.registry.registries import ALL, NEEDS_TORCH


def is_node(value: object) -> bool:
    """True for a mapping that names a component: ``dict(type='HRNet', ...)``."""
    return isinstance(value, Mapping) and "type" in value


def registered(registry: Registry) -> list[str]:
    """All names of a registry, sorted, after importing every room it lists."""
    for room in registry._locations:
        importlib.import_module(room)
    return sorted(registry.module_dict)


def resolve(name: object, expect: Registry | None = None, where: str = "config") -> type:
    """The class registered under a name.

    Args:
        name: a plain registered name, or ``handkit.NAME``. Dotted import paths are refused, and so are the names of
            foreign scopes unless the user's own import brought that scope: as a plug-in, see
            `handkit.registry.foreign`, or registered below one of our registries.
        expect: the registry it must come from; None searches all of them.
        where: the place in the config, for the message.

    Raises:
        ConfigError: the name is not registered.
    """
    if not isinstance(name, str):
        raise ConfigError(f"{where}: type must be a registered name (a string), not {name!r}")
    registries = list(ALL.values()) if expect is None else [expect]
    scope, _, plain = name.rpartition(".")
    brought = plug_in(name)
    if brought is not None:
        return brought.find(name, [registry.name for registry in registries], where)
    if scope in BRINGS:
        raise ConfigError(
            f"{where}: {name} is not handkit's; components of {scope} are there once the config says "
            f"custom_imports = dict(imports=[{BRINGS[scope]!r}])"
        )
    found = _find(plain, registries) if scope in ("", "handkit") else _find_foreign(scope, plain, registries)
    if found is not None:
        return found
    kind = "component" if expect is None else expect.name
    known = {n for registry in registries for n in registered(registry)}
    raise ConfigError(f"{where}: no {kind} is registered as {name!r}; {did_you_mean(plain, known)}")


def _find(name: str, registries: Sequence[Registry]) -> type | None:
    """Looks a plain name up, importing rooms one by one until it is there, those that need torch last."""
    rooms = [room for registry in registries for room in registry._locations]
    for room in (None, *sorted(rooms, key=NEEDS_TORCH.__contains__)):
        if room is not None:
            importlib.import_module(room)
        for registry in registries:
            if name in registry.module_dict:
                found: type = registry.module_dict[name]
                return found
    return None


def _find_foreign(scope: str, name: str, registries: Sequence[Registry]) -> type | None:
    children = (registry.children[scope] for registry in registries if scope in registry.children)
    return next((child.module_dict[name] for child in children if name in child.module_dict), None)


def build(cfg: Mapping[str, Any], expect: Registry | None = None, where: str = "config", **extra: Any) -> Any:
    """Builds a node and, first, every node inside its arguments.

    Args:
        cfg: ``dict(type=NAME, **arguments)``; it is not changed.
        expect: the registry the outermost name must come from.
        where: the node's place in the config, used in messages, e.g. ``model.backbone``.
        **extra: arguments given by the caller; they win over the config's.

    Raises:
        ConfigError: unknown name, or arguments that the constructor does not take.
    """
    if not is_node(cfg):
        raise ConfigError(f"{where}: expected dict(type=..., ...), got {cfg!r}")
    cls = resolve(cfg["type"], expect, where)
    brought = plug_in(cfg["type"])
    arguments = {key: value for key, value in cfg.items() if key != "type"}
    if brought is None:
        arguments = {key: _build_inside(value, f"{where}.{key}") for key, value in arguments.items()}
    arguments.update(extra)
    check_arguments(cls, arguments, where)
    return cls(**arguments) if brought is None else brought.build(cls, arguments, where)


def _build_inside(value: Any, where: str) -> Any:
    if is_node(value):
        return build(value, where=where)
    if isinstance(value, Mapping):
        return {key: _build_inside(item, f"{where}.{key}") for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_build_inside(item, f"{where}.{index}") for index, item in enumerate(value))
    return value


#: Arguments that the code which builds a node passes itself, so that a config may leave them out.
GIVEN_BY_CALLER = ("score_threshold", "nms_iou")


def check_arguments(cls: type, arguments: Mapping[str, Any], where: str, partial: bool = False) -> None:
    """Binds arguments to a constructor's signature without calling it.

    Args:
        cls: the class to be built.
        arguments: by name.
        where: the node's place in the config.
        partial: the arguments in `GIVEN_BY_CALLER` may be missing.

    Raises:
        ConfigError: an unknown argument (with the nearest known one) or a missing one.
    """
    parameters = dict(inspect.signature(cls).parameters)
    rest = [n for n, p in parameters.items() if p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]  # of foreign classes only
    takes_any = any(parameters.pop(name).kind is inspect.Parameter.VAR_KEYWORD for name in rest)
    for key in arguments:
        if key not in parameters and not takes_any:
            raise ConfigError(f"{where}: {cls.__name__} takes no argument {key!r}; {did_you_mean(key, parameters)}")
    given = {*arguments, *(GIVEN_BY_CALLER if partial else ())}
    missing = [n for n, p in parameters.items() if p.default is p.empty and n not in given]
    if missing:
        raise ConfigError(f"{where}: {cls.__name__} needs the argument {missing[0]!r}")
