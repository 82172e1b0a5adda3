"""Parameter names of other projects -> handkit's, which are those of mmpose 1.x."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import TypeVar

Value = TypeVar("Value")

_WRAPPER = "module."
_PREPROCESSOR = "data_preprocessor."  # mean and std: in handkit they stand in the config's NormalizeTensor
_OLD_HEAD = "keypoint_head."
_OLD_FINAL = _OLD_HEAD + "final_layer."
_CONV_LAYER = re.compile(r"head\.conv_layers\.(\d+)\.")
_STAGES = "head.multi_final_layers."  # of mmpose's CPMHead, one for each stage
#: A numbered part of a block of MobileNetV2: the block, the number, the rest.
_NUMBERED = re.compile(r"((?:.*\.)?layer\d+\.\d+)\.conv\.(\d)\.((?:conv|bn)\..*)")
_PARTS = ("expand_conv", "depthwise_conv", "linear_conv")


def to_handkit_keys(state: Mapping[str, Value]) -> dict[str, Value]:
    """Renames the keys of mmpose 0.x, EasyCV and wrapped models, and of mmpose's MobileNetV2; other keys stay.

    * ``module.`` in front, as DataParallel writes it, is taken off.
    * ``data_preprocessor.*`` is dropped.
    * ``keypoint_head.*`` becomes ``head.*``. There, ``final_layer.n.*`` with the highest n is the last convolution,
      ``final_layer.*``, and those with a lower n are the ones before it, ``conv_layers.n.*``.
    * ``head.multi_final_layers.0.*``, the last convolution of a head of several stages that has one only, becomes
      ``head.final_layer.*``.
    * The parts of an inverted residual, which mmpose and mmpretrain number as ``conv.0`` to ``conv.2``, get the names
      mmdet gives them; a block with two parts has no expansion.
    """
    plain = {key.removeprefix(_WRAPPER): value for key, value in state.items()}
    numbers = [number for key in plain if (number := _final_number(key)) is not None]
    last = max(numbers, default=0)
    renamed = {_rename(key, last): value for key, value in plain.items() if not key.startswith(_PREPROCESSOR)}
    return _named_parts(_single_stage(renamed))


def to_easycv_keys(state: Mapping[str, Value]) -> dict[str, Value]:
    """handkit's keys of a heat map network under the names of mmpose 0.x and EasyCV; `to_handkit_keys` reverses it.

    >>> list(to_easycv_keys({"backbone.a": 0, "head.conv_layers.1.bias": 0, "head.final_layer.bias": 0}))
    ['backbone.a', 'keypoint_head.final_layer.1.bias', 'keypoint_head.final_layer.3.bias']
    """
    numbers = [int(found[1]) for key in state if (found := _CONV_LAYER.match(key))]
    last = f"{max(numbers) + 2}." if numbers else ""  # a convolution, its norm and the activation stand before it
    renamed = {}
    for key, value in state.items():
        name = key.replace("head.conv_layers.", _OLD_FINAL, 1) if _CONV_LAYER.match(key) else key
        if key.startswith("head.final_layer."):
            name = f"{_OLD_FINAL}{last}{key.removeprefix('head.final_layer.')}"
        elif name.startswith("head."):
            name = _OLD_HEAD + key.removeprefix("head.")
        renamed[name] = value
    return renamed


def key_maps(keys: Collection[str]) -> list[str]:
    """Which of the renamings of `to_handkit_keys` these keys call for, in words.

    >>> key_maps(["module.keypoint_head.final_layer.weight"])
    ["wrapped in 'module.'", 'mmpose 0.x or EasyCV head (keypoint_head -> head)']
    """
    plain = [key.removeprefix(_WRAPPER) for key in keys]
    found = {
        f"wrapped in '{_WRAPPER}'": any(key.startswith(_WRAPPER) for key in keys),
        "mmpose 0.x or EasyCV head (keypoint_head -> head)": any(key.startswith(_OLD_HEAD) for key in plain),
        "mmpose 1.x preprocessor (dropped)": any(key.startswith(_PREPROCESSOR) for key in plain),
        "mmpose head of one stage (multi_final_layers.0 -> final_layer)": any(_STAGES + "0." in key for key in plain),
        "numbered parts of MobileNetV2's blocks": any(_NUMBERED.fullmatch(key) for key in plain),
    }
    return [name for name, there in found.items() if there]


def _single_stage(state: Mapping[str, Value]) -> dict[str, Value]:
    """A head's only stage under the name of a head without stages."""
    stages = {key.removeprefix(_STAGES).partition(".")[0] for key in state if key.startswith(_STAGES)}
    if stages != {"0"}:
        return dict(state)
    return {key.replace(_STAGES + "0.", "head.final_layer."): value for key, value in state.items()}


def _named_parts(state: Mapping[str, Value]) -> dict[str, Value]:
    """The numbered parts of inverted residuals under their names; the last one is the linear convolution."""
    matches = {key: match for key in state if (match := _NUMBERED.fullmatch(key)) is not None}
    last: dict[str, int] = {}
    for match in matches.values():
        block, number = match[1], int(match[2])
        last[block] = max(last.get(block, 0), number)
    names = {
        key: f"{match[1]}.{_PARTS[int(match[2]) - last[match[1]] - 1]}.{match[3]}"
        for key, match in matches.items()
        if last[match[1]] in (1, 2)
    }
    return {names.get(key, key): value for key, value in state.items()}


def _final_number(key: str) -> int | None:
    """The n of ``keypoint_head.final_layer.n.*``."""
    number, dot, _ = key.removeprefix(_OLD_FINAL).partition(".")
    return int(number) if key.startswith(_OLD_FINAL) and dot and number.isdecimal() else None


def _rename(key: str, last: int) -> str:
    number = _final_number(key)
    if number is None:
        return "head." + key.removeprefix(_OLD_HEAD) if key.startswith(_OLD_HEAD) else key
    name = key.removeprefix(f"{_OLD_FINAL}{number}.")
    return f"head.final_layer.{name}" if number == last else f"head.conv_layers.{number}.{name}"
