"""mmpose's data sets, the steps of their pictures, and its metrics -> handkit's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from handkit.errors import ConfigError
from handkit.formats.fields import Fields, plain
from handkit.formats.mmpose import codecs
from handkit.formats.schedules import Node

Decisions = list[str]
_METRICS = {"PCKAccuracy": "PCK", "AUC": "AUC", "EPE": "EPE"}
#: Readers, and the boxes by which mmpose crops and measures.
DATASETS: dict[str, Node] = {
    "CocoWholeBodyHandDataset": {"type": "CocoWholeBodyHand"},
    "OneHand10KDataset": {"type": "OneHand10K", "box": "annotated"},
    "Rhd2DDataset": {"type": "RHD", "box": "annotated"},
    "FreiHandDataset": {"type": "FreiHAND", "box": "frame"},
}
#: What becomes of a data set whose joints run from tip to base.
ORDER = "joints run from the wrist to the tips; in mmpose's weights fingers run from tip to base"


def data(
    node: Any, split: str, gpus: int, codec: Node, tensors: Sequence[Node], where: str, decisions: Decisions
) -> Node:
    """The data set and the steps of a loader, and of that for training the batch size.

    Raises:
        ConfigError: a part without a counterpart.
    """
    loader = Fields(node, where).drop("num_workers", "persistent_workers", "sampler", "drop_last", "pin_memory")
    size = loader.take("batch_size")
    fields = loader.node("dataset").drop("test_mode")
    kind = fields.kind(*DATASETS, "CombinedDataset")
    dataset = _combined(fields, decisions) if kind == "CombinedDataset" else _reader(kind, fields)
    if kind == "Rhd2DDataset":
        decisions.append(f"{fields.where}: {ORDER}")
    steps = _pipeline(fields.take("pipeline"), f"{fields.where}.pipeline", codec, tensors, decisions)
    for part in (fields, loader):
        part.end()
    if split == "train":
        return {"train_dataset": dataset, "train_transforms": steps, "batch_size": size * gpus}
    return {"val_dataset": dataset, "test_transforms": steps}


def _reader(kind: str, fields: Fields) -> Node:
    fields.expect(data_mode="topdown")
    root = fields.take("data_root", "")
    prefix = fields.node("data_prefix", {"img": ""})
    image_root = (root + prefix.take("img")).rstrip("/")
    prefix.end()
    return {**DATASETS[kind], "ann_file": root + fields.take("ann_file"), "image_root": image_root}


def _combined(fields: Fields, decisions: Decisions) -> Node:
    """Data sets one after the other, as `metainfo` says in the order of joints that all of handkit's readers give."""
    made: list[Node] = []
    for index, node in enumerate(fields.drop("metainfo").take("datasets")):
        own = Fields(node, f"{fields.where}.datasets.{index}").drop("test_mode")
        kind = own.kind(*DATASETS, "HalpeHandDataset")
        steps = own.take("pipeline", [])
        if kind == "HalpeHandDataset":
            decisions.append(f"{own.where}: left out, since mmpose names HalpeHandDataset but has none")
            continue
        if plain(steps) != ([_BASE_TO_TIP] if kind == "Rhd2DDataset" else []):
            raise ConfigError(f"{own.where}.pipeline: has no counterpart; readers give joints in one order already")
        made.append(_reader(kind, own))
        own.end()
    return {"type": "WeightedConcat", "datasets": made}


#: What mmpose brings RHD's joints, which run from tip to base, into the common order by.
_BASE_TO_TIP = {
    "type": "KeypointConverter",
    "num_keypoints": 21,
    "mapping": [[0, 0], *([4 * finger + step, 4 * finger + 5 - step] for finger in range(5) for step in (1, 2, 3, 4))],
}


def _pipeline(
    nodes: Sequence[Any], where: str, codec: Node, tensors: Sequence[Node], decisions: Decisions
) -> list[Node]:
    made: list[Node] = []
    padding, keys = 1.25, ["img"]
    for index, node in enumerate(nodes):
        fields = Fields(node, f"{where}.{index}")
        kind = fields.kind(*_STEPS, *_LOOKS, "TopdownAffine", "GetBBoxCenterScale", "GenerateTarget", "PackPoseInputs")
        if kind == "GetBBoxCenterScale":
            padding = fields.take("padding", 1.25)
        elif kind == "GenerateTarget":
            encoder = codecs.codec(fields.take("encoder"), f"{fields.where}.encoder")
            if plain(encoder) != plain({key: value for key, value in codec.items() if key != "label_beta"}):
                raise ConfigError(f"{fields.where}: makes other targets than the head's decoder reads")
            keys += [*codecs.TARGETS[codec["type"]], "target_weight"]
        elif kind in _LOOKS:
            made += _LOOKS[kind](fields, decisions)
        elif kind == "TopdownAffine":
            made.append(_affine(fields, padding, codec["type"] == "UDPHeatmap", decisions))
        elif kind != "PackPoseInputs":
            made += _STEPS[kind](fields)
        fields.end()
    targets = [{"type": "TopDownGenerateTarget", "codec": codec}] if len(keys) > 1 else []
    return [*made, *tensors, *targets, {"type": "PoseCollect", "keys": keys}]


def _colours(fields: Fields, decisions: Decisions) -> list[Node]:
    """Hue, saturation and value, each shifted in every second picture; cv2 counts hues in steps of two degrees."""
    limits = {key: fields.take(f"{key}_delta", default) for key, default in (("hue", 5), ("saturation", 30))}
    ours = {
        "brightness": round(fields.take("value_delta", 30) / 255, 3),
        "saturation": round(limits["saturation"] / 255, 3),
        "hue": 2.0 * limits["hue"],
    }
    decisions.append(f"{fields.where}: YOLOXHSVRandomAug becomes RandomPhotometric, its counterpart, not its equal")
    return [{"type": "RandomPhotometric", **ours, "contrast": 0.0, "gamma": 0.0, "white_balance": 0.0, "prob": 0.875}]


def _albumentation(fields: Fields, decisions: Decisions) -> list[Node]:
    """What stands in front, and both kinds of blur."""
    made: list[Node] = []
    for index, node in enumerate(fields.take("transforms")):
        step = Fields(node, f"{fields.where}.transforms.{index}")
        kind = step.kind("Blur", "MedianBlur", "CoarseDropout")
        prob = step.take("p", 0.5)
        if kind == "CoarseDropout":
            counts = (step.take("min_holes"), step.take("max_holes"))
            sizes = (
                min(step.take("min_height"), step.take("min_width")),
                max(step.take("max_height"), step.take("max_width")),
            )
            if not 0 < sizes[0] <= sizes[1] <= 1:
                raise ConfigError(f"{step.where}: sides of holes must be shares of the picture's, got {sizes}")
            ours: Node = {"type": "RandomOcclusion", "count": counts, "size": sizes}
        else:
            ours = {"type": "RandomBlur"}
        step.end()
        made.append({**ours, "prob": prob})
        decisions.append(f"{step.where}: {kind} becomes {ours['type']}, its counterpart, not its equal")
    return made


def _load(fields: Fields) -> list[Node]:
    fields.drop("backend_args", "file_client_args")
    return [{"type": "LoadImage"}]


def _box(fields: Fields) -> list[Node]:
    shift = {"shift_factor": fields.take("shift_factor", 0.16), "shift_prob": fields.take("shift_prob", 0.3)}
    defaults = {"scale_factor": (0.5, 1.5), "scale_prob": 1.0, "rotate_factor": 80.0, "rotate_prob": 0.6}
    turn = {key: fields.take(key, value) for key, value in defaults.items()}
    return [{"type": "TopDownRandomShift", **shift}, {"type": "TopDownGetRandomScaleRotation", **turn}]


def _flip(fields: Fields) -> list[Node]:
    fields.expect(direction="horizontal")
    return [{"type": "TopDownRandomFlip", "flip_prob": fields.take("prob", 0.5)}]


def _affine(fields: Fields, padding: float, udp: bool, decisions: Decisions) -> Node:
    """UDP's maps are right only on crops that are cut in UDP's geometry, which mmpose's hand configs forget."""
    stated = fields.take("use_udp", False)
    if udp and not stated:
        decisions.append(f"{fields.where}: use_udp=True, since the codec is UDPHeatmap; mmpose's joints are shifted")
    sizes = {"input_size": fields.take("input_size"), "use_udp": stated or udp, "padding": padding}
    return {"type": "TopDownAffine", **sizes, "hide_outside": False, "antialias": False}


_LOOKS = {"mmdet.YOLOXHSVRandomAug": _colours, "Albumentation": _albumentation}
_STEPS = {"LoadImage": _load, "RandomBBoxTransform": _box, "RandomFlip": _flip}


def metrics(nodes: Any, where: str) -> list[Node]:
    """handkit's metrics.

    Raises:
        ConfigError: one without a counterpart.
    """
    made: list[Node] = []
    for index, node in enumerate(nodes if isinstance(nodes, (list, tuple)) else [nodes]):
        fields = Fields(node, f"{where}.{index}")
        kind = fields.kind(*_METRICS)
        own = {"threshold": fields.expect(norm_item="bbox").take("thr", 0.05)} if kind == "PCKAccuracy" else {}
        fields.end()
        made.append({"type": _METRICS[kind], **own})
    return made
