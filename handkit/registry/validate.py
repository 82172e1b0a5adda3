"""Finding a config's mistakes before anything is built."""

from __future__ import annotations

import collections.abc
import inspect
import types
import typing
from collections.abc import Mapping
from typing import Any

from handkit.errors import ConfigError, did_you_mean
from handkit.registry.build import check_arguments, is_node, resolve
from handkit.registry.registries import CODECS, DETECTORS, MODELS, RUNTIMES, TRANSFORMS

#: Every key a pipeline config may have at its top: what it means.
PIPELINE_KEYS: dict[str, str] = {
    "task": "what the pipeline answers, e.g. 'hand_2d_keypoints'",
    "card": "the card whose thresholds hold where the config states none",
    "detector": "the node that finds hands",
    "retry_detector": "the node that looks again where no hand of the detector's passed the gates",
    "test_transforms": "the list of nodes from a source to the network's input",
    "model": "the node of the network",
    "checkpoint": "its weights: a path, or hub:CARD/FILE",
    "codec": "the node that reads joints off the network's outputs",
    "flip_test": "average with the mirror image: None, 'aligned', or 'mmpose' (its shift of a whole cell)",
    "runtime": "the node that executes the network",
    "given_rotations": "in how many turns a box given by the caller is tried, to find its hand's upright",
    "box_threshold": "least score of a detected box",
    "presence_threshold": "least probability that a crop shows a hand",
    "nms_iou": "overlap above which the weaker of two boxes is dropped",
    "max_hands": "most hands per image",
}
_REQUIRED = ("task", "detector", "test_transforms")
_KINDS = {"detector": DETECTORS, "retry_detector": DETECTORS, "model": MODELS, "codec": CODECS, "runtime": RUNTIMES}


def validate(config: Mapping[str, Any], where: str = "config") -> int:
    """Checks every key and binds every node to its constructor's signature; builds nothing.

    Returns:
        The number of nodes that were checked.

    Raises:
        ConfigError: the first mistake, with its place and the nearest known word.
    """
    for key in config:
        if key not in PIPELINE_KEYS:
            raise ConfigError(f"{where}: unknown key {key!r}; {did_you_mean(key, PIPELINE_KEYS)}")
    for key in _REQUIRED:
        if key not in config:
            raise ConfigError(f"{where}: the key {key!r} is missing ({PIPELINE_KEYS[key]})")
    count = 0
    for key, value in config.items():
        count += _check_inside(value, key)
        if key in _KINDS and value is not None:
            resolve(_type_of(value, key), _KINDS[key], key)
    for index, step in enumerate(config["test_transforms"]):
        resolve(_type_of(step, f"test_transforms.{index}"), TRANSFORMS, f"test_transforms.{index}")
    _check_sizes(config)
    return count


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


def _check_sizes(config: Mapping[str, Any]) -> None:
    """The codec reads the pixels that the crop was cut to."""
    wanted = (config.get("codec") or {}).get("input_size")
    for index, step in enumerate(config["test_transforms"]):
        given = step.get("input_size")
        if wanted and given and tuple(wanted) != tuple(given):
            raise ConfigError(
                f"test_transforms.{index}: crops of {tuple(given)} do not fit codec.input_size {tuple(wanted)}"
            )
