"""Finding a config's mistakes before anything is built."""

from __future__ import annotations

import collections.abc
import inspect
import types
import typing
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from handkit.errors import ConfigError, did_you_mean
from handkit.registry.build import check_arguments, is_node, resolve
from handkit.registry.foreign import plug_in
from handkit.registry.keys import CONFIG_KEYS, TrainingSettings
from handkit.registry.limits import check_limits
from handkit.registry.pairing import check_pairs, is_bottom_up
from handkit.registry.registries import (
    CODECS,
    DATASETS,
    DETECTORS,
    METRICS,
    MODELS,
    OPTIMIZERS,
    RUNTIMES,
    SCHEDULES,
    TRANSFORMS,
)
from handkit.skeleton import SKELETONS

Use = Literal["pipeline", "training"]
_REQUIRED: dict[Use, tuple[str, ...]] = {
    "pipeline": ("task", "detector", "test_transforms"),
    "training": ("model", "train_dataset", "train_transforms", "optimizer"),
}
_KINDS = {
    "detector": DETECTORS,
    "retry_detector": DETECTORS,
    "model": MODELS,
    "codec": CODECS,
    "gesture": MODELS,
    "runtime": RUNTIMES,
    "train_dataset": DATASETS,
    "val_dataset": DATASETS,
    "optimizer": OPTIMIZERS,
    "schedule": SCHEDULES,
}
_LISTS = {"test_transforms": TRANSFORMS, "train_transforms": TRANSFORMS, "metrics": METRICS}


def validate(config: Mapping[str, Any], where: str = "config", use: Use | None = None) -> int:
    """Checks every key and binds every node to its constructor's signature; builds nothing.

    Args:
        config: one config may serve both uses.
        where: its name in messages.
        use: what it must be complete for; None: for a training if it names a `train_dataset`, for a pipeline if it
            names a `detector`, needs none (`is_bottom_up`), or names no `train_dataset`.

    Returns:
        The number of nodes that were checked.

    Raises:
        ConfigError: the first mistake, with its place and the nearest known word.
    """
    for key in config:
        if key not in CONFIG_KEYS:
            raise ConfigError(f"{where}: unknown key {key!r}; {did_you_mean(key, CONFIG_KEYS)}")
    for need in _uses(config) if use is None else (use,):
        _check_complete(config, need, where)
    count = 0
    for key, value in config.items():
        count += _check_inside(value, key)
        if key in _KINDS and value is not None:
            resolve(_type_of(value, key), _KINDS[key], key)
    for key, registry in _LISTS.items():
        for index, step in enumerate(_list(config, key)):
            resolve(_type_of(step, f"{key}.{index}"), registry, f"{key}.{index}")
    if (skeleton := config.get("skeleton", "hand")) not in SKELETONS:
        raise ConfigError(f"{where}: no skeleton {skeleton!r}; {did_you_mean(str(skeleton), SKELETONS)}")
    check_limits(config)
    _check_second_look(config)
    _check_sizes(config)
    check_pairs(config)
    return count


def measures_boxes(config: Mapping[str, Any]) -> bool:
    """Whether a config's network answers boxes in whole images, which need no codec; otherwise joints."""
    return config.get("task") == "hand_detection"


def measures_masks(config: Mapping[str, Any]) -> bool:
    """Whether a config's network answers which pixels of whole images show a hand, which needs no codec."""
    return config.get("task") == "hand_segmentation"


def measures_gestures(config: Mapping[str, Any]) -> bool:
    """Whether a config's network answers which gesture joints show, which needs no codec."""
    return config.get("task") == "gesture_classification"


def needs_codec(config: Mapping[str, Any]) -> bool:
    """Whether joints are read off a config's network by a codec."""
    return not (measures_boxes(config) or measures_masks(config) or measures_gestures(config))


def _check_second_look(config: Mapping[str, Any]) -> None:
    value = config.get("second_look", False)
    if not isinstance(value, bool):
        raise ConfigError(f"second_look: {value!r} is not True or False; it is {CONFIG_KEYS['second_look']}")
    if value and (not needs_codec(config) or is_bottom_up(config)):
        raise ConfigError("second_look: the network sees no crops of hands that could be turned: leave it out")


def _uses(config: Mapping[str, Any]) -> list[Use]:
    trains = "train_dataset" in config
    uses: list[Use] = ["training"] if trains else []
    return uses if trains and "detector" not in config and not is_bottom_up(config) else [*uses, "pipeline"]


def _check_complete(config: Mapping[str, Any], use: Use, where: str) -> None:
    for key in _REQUIRED[use]:
        if key not in config and not (key == "detector" and is_bottom_up(config)):
            raise ConfigError(f"{where}: the key {key!r} is missing ({CONFIG_KEYS[key]})")
    if use == "pipeline":
        return
    hints = typing.get_type_hints(TrainingSettings)
    for key, value in config.items():
        if key in hints and not fits(value, hints[key]):
            raise ConfigError(f"{where}: {key}={value!r} is not {_describe(hints[key])}; it is {CONFIG_KEYS[key]}")
    TrainingSettings.of(config)
    if config.get("val_dataset") is not None:
        for key in ("test_transforms", "codec", "metrics"):
            if not config.get(key) and (key != "codec" or needs_codec(config)):
                raise ConfigError(f"{where}: val_dataset is measured through {key!r}, which is missing")


def _list(config: Mapping[str, Any], key: str) -> Sequence[Any]:
    value = config.get(key)
    if not isinstance(value, (list, tuple, type(None))):
        raise ConfigError(f"{key}: expected a list of dict(type=..., ...), got {value!r}")
    return value or ()


def _type_of(node: object, where: str) -> object:
    if not is_node(node):
        raise ConfigError(f"{where}: expected dict(type=..., ...), got {node!r}")
    return typing.cast("Mapping[str, object]", node)["type"]


def _check_inside(value: Any, where: str) -> int:
    if is_node(value):
        return _check_node(value, where)
    if isinstance(value, Mapping):
        return sum(_check_inside(item, f"{where}.{key}") for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return sum(_check_inside(item, f"{where}.{index}") for index, item in enumerate(value))
    return 0


def _check_node(node: Mapping[str, Any], where: str) -> int:
    cls = resolve(node["type"], where=where)
    arguments = {key: value for key, value in node.items() if key != "type"}
    check_arguments(cls, arguments, where, partial=True)
    brought = plug_in(node["type"])
    if brought is not None:
        brought.check(node["type"], arguments, where)
        return 1
    hints = typing.get_type_hints(vars(cls).get("__init__", cls))
    for key, value in arguments.items():
        if not is_node(value) and not fits(value, hints.get(key, Any)):
            raise ConfigError(f"{where}.{key}: {value!r} is not {_describe(hints[key])}, which {cls.__name__} takes")
    return 1 + sum(_check_inside(value, f"{where}.{key}") for key, value in arguments.items())


def fits(value: Any, hint: Any) -> bool:
    """Whether a config's plain value can be what a type hint asks for; True where the hint is not a plain type.

    >>> fits((256, 256), tuple[int, int]), fits('256', int), fits(1, float), fits([1, 'a'], list[int])
    (True, False, True, False)
    """
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return any(fits(value, item) for item in inner)
    if origin is typing.Literal:
        return value in inner
    if origin is tuple and inner and inner[-1] is not Ellipsis:
        return isinstance(value, (list, tuple)) and len(value) == len(inner) and all(map(fits, value, inner))
    if origin in (list, tuple, collections.abc.Sequence):
        return isinstance(value, (list, tuple)) and all(is_node(item) or fits(item, inner[0]) for item in value)
    if hint is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if hint in (str, bool, type(None)):
        return isinstance(value, hint)
    return True


def _describe(hint: Any) -> str:
    return hint.__name__ if inspect.isclass(hint) and not typing.get_args(hint) else str(hint).replace("typing.", "")


def _encoding(codec: Mapping[str, Any]) -> dict[str, Any]:
    """A codec's node without what only decoding reads, in which training and test may differ."""
    decoding = getattr(resolve(codec["type"]), "decoding", ())
    return {key: value for key, value in codec.items() if key not in decoding}


def _check_sizes(config: Mapping[str, Any]) -> None:
    """The codec reads, and makes targets for, the pixels that the crop was cut to."""
    codec = config.get("codec") or {}
    wanted = codec.get("input_size")
    if measures_boxes(config):
        wanted, codec = (config.get("detector") or {}).get("input_size"), {}
    for key in ("test_transforms", "train_transforms"):
        for index, step in enumerate(_list(config, key)):
            given = step.get("input_size")
            if wanted and given and tuple(wanted) != tuple(given):
                of = "detector" if measures_boxes(config) else "codec"
                raise ConfigError(f"{key}.{index}: crops of {tuple(given)} do not fit {of}.input_size {tuple(wanted)}")
            if codec and is_node(step.get("codec")) and _encoding(step["codec"]) != _encoding(codec):
                raise ConfigError(
                    f"{key}.{index}.codec makes other targets than the config's codec reads: {step['codec']}"
                )
