"""Configs of mmpose 1.x for hand joints by heat maps -> handkit's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from handkit.errors import ConfigError
from handkit.formats.fields import Fields, plain
from handkit.formats.schedules import Node, normalisation, optimization

_METRICS = {"PCKAccuracy": "PCK", "AUC": "AUC", "EPE": "EPE"}


def translate(config: Mapping[str, Any], gpus: int = 1, where: str = "config") -> Node:
    """A resolved config -> the keys of handkit's that it states.

    mmpose cuts crops out of large images without averaging pixels, finds DARK's maximum wherever its step leads, and
    trains on joints somewhat outside the crop: ``antialias=False``, ``max_offset=None``, ``hide_outside=False``.

    Args:
        config: from `handkit.formats.parse_config`, or a dumped one.
        gpus: how many it was made for; its batch size is that of one.
        where: its name in messages.

    Raises:
        ConfigError: a part that handkit has no counterpart of, with its place.
    """
    for key in ("model", "train_dataloader", "train_cfg"):
        if key not in config:
            raise ConfigError(f"{where}: names no {key!r}, so it is no training config of mmpose 1.x")
    fields = Fields(config["model"], f"{where}.model").expect(type="TopdownPoseEstimator")
    head = fields.node("head").expect(type="HeatmapHead")
    codec = _codec(head.take("decoder"), f"{head.where}.decoder")
    tensors = _preprocessor(fields.node("data_preprocessor"))
    flip = _flip_test(fields.node("test_cfg", {}))
    model = _model(fields, head)
    train = Fields(config["train_cfg"], f"{where}.train_cfg").expect(by_epoch=True).drop("type")
    max_epochs, val_interval = train.take("max_epochs"), train.take("val_interval", 1)
    train.end()
    made: Node = {
        "task": "hand_2d_keypoints",
        "model": model,
        "codec": codec,
        "flip_test": flip,
        "max_epochs": max_epochs,
        "val_interval": val_interval,
        **optimization(config, max_epochs, where),
        **_best(config, where),
    }
    for split in ("train", "val"):
        if f"{split}_dataloader" in config:
            made |= _data(config[f"{split}_dataloader"], split, gpus, codec, tensors, f"{where}.{split}_dataloader")
    if "val_evaluator" in config:
        made["metrics"] = _metrics(config["val_evaluator"], f"{where}.val_evaluator")
    return made


def _codec(node: Any, where: str) -> Node:
    fields = Fields(node, where).expect(type="MSRAHeatmap")
    unbiased = fields.take("unbiased", False)
    made = {
        "type": "GaussianHeatmap",
        "input_size": fields.take("input_size"),
        "heatmap_size": fields.take("heatmap_size"),
        "sigma": float(fields.take("sigma")),
        "unbiased": unbiased,
        "dark": unbiased,
        "kernel": fields.take("blur_kernel_size", 11),
        "max_offset": None,
    }
    fields.end()
    return made


def _model(fields: Fields, head: Fields) -> Node:
    backbone = fields.node("backbone").expect(type="HRNet", norm_cfg={"type": "BN"}).drop("init_cfg")
    fields.node("neck").expect(type="FeatureMapProcessor", concat=True).end()
    hrnet, channels = _hrnet(backbone)
    joined = sum(channels)
    head.expect(in_channels=joined, deconv_out_channels=None, conv_out_channels=(joined,), conv_kernel_sizes=(1,))
    loss = head.node("loss").expect(type="KeypointMSELoss", use_target_weight=True)
    weight = loss.take("loss_weight", 1.0)
    loss.end()
    out_channels = head.take("out_channels")
    for part in (head, fields):
        part.end()
    return {
        "type": "TopDownEstimator",
        "backbone": hrnet,
        "head": {"type": "HRNetV2Head", "in_channels": channels, "out_channels": out_channels},
        "losses": [{"type": "KeypointMSELoss", "loss_weight": weight}],
    }


def _hrnet(fields: Fields) -> tuple[Node, list[int]]:
    """The node, and the channels of its four outputs."""
    extra = fields.node("extra")
    upsample = extra.node("upsample", {})
    mode, corners = upsample.take("mode", "nearest"), upsample.take("align_corners", False)
    upsample.end()
    stages = [extra.node(f"stage{number}") for number in (1, 2, 3, 4)]
    modules, blocks, channels = [], [], []
    for branches, stage in enumerate(stages, 1):
        stage.expect(block="BOTTLENECK" if branches == 1 else "BASIC", num_branches=branches)
        modules.append(stage.take("num_modules"))
        channels.append(plain(stage.take("num_channels")))
        per_branch = stage.take("num_blocks")
        stage.expect(multiscale_output=True) if branches == 4 else None
        stage.end()
        blocks.append(per_branch[0])
        if list(per_branch) != [per_branch[0]] * branches:
            raise ConfigError(f"{stage.where}: num_blocks={per_branch} has no counterpart, only one number per stage")
    extra.end()
    width = channels[1][0]
    for branches, (stage, given) in enumerate(zip(stages[1:], channels[1:], strict=True), 2):
        if given != [width << branch for branch in range(branches)]:
            raise ConfigError(f"{stage.where}: num_channels={given} has no counterpart, only {width} and its doubles")
    node = {
        "type": "HRNet",
        "width": width,
        "num_modules": modules[1:],
        "num_blocks": blocks,
        "stage1_channels": channels[0][0],
        "in_channels": fields.take("in_channels", 3),
        "upsample": mode,
        "align_corners": corners,
    }
    fields.end()
    return node, channels[3]


def _preprocessor(fields: Fields) -> list[Node]:
    fields.expect(type="PoseDataPreprocessor", bgr_to_rgb=True)
    tensors = normalisation(fields.take("mean"), fields.take("std"))
    fields.end()
    return tensors


def _flip_test(fields: Fields) -> str | None:
    flip = fields.take("flip_test", False)
    fields.expect(flip_mode="heatmap", shift_heatmap=True) if flip else fields.drop("flip_mode", "shift_heatmap")
    fields.end()
    return "mmpose" if flip else None


def _best(config: Mapping[str, Any], where: str) -> Node:
    """What its checkpoint hook calls the best weights."""
    hooks = config.get("default_hooks") or {}
    hook = Fields(hooks.get("checkpoint") or {}, f"{where}.default_hooks.checkpoint")
    metric, rule = hook.take("save_best", None), hook.take("rule", "greater")
    if metric is None:
        return {}
    return {"best_metric": metric.rpartition("/")[2], "best_mode": "max" if rule == "greater" else "min"}


def _data(node: Any, split: str, gpus: int, codec: Node, tensors: Sequence[Node], where: str) -> Node:
    loader = Fields(node, where).drop("num_workers", "persistent_workers", "sampler", "drop_last", "pin_memory")
    size = loader.take("batch_size")
    fields = loader.node("dataset").expect(type="CocoWholeBodyHandDataset", data_mode="topdown").drop("test_mode")
    root = fields.take("data_root", "")
    prefix = fields.node("data_prefix", {"img": ""})
    dataset = {
        "type": "CocoWholeBodyHand",
        "ann_file": root + fields.take("ann_file"),
        "image_root": (root + prefix.take("img")).rstrip("/"),
    }
    steps = _pipeline(fields.take("pipeline"), f"{fields.where}.pipeline", codec, tensors)
    for part in (prefix, fields, loader):
        part.end()
    if split == "train":
        return {"train_dataset": dataset, "train_transforms": steps, "batch_size": size * gpus}
    return {"val_dataset": dataset, "test_transforms": steps}


def _pipeline(nodes: Sequence[Any], where: str, codec: Node, tensors: Sequence[Node]) -> list[Node]:
    made: list[Node] = []
    padding, keys = 1.25, ["img"]
    for index, node in enumerate(nodes):
        fields = Fields(node, f"{where}.{index}")
        kind = fields.kind(*_STEPS, "GetBBoxCenterScale", "GenerateTarget", "PackPoseInputs")
        if kind == "GetBBoxCenterScale":
            padding = fields.take("padding", 1.25)
        elif kind == "GenerateTarget":
            if plain(_codec(fields.take("encoder"), f"{fields.where}.encoder")) != plain(codec):
                raise ConfigError(f"{fields.where}: makes other targets than the head's decoder reads")
            keys += ["heatmaps", "target_weight"]
        elif kind != "PackPoseInputs":
            made += _STEPS[kind](fields, padding)
        fields.end()
    targets = [{"type": "TopDownGenerateTarget", "codec": codec}] if len(keys) > 1 else []
    return [*made, *tensors, *targets, {"type": "PoseCollect", "keys": keys}]


def _load(fields: Fields, padding: float) -> list[Node]:
    fields.drop("backend_args", "file_client_args")
    return [{"type": "LoadImage"}]


def _box(fields: Fields, padding: float) -> list[Node]:
    shift = {"shift_factor": fields.take("shift_factor", 0.16), "shift_prob": fields.take("shift_prob", 0.3)}
    defaults = {"scale_factor": (0.5, 1.5), "scale_prob": 1.0, "rotate_factor": 80.0, "rotate_prob": 0.6}
    turn = {key: fields.take(key, value) for key, value in defaults.items()}
    return [{"type": "TopDownRandomShift", **shift}, {"type": "TopDownGetRandomScaleRotation", **turn}]


def _flip(fields: Fields, padding: float) -> list[Node]:
    fields.expect(direction="horizontal")
    return [{"type": "TopDownRandomFlip", "flip_prob": fields.take("prob", 0.5)}]


def _affine(fields: Fields, padding: float) -> list[Node]:
    sizes = {"input_size": fields.take("input_size"), "use_udp": fields.take("use_udp", False)}
    return [{"type": "TopDownAffine", **sizes, "padding": padding, "hide_outside": False, "antialias": False}]


_STEPS = {"LoadImage": _load, "RandomBBoxTransform": _box, "RandomFlip": _flip, "TopdownAffine": _affine}


def _metrics(nodes: Any, where: str) -> list[Node]:
    made: list[Node] = []
    for index, node in enumerate(nodes if isinstance(nodes, (list, tuple)) else [nodes]):
        fields = Fields(node, f"{where}.{index}")
        kind = fields.kind(*_METRICS)
        own = {"threshold": fields.expect(norm_item="bbox").take("thr", 0.05)} if kind == "PCKAccuracy" else {}
        fields.end()
        made.append({"type": _METRICS[kind], **own})
    return made
