"""The plain values that decide which hands a pipeline answers."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from numbers import Integral, Real
from typing import Any

from handkit.errors import ConfigError
from handkit.registry.keys import PIPELINE_KEYS

#: Kind, least and greatest value of each.
_RANGES: dict[str, tuple[Any, float, float]] = {
    **dict.fromkeys(("box_threshold", "detection_threshold", "presence_threshold", "nms_iou"), (Real, 0, 1)),
    "pose_nms": (Real, 0, inf),
    "max_hands": (Integral, 0, inf),
    "given_rotations": (Integral, 1, inf),
}


def check_limits(config: Mapping[str, Any]) -> None:
    """Refuses thresholds and limits that mean nothing; None and absent keys stand for none.

    Raises:
        ConfigError: the first of them, with what it is.
    """
    for key, (kind, least, most) in _RANGES.items():
        value = config.get(key)
        if value is None or (isinstance(value, kind) and not isinstance(value, bool) and least <= value <= most):
            continue
        wanted = f"a {'whole ' if kind is Integral else ''}number " + (
            f"from {least} on" if most == inf else f"in [{least}, {most}]"
        )
        raise ConfigError(f"{key}: {value!r} is not {wanted}; it is {PIPELINE_KEYS[key]}")
