"""mmpose's codecs -> handkit's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from handkit.formats.fields import Fields
from handkit.formats.schedules import Node

#: Targets that handkit's codecs make.
TARGETS = {
    "GaussianHeatmap": ("heatmaps",),
    "UDPHeatmap": ("heatmaps",),
    "SimCC": ("simcc_x", "simcc_y"),
    "Regression": ("coordinates",),
}


def codec(node: Any, where: str, kinds: Sequence[str] = ()) -> Node:
    """One of handkit's codecs.

    Args:
        node: mmpose's.
        where: its place, for messages.
        kinds: the types that its head can have; none: all.

    Raises:
        ConfigError: another type, or what handkit's codec cannot do.
    """
    fields = Fields(node, where)
    kind = fields.kind(*(kinds or _CODECS))
    made = {"input_size": fields.take("input_size"), **_CODECS[kind](fields)}
    fields.end()
    return made


def _heatmap(fields: Fields) -> Node:
    """Without `unbiased` the maximum is not refined by DARK, and the kernel not read."""
    unbiased = fields.take("unbiased", False)
    ours = {"type": "GaussianHeatmap", "unbiased": unbiased, "dark": unbiased, **_maps(fields)}
    kernel = fields.take("blur_kernel_size", 11)
    return {**ours, "kernel": kernel, "max_offset": None} if unbiased else ours


def _udp(fields: Fields) -> Node:
    fields.expect(heatmap_type="gaussian").drop("radius_factor")
    kernel = fields.take("blur_kernel_size", 11)
    return {"type": "UDPHeatmap", **_maps(fields), "kernel": kernel, "max_offset": None}


def _maps(fields: Fields) -> Node:
    return {"heatmap_size": fields.take("heatmap_size"), "sigma": float(fields.take("sigma", 2.0))}


def _simcc(fields: Fields) -> Node:
    fields.expect(smoothing_type="gaussian", label_smooth_weight=0.0, decode_visibility=False)
    sigma = fields.take("sigma", 6.0)
    x, y = sigma if isinstance(sigma, (list, tuple)) else (sigma, sigma)
    return {
        "type": "SimCC",
        "simcc_split_ratio": fields.take("simcc_split_ratio", 2.0),
        "sigma": x if x == y else (x, y),
        "normalize": fields.take("normalize", True),
        "use_dark": fields.take("use_dark", False),
        "unbiased": False,
    }


def _regression(fields: Fields) -> Node:
    return {"type": "Regression"}


_CODECS = {"MSRAHeatmap": _heatmap, "UDPHeatmap": _udp, "SimCCLabel": _simcc, "RegressionLabel": _regression}
