"""The whole of a config."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handkit.errors import ConfigError
from handkit.formats.fields import Fields
from handkit.formats.mmpose.data import Decisions, data, metrics
from handkit.formats.mmpose.heads import network
from handkit.formats.schedules import Node, normalisation, optimization


def translate(
    config: Mapping[str, Any], gpus: int = 1, where: str = "config", decisions: Decisions | None = None
) -> Node:
    """A resolved config -> the keys of handkit's that it states.

    mmpose cuts crops out of large images without averaging pixels, finds DARK's maximum wherever its step leads, and
    trains on joints somewhat outside the crop: ``antialias=False``, ``max_offset=None``, ``hide_outside=False``.

    Args:
        config: from `handkit.formats.parse_config`, or a dumped one.
        gpus: how many it was made for; its batch size is that of one.
        where: its name in messages.
        decisions: gets a line for each part that is only nearly the same here.

    Raises:
        ConfigError: a part that handkit has no counterpart of, with its place.
    """
    for key in ("model", "train_dataloader", "train_cfg"):
        if key not in config:
            raise ConfigError(f"{where}: names no {key!r}, so it is no training config of mmpose 1.x")
    notes = Decisions() if decisions is None else decisions
    fields = Fields(config["model"], f"{where}.model").expect(type="TopdownPoseEstimator")
    tensors = _preprocessor(fields.node("data_preprocessor"))
    model, codec, flip = network(fields)
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
        **_hooks(config.get("custom_hooks") or (), f"{where}.custom_hooks", notes),
    }
    for split in ("train", "val"):
        if f"{split}_dataloader" in config:
            place = f"{where}.{split}_dataloader"
            made |= data(config[f"{split}_dataloader"], split, gpus, codec, tensors, place, notes)
    if "val_evaluator" in config:
        made["metrics"] = metrics(config["val_evaluator"], f"{where}.val_evaluator")
    return made


def _preprocessor(fields: Fields) -> list[Node]:
    fields.expect(type="PoseDataPreprocessor", bgr_to_rgb=True)
    tensors = normalisation(fields.take("mean"), fields.take("std"))
    fields.end()
    return tensors


def _best(config: Mapping[str, Any], where: str) -> Node:
    """What its checkpoint hook calls the best weights."""
    hooks = config.get("default_hooks") or {}
    hook = Fields(hooks.get("checkpoint") or {}, f"{where}.default_hooks.checkpoint")
    metric, rule = hook.take("save_best", None), hook.take("rule", "greater")
    if metric is None:
        return {}
    return {"best_metric": metric.rpartition("/")[2], "best_mode": "max" if rule == "greater" else "min"}


def _hooks(nodes: Any, where: str, decisions: Decisions) -> Node:
    """Of the hooks that a config adds, the one that changes the weights."""
    made: Node = {}
    for index, node in enumerate(nodes):
        fields = Fields(node, f"{where}.{index}").drop("priority")
        kind = fields.kind("EMAHook", "SyncBuffersHook", "mmdet.PipelineSwitchHook")
        if kind == "EMAHook":
            fields.expect(ema_type="ExpMomentumEMA", update_buffers=True, gamma=2000)
            made["ema_decay"] = 1 - fields.take("momentum", 0.0002)
            decisions.append(f"{fields.where}: the average begins otherwise: its decay is (1 + n) / (10 + n) at first")
        elif kind == "mmdet.PipelineSwitchHook":
            epoch = fields.drop("switch_pipeline").take("switch_epoch")
            decisions.append(f"{fields.where}: train_transforms stay the same; mmpose changes them after epoch {epoch}")
        fields.end()
    return made
