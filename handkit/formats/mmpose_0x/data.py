"""mmpose 0.x's data sets and the steps of their pictures -> handkit's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from handkit.errors import ConfigError
from handkit.formats.easycv.data import STEPS, data_cfg, targets
from handkit.formats.easycv.network import Decisions
from handkit.formats.fields import Fields, plain
from handkit.formats.mmpose import codecs
from handkit.formats.mmpose.data import DATASETS, ORDER
from handkit.formats.schedules import Node

#: What handkit's box around the joints of InterHand2.6M is larger by than mmpose's.
_INTERHAND = 1.15
_READERS: dict[str, Node] = {
    "HandCocoWholeBodyDataset": DATASETS["CocoWholeBodyHandDataset"],
    **{name: DATASETS[name] for name in ("OneHand10KDataset", "Rhd2DDataset", "FreiHandDataset")},
    "PanopticDataset": {"type": "Panoptic", "box": "annotated"},
    "InterHand2DDataset": {"type": "InterHand26M"},
}
_ENCODINGS = {"GaussianHeatmap": "MSRA", "UDPHeatmap": "UDP"}
#: What makes the targets of a codec.
_TARGETS = {"Regression": "TopDownGenerateTargetRegression"}
_OTHERS = (
    *("LoadImageFromFile", "TopDownGetBboxCenterScale", "TopDownRandomShiftBboxCenter", "TopDownAffine", "ToTensor"),
    *("TopDownGenerateTarget", "TopDownGenerateTargetRegression", "Collect"),
)


def data(fields: Fields, codec: Node, gpus: int, decisions: Decisions) -> Node:
    """Both data sets, their steps, the batch sizes, and the codec with its sizes and targets.

    Args:
        fields: mmpose's `data`.
        codec: what the network and its test say of it.
        gpus: how many the config was made for.
        decisions: gets a line for each part that is only nearly the same here.

    Raises:
        ConfigError: a part without a counterpart.
    """
    fields.drop("workers_per_gpu", "test_dataloader")
    loader = fields.node("val_dataloader", {}).drop("workers_per_gpu")
    size = fields.take("samples_per_gpu")
    made: Node = {"batch_size": size * gpus}
    if (measured := loader.take("samples_per_gpu", size)) != size:
        made["val_batch_size"] = measured
    decisions.append(
        f"{fields.where}.samples_per_gpu: batch_size={size * gpus}, for {gpus} GPU{'s' if gpus > 1 else ''}"
    )
    test, splits = fields.take("test", None), {split: fields.take(split) for split in ("train", "val")}
    if test is not None and plain(test) != plain(splits["val"]):
        decisions.append(f"{fields.where}.test: left out; `handkit test` measures val_dataset, or --data")
    for split, node in splits.items():
        where, key = f"{fields.where}.{split}", "train_transforms" if split == "train" else "test_transforms"
        reader, sizes, steps = _dataset(Fields(node, where), decisions)
        if split == "train":
            codec = _whole(codec, sizes, steps, f"{where}.pipeline")
        elif any(codec[name] != value for name, value in sizes.items() if name in codec):
            raise ConfigError(f"{where}: has other sizes of crops or maps than data.train: {sizes}")
        larger = _INTERHAND if reader["type"] == "InterHand26M" else 1.0
        made |= {f"{split}_dataset": reader, key: _pipeline(steps, f"{where}.pipeline", codec, larger)}
    decisions.append(f"{fields.where}: boxes are cut off at the edge of the picture, which mmpose 0.x does not do")
    for part in (loader, fields):
        part.end()
    return {**made, "codec": codec}


def _dataset(fields: Fields, decisions: Decisions) -> tuple[Node, Node, Any]:
    """The reader, the sizes of crops and maps, and the pipeline, still mmpose's."""
    fields.drop("dataset_info", "test_mode")
    kind = fields.kind(*_READERS)
    sizes, steps = data_cfg(fields.node("data_cfg")), fields.take("pipeline")
    files = {"ann_file": fields.take("ann_file"), "image_root": fields.take("img_prefix").rstrip("/")}
    if kind == "InterHand2DDataset":
        beside = {key: files["ann_file"].replace("_data.", f"_{name}.") for key, name in _BESIDE.items()}
        fields.expect(**beside)
        decisions.append(
            f"{fields.where}: the boxes that joints are measured by are {_INTERHAND} x as large, and as much less is "
            "padded; each hand is a sample, those without a valid wrist too"
        )
    if kind in ("InterHand2DDataset", "Rhd2DDataset"):
        decisions.append(f"{fields.where}: {ORDER}")
    fields.end()
    return {**_READERS[kind], **files}, sizes, steps


_BESIDE = {"camera_file": "camera", "joint_file": "joint_3d"}


def _whole(codec: Node, sizes: Node, steps: Sequence[Any], where: str) -> Node:
    """The codec with its sizes, and with the targets that the training makes."""
    kind = codec["type"]
    if kind == "Regression":
        if not any(isinstance(step, dict) and step.get("type") == _TARGETS[kind] for step in steps):
            raise ConfigError(f"{where}: has no {_TARGETS[kind]}, which the head learns from")
        return {**codec, "input_size": sizes["input_size"]}
    return {"type": kind, **sizes, **targets(steps, where, _ENCODINGS[kind]), **codec}


def _pipeline(nodes: Sequence[Any], where: str, codec: Node, larger: float) -> list[Node]:
    """handkit's steps.

    Args:
        nodes: mmpose's steps.
        where: their place.
        codec: handkit's.
        larger: what the reader's boxes are larger by than mmpose's.
    """
    made, padding, keys = list[Node](), None, ["img"]
    for index, node in enumerate(nodes):
        fields = Fields(node, f"{where}.{index}")
        kind = fields.kind(*(name for name in STEPS if name != "MMToTensor"), *_OTHERS)
        if kind == "TopDownGetBboxCenterScale":
            padding = fields.take("padding", 1.25) / larger
        elif kind == "TopDownAffine":
            made.append(_affine(fields, padding, codec))
        elif kind.startswith("TopDownGenerateTarget"):
            if kind != _TARGETS.get(codec["type"], "TopDownGenerateTarget"):
                raise ConfigError(f"{fields.where}: type={kind!r} makes no targets that the head learns from")
            made.append({"type": "TopDownGenerateTarget", "codec": codec})
            keys += [*codecs.TARGETS[codec["type"]], "target_weight"]
            if codec["type"] != "Regression":
                continue  # read by `targets`
        elif kind == "Collect":
            fields.drop("keys", "meta_keys", "meta_name")
        else:
            made.append(_SINGLE[kind](fields) if kind in _SINGLE else {"type": kind, **STEPS[kind](fields)})
        fields.end()
    return [*made, {"type": "PoseCollect", "keys": keys}]


def _affine(fields: Fields, padding: float | None, codec: Node) -> Node:
    if padding is None:
        raise ConfigError(
            f"{fields.where}: no TopDownGetBboxCenterScale stands before it, as in older mmpose 0.x, whose data sets "
            "enlarged the boxes themselves; put it and TopDownRandomShiftBboxCenter where mmpose 0.29.0 has them"
        )
    udp, stated = codec["type"] == "UDPHeatmap", fields.take("use_udp", False)
    if stated != udp:
        raise ConfigError(f"{fields.where}: use_udp={stated}, and model.test_cfg has use_udp={udp}")
    crop = {"input_size": codec["input_size"], "use_udp": udp, "padding": padding}
    return {"type": "TopDownAffine", **crop, "hide_outside": False, "antialias": False}


def _load(fields: Fields) -> Node:
    fields.drop("file_client_args").expect(to_float32=False, color_type="color", channel_order="rgb")
    return {"type": "LoadImage"}


def _shift(fields: Fields) -> Node:
    moves = {"shift_factor": fields.take("shift_factor", 0.16), "shift_prob": fields.take("prob", 0.3)}
    return {"type": "TopDownRandomShift", **moves, "distribution": "uniform"}


def _to_tensor(fields: Fields) -> Node:
    return {"type": "MMToTensor"}


_SINGLE = {"LoadImageFromFile": _load, "TopDownRandomShiftBboxCenter": _shift, "ToTensor": _to_tensor}
