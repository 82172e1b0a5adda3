"""EasyCV's data, the steps of its pictures, and what it measures -> handkit's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from handkit.errors import ConfigError
from handkit.formats.easycv.network import Decisions
from handkit.formats.fields import Fields, plain
from handkit.formats.schedules import Node

#: EasyCV pads every box by this where it reads it.
_PADDING = 1.25
#: In training it moves three boxes of ten by up to a fifth of their sides, which padded boxes have less of.
_SHIFT = {"type": "TopDownRandomShift", "shift_factor": 0.2 / _PADDING, "shift_prob": 0.3, "distribution": "uniform"}
_GAUSSIAN = "GaussianHeatmap"
_JOINTS = list(range(21))
#: The rows that handkit has for EasyCV's names, and whether large is good.
_NAMES = {"AUC": ("AUC", "max"), "EPE": ("EPE", "min"), "NME": ("NME_easycv", "min")}


def dataset(fields: Fields, training: bool) -> tuple[Node, Node, Any]:
    """The reader, the sizes of `GaussianHeatmap`, and the pipeline, still EasyCV's.

    Raises:
        ConfigError: a data set without a counterpart.
    """
    fields.expect(type="HandCocoWholeBodyDataset", profiling=False)
    source = fields.node("data_source").expect(type="HandCocoPoseTopDownSource", dataset_info=None)
    source.drop("test_mode") if training else source.expect(test_mode=True)
    sizes = data_cfg(source.node("data_cfg"))
    reader = {
        "type": "CocoWholeBodyHand",
        "ann_file": source.take("ann_file"),
        "image_root": source.take("img_prefix").rstrip("/"),
    }
    steps = fields.take("pipeline")
    for part in (source, fields):
        part.end()
    return reader, sizes, steps


def data_cfg(fields: Fields) -> Node:
    """The sizes of crops and maps; the rest says once more that a hand has 21 joints."""
    fields.expect(num_output_channels=21, num_joints=21, dataset_channel=[_JOINTS], inference_channel=_JOINTS)
    sizes = {"input_size": fields.take("image_size"), "heatmap_size": fields.take("heatmap_size")}
    fields.end()
    return {key: tuple(value) for key, value in sizes.items()}


def targets(nodes: Sequence[Any], where: str, encoding: str = "MSRA") -> Node:
    """How `GaussianHeatmap`, or with 'UDP' `UDPHeatmap`, makes the targets of a training's pipeline.

    Raises:
        ConfigError: there are none, or they are encoded otherwise.
    """
    for index, node in enumerate(nodes):
        if isinstance(node, dict) and node.get("type") == "TopDownGenerateTarget":
            fields = Fields({"encoding": "MSRA", **node}, f"{where}.{index}")
            fields.drop("type", "kernel", "valid_radius_factor").expect(encoding=encoding, target_type=_GAUSSIAN)
            made, unbiased = {"sigma": float(fields.take("sigma", 2))}, fields.take("unbiased_encoding", False)
            fields.end()
            return made if encoding == "UDP" else {**made, "unbiased": unbiased}
    raise ConfigError(f"{where}: has no TopDownGenerateTarget, so nothing is learnt")


def pipeline(nodes: Sequence[Any], where: str, codec: Node, training: bool, decisions: Decisions) -> list[Node]:
    """handkit's steps; reading the picture and moving the box stand in EasyCV's data source."""
    made: list[Node] = [{"type": "LoadImage"}]
    if training:
        made.append(dict(_SHIFT))
        decisions.append(f"{where}: boxes move anew in every epoch; EasyCV moves each once, when it reads them")
    keys = ["img"]
    for index, node in enumerate(nodes):
        fields = Fields(node, f"{where}.{index}")
        kind = fields.kind(*STEPS, "TopDownAffine", "TopDownGenerateTarget", "PoseCollect")
        if kind == "TopDownAffine":
            made.append(_affine(fields, codec["input_size"]))
        elif kind == "TopDownGenerateTarget":  # read by `targets`
            made.append({"type": kind, "codec": codec})
            keys += ["heatmaps", "target_weight"]
            continue
        elif kind == "PoseCollect":
            fields.drop("keys", "meta_keys", "meta_name")
        else:
            made.append({"type": kind, **STEPS[kind](fields)})
        fields.end()
    return [*made, {"type": "PoseCollect", "keys": keys}]


def _affine(fields: Fields, size: Any) -> Node:
    fields.expect(use_udp=False)
    crop = {"input_size": size, "padding": _PADDING, "hide_outside": False, "antialias": False}
    return {"type": "TopDownAffine", **crop}


def _flip(fields: Fields) -> Node:
    return {"flip_prob": fields.take("flip_prob", 0.5)}


def _turn(fields: Fields) -> Node:
    """Normal deviations, cut at one of them for the scale and at two for the turn."""
    scale, turn = fields.take("scale_factor", 0.5), fields.take("rot_factor", 40)
    return {
        "scale_factor": (1 - scale, 1 + scale),
        "rotate_factor": 2.0 * turn,
        "rotate_prob": fields.take("rot_prob", 0.6),
        "distribution": "clipped_normal",
    }


def _nothing(fields: Fields) -> Node:
    return {}


def _normalise(fields: Fields) -> Node:
    return {"mean": fields.take("mean"), "std": fields.take("std")}


#: Steps that mmpose 0.x has too, but for the name of `MMToTensor`.
STEPS = {
    "TopDownRandomFlip": _flip,
    "TopDownGetRandomScaleRotation": _turn,
    "MMToTensor": _nothing,
    "NormalizeTensor": _normalise,
}


def evaluator(fields: Fields, decisions: Decisions) -> tuple[list[Node], float]:
    """handkit's metrics, and the threshold of PCK, from a `KeyPointEvaluator`.

    Raises:
        ConfigError: a metric without a counterpart.
    """
    fields.expect(type="KeyPointEvaluator").drop("dataset_name", "pckh_thr")
    threshold, limit = fields.take("pck_thr", 0.2), float(fields.take("auc_nor", 30))
    names = plain(fields.take("metric_names"))
    fields.end()
    nodes = {
        "PCK": [{"type": "PCK", "threshold": threshold}],
        "AUC": [{"type": "AUC", "limit": limit}],
        "EPE": [{"type": "EPE"}],
        "NME": [{"type": "EPE"}, {"type": "NME"}, {"type": "NMEEasyCV"}],
    }
    made: list[Node] = []
    for name in names:
        if name not in nodes:
            raise ConfigError(f"{fields.where}: the metric {name!r} has no counterpart, only {', '.join(nodes)}")
        made += [node for node in nodes[name] if node not in made]
    if "NME" in names:
        decisions.append(
            f"{fields.where}: EasyCV's NME divides by 1, so it is EPE in pixels: the row NME_easycv; "
            "the row NME divides by the longer side of the hand's box"
        )
    return made, threshold


def best(name: str, threshold: float, where: str) -> Node:
    """The row of EasyCV's `save_best`.

    Raises:
        ConfigError: another number.
    """
    rows = {"PCK": (f"PCK@{threshold:g}", "max"), **_NAMES}
    if name not in rows:
        raise ConfigError(f"{where}: save_best={name!r} has no counterpart in handkit, only {', '.join(rows)}")
    metric, mode = rows[name]
    return {"best_metric": metric, "best_mode": mode}
