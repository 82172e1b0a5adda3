"""Configs of mmdet for SSDLite with one class -> handkit's; those of mmdet 2 and 3, and mmpose's, which mix them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from handkit.errors import ConfigError
from handkit.formats.fields import Fields
from handkit.formats.schedules import Node, normalisation, optimization

#: Steps that only pack or annotate.
_SILENT = ("LoadAnnotations", "PackDetInputs", "DefaultFormatBundle", "ImageToTensor", "Collect")


def translate(config: Mapping[str, Any], gpus: int = 1, where: str = "config") -> Node:
    """A resolved config -> the keys of handkit's that it states; one without training data gives no `train_dataset`.

    Args:
        config: from `handkit.formats.parse_config`, or a dumped one.
        gpus: how many it was made for; its batch size is that of one.
        where: its name in messages.

    Raises:
        ConfigError: a part that handkit has no counterpart of, with its place.
    """
    if "model" not in config:
        raise ConfigError(f"{where}: names no 'model', so it is no config of mmdet")
    made: Node = {"task": "hand_detection"}
    fields = Fields(config["model"], f"{where}.model").expect(type="SingleStageDetector")
    tensors = _preprocessor(fields)
    made["model"] = _model(fields)
    made |= _epochs(config, where)
    made |= optimization(config, made.get("max_epochs"), where)
    for split, loader in _loaders(config, where).items():
        made |= _data(loader, split, gpus, tensors, f"{where}, data of {split}")
    return made


def detector(config: Mapping[str, Any], score_threshold: float, where: str = "config") -> Node:
    """A resolved config -> the node of a detector without its checkpoint; how it was trained is not read.

    Args:
        config: of mmdet, or EasyCV's of a network of mmdet's, from `handkit.formats.parse_config`.
        score_threshold: a box must score more; the config's own is the one of its measurement.
        where: its name in messages.

    Raises:
        ConfigError: a part that handkit has no counterpart of, with its place.
    """
    for key in ("model", "test_pipeline"):
        if key not in config:
            raise ConfigError(f"{where}: names no {key!r}, so it is no config of a detector of mmdet or EasyCV")
    fields = Fields(config["model"], f"{where}.model").expect(type="SingleStageDetector").drop("pretrained")
    tensors = _preprocessor(fields)
    made = _model(fields)
    steps = _pipeline(config["test_pipeline"], f"{where}.test_pipeline", tensors, training=False)
    sizes = [step["input_size"] for step in steps if step["type"] == "Resize"]
    tensors = [step for step in steps if step["type"] in ("MMToTensor", "NormalizeTensor")]
    if len(sizes) != 1 or len(tensors) != 2:
        raise ConfigError(
            f"{where}.test_pipeline: expected one Resize and one Normalize, got {len(sizes)} and {tensors}"
        )
    return {
        "type": "OneHandDetector",
        "net": {key: made[key] for key in ("type", "backbone", "neck", "bbox_head")},
        "runtime": {"type": "TorchRuntime"},
        "transforms": tensors,
        "score_threshold": score_threshold,
        "nms_iou": made["selection"]["nms_iou"],
        "input_size": sizes[0],
        "max_detections": made["selection"]["max_detections"],
    }


def _model(fields: Fields) -> Node:
    backbone = fields.node("backbone").expect(type="MobileNetV2")
    neck = fields.node("neck").expect(type="SSDNeck", l2_norm_scale=None, use_depthwise=True, act_cfg={"type": "ReLU6"})
    head = fields.node("bbox_head").expect(type="SSDHead", num_classes=1, use_depthwise=True, act_cfg={"type": "ReLU6"})
    made: Node = {
        "type": "SSDLite",
        "backbone": {
            "type": "MobileNetV2",
            "widen_factor": backbone.take("widen_factor", 1.0),
            "out_indices": backbone.take("out_indices", (7,)),
            **_layers(backbone),
        },
        "neck": {
            "type": "SSDNeck",
            **{key: neck.take(key) for key in ("in_channels", "out_channels", "level_strides", "level_paddings")},
            **_layers(neck),
        },
        "bbox_head": {
            "type": "SSDHead",
            "in_channels": head.take("in_channels"),
            "anchors": _anchors(head.node("anchor_generator")),
            "target_stds": _stds(head.node("bbox_coder")),
            **_layers(head),
        },
        **_training(fields.node("train_cfg")),
        "selection": _selection(fields.node("test_cfg")),
    }
    for part in (backbone, neck, head, fields):
        part.end()
    return made


def _layers(fields: Fields) -> Node:
    """Batch norms, and what convolutions start from; a normal cut at 2 is one of so small a deviation."""
    norm = fields.node("norm_cfg").expect(type="BN", requires_grad=True)
    made = {"bn_eps": norm.take("eps", 1e-5), "bn_momentum": norm.take("momentum", 0.1)}
    norm.end()
    if "init_cfg" in fields:
        init = fields.node("init_cfg").expect(layer="Conv2d")
        init.kind("TruncNormal", "Normal")
        made["init_std"] = init.take("std")
        init.end()
    return made


def _anchors(fields: Fields) -> Node:
    fields.expect(type="SSDAnchorGenerator", scale_major=False)
    made = {key: fields.take(key) for key in ("strides", "ratios", "min_sizes", "max_sizes")}
    fields.end()
    return {"type": "SSDAnchors", **made}


def _stds(fields: Fields) -> Any:
    fields.expect(type="DeltaXYWHBBoxCoder", target_means=(0.0, 0.0, 0.0, 0.0))
    stds = fields.take("target_stds")
    fields.end()
    return stds


def _training(fields: Fields) -> Node:
    assigner = fields.node("assigner").expect(type="MaxIoUAssigner", ignore_iof_thr=-1, gt_max_assign_all=False)
    names = {"pos_iou": "pos_iou_thr", "neg_iou": "neg_iou_thr", "min_pos_iou": "min_pos_iou"}
    assigned = {key: assigner.take(name) for key, name in names.items()}
    loss = {"smooth_l1_beta": fields.take("smoothl1_beta"), "neg_pos_ratio": fields.take("neg_pos_ratio")}
    fields.expect(sampler={"type": "PseudoSampler"}, allowed_border=-1, pos_weight=-1).drop("debug")
    for part in (assigner, fields):
        part.end()
    return {"assigner": {"type": "MaxIoUAssigner", **assigned}, "loss": {"type": "MultiBoxLoss", **loss}}


def _selection(fields: Fields) -> Node:
    nms = fields.node("nms").expect(type="nms")
    made = {
        "type": "BoxSelection",
        "score_threshold": fields.take("score_thr"),
        "nms_iou": nms.take("iou_threshold"),
        "max_detections": fields.take("max_per_img"),
        "level_candidates": fields.take("nms_pre"),
    }
    fields.expect(min_bbox_size=0)
    for part in (nms, fields):
        part.end()
    return made


def _preprocessor(fields: Fields) -> list[Node]:
    """mmdet 3 normalises in the model, mmdet 2 in the list of steps."""
    if "data_preprocessor" not in fields:
        return []
    node = fields.node("data_preprocessor").expect(type="DetDataPreprocessor", bgr_to_rgb=True, pad_size_divisor=1)
    tensors = normalisation(node.take("mean"), node.take("std"))
    node.end()
    return tensors


def _epochs(config: Mapping[str, Any], where: str) -> Node:
    made: Node = {}
    if "runner" in config:
        runner = Fields(config["runner"], f"{where}.runner").expect(type="EpochBasedRunner")
        made["max_epochs"] = runner.take("max_epochs")
        runner.end()
        made["val_interval"] = Fields(config.get("evaluation") or {}, f"{where}.evaluation").take("interval", 1)
    elif "train_cfg" in config:
        train = Fields(config["train_cfg"], f"{where}.train_cfg").expect(by_epoch=True, type="EpochBasedTrainLoop")
        made = {"max_epochs": train.take("max_epochs"), "val_interval": train.take("val_interval", 1)}
        train.end()
    return made


def _loaders(config: Mapping[str, Any], where: str) -> dict[str, Node]:
    """mmdet 3's loaders; mmdet 2's `data` in the same form."""
    if "data" not in config:
        return {split: config[f"{split}_dataloader"] for split in ("train", "val") if f"{split}_dataloader" in config}
    data = Fields(config["data"], f"{where}.data").drop("workers_per_gpu", "test")
    size = data.take("samples_per_gpu")
    made = {split: {"batch_size": size, "dataset": data.take(split)} for split in ("train", "val") if split in data}
    data.end()
    return made


def _data(node: Any, split: str, gpus: int, tensors: Sequence[Node], where: str) -> Node:
    loader = Fields(node, where)
    loader.drop("num_workers", "persistent_workers", "sampler", "batch_sampler", "drop_last", "pin_memory")
    size, dataset = loader.take("batch_size"), loader.node("dataset").drop("_delete_")
    loader.end()
    times = 1
    if dataset.take("type", "CocoDataset") == "RepeatDataset":
        times, inner = dataset.take("times"), dataset.node("dataset")
        dataset.end()
        dataset = inner
        dataset.expect(type="CocoDataset")
    labels = _labels(dataset, split == "train")
    steps = _pipeline(dataset.take("pipeline"), f"{where}.pipeline", tensors, split == "train")
    dataset.end()
    if split == "val":
        return {"val_dataset": labels, "test_transforms": steps}
    if times > 1:
        labels = {"type": "RepeatDataset", "times": times, "dataset": labels}
    return {"train_dataset": labels, "train_transforms": steps, "batch_size": size * gpus}


def _labels(fields: Fields, training: bool) -> Node:
    """In training images without boxes, and those with a side below 32 pixels, are left out."""
    fields.drop("test_mode", "classes", "metainfo", "backend_args")
    root = fields.take("data_root", "")
    images = fields.take("img_prefix", None)
    if images is None:
        prefix = fields.node("data_prefix", {"img": ""})
        images = prefix.take("img", "")
        prefix.end()
    filters = fields.node("filter_cfg", {}).expect(filter_empty_gt=True)
    smallest = filters.take("min_size", 32)
    filters.end()
    made = {"type": "ImageBoxes", "empty": not training, "min_size": smallest if training else 0}
    hands = {"type": "CocoHands", "ann_file": root + fields.take("ann_file"), "image_root": root + images}
    return {**made, "dataset": {**hands, "box": "annotated", "unlabelled": "skip"}}


def _pipeline(nodes: Sequence[Any], where: str, tensors: Sequence[Node], training: bool) -> list[Node]:
    made, tensors = list[Node](), list(tensors)
    for index, node in enumerate(_flat(nodes, where)):
        fields = Fields(node, f"{where}.{index}")
        kind = fields.kind(*_STEPS, *_SILENT, "Normalize", "Pad")
        if kind == "Normalize":
            tensors = normalisation(fields.take("mean"), fields.take("std"))
            fields.expect(to_rgb=True)
        elif kind == "Pad":
            _check_padding(fields, made)
        elif kind in _SILENT:
            fields.drop("with_bbox", "meta_keys", "keys")
        elif training or kind != "RandomFlip":  # in mmdet 2's tests it stands there and does nothing
            made.append(_STEPS[kind](fields))
        fields.end()
    return [*made, *tensors, {"type": "PoseCollect", "keys": ["img", "boxes", "counts"] if training else ["img"]}]


def _flat(nodes: Sequence[Any], where: str) -> list[Any]:
    """mmdet 2's test-time wrapper opened, and steps under mmdet's names."""
    flat: list[Any] = []
    for index, node in enumerate(map(_plainly_named, nodes)):
        if not isinstance(node, Mapping) or node.get("type") != "MultiScaleFlipAug":
            flat.append(node)
            continue
        fields = Fields(node, f"{where}.{index}").drop("type").expect(flip=False)
        scale = fields.take("img_scale")
        for step in map(_plainly_named, fields.take("transforms")):
            flat.append({**step, "img_scale": scale} if step.get("type") == "Resize" else step)
        fields.end()
    return flat


def _plainly_named(node: Any) -> Any:
    """EasyCV has mmdet's steps under names of its own, with MM in front."""
    if not isinstance(node, Mapping) or not isinstance(node.get("type"), str):
        return node
    return {**node, "type": node["type"].removeprefix("MM")}


def _check_padding(fields: Fields, made: Sequence[Node]) -> None:
    divisor = fields.take("size_divisor")
    size = next((step["input_size"] for step in made if step["type"] == "Resize"), None)
    if size is None or any(side % divisor for side in size):
        raise ConfigError(f"{fields.where}: padding to a multiple of {divisor} has no counterpart in handkit")


def _load(fields: Fields) -> Node:
    fields.drop("file_client_args", "backend_args")
    return {"type": "LoadImage"}


def _expand(fields: Fields) -> Node:
    fields.expect(to_rgb=True)
    defaults = {"mean": (0, 0, 0), "ratio_range": (1, 4), "prob": 0.5}
    return {"type": "Expand", **{key: fields.take(key, value) for key, value in defaults.items()}}


def _crop(fields: Fields) -> Node:
    fields.expect(bbox_clip_border=True)
    defaults = {"min_ious": (0.1, 0.3, 0.5, 0.7, 0.9), "min_crop_size": 0.3}
    return {"type": "MinIoURandomCrop", **{key: fields.take(key, value) for key, value in defaults.items()}}


def _resize(fields: Fields) -> Node:
    fields.expect(keep_ratio=False)
    return {"type": "Resize", "input_size": fields.take("img_scale" if "img_scale" in fields else "scale")}


def _flip(fields: Fields) -> Node:
    fields.expect(direction="horizontal")
    return {"type": "RandomFlip", "prob": fields.take("flip_ratio" if "flip_ratio" in fields else "prob")}


def _photometric(fields: Fields) -> Node:
    defaults = {"brightness_delta": 32, "contrast_range": (0.5, 1.5), "saturation_range": (0.5, 1.5), "hue_delta": 18}
    return {"type": "PhotoMetricDistortion", **{key: fields.take(key, value) for key, value in defaults.items()}}


_STEPS = {
    "LoadImageFromFile": _load,
    "Expand": _expand,
    "MinIoURandomCrop": _crop,
    "Resize": _resize,
    "RandomFlip": _flip,
    "PhotoMetricDistortion": _photometric,
}
