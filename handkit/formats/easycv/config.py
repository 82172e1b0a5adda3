"""The whole of a config."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handkit.errors import ConfigError
from handkit.formats.easycv.data import best, dataset, evaluator, pipeline, targets
from handkit.formats.easycv.network import Decisions, network
from handkit.formats.fields import Fields, plain
from handkit.formats.schedules import Node, optimization

#: Logging, storage and processes; and names for parts that stand where they are used.
_SILENT = (
    *("oss_io_config", "oss_sync_config", "log_level", "log_config", "checkpoint_config", "checkpoint_sync_export"),
    *("dist_params", "workflow", "export", "channel_cfg", "data_root", "data_cfg", "data_source_cfg"),
    *("train_pipeline", "val_pipeline", "test_pipeline", "evaluator_args"),
)
_OPTIMIZATION = ("optimizer", "optimizer_config", "lr_config")


def translate(
    config: Mapping[str, Any], gpus: int = 1, where: str = "config", decisions: Decisions | None = None
) -> Node:
    """A resolved config -> the keys of handkit's that it states.

    EasyCV cuts crops without averaging pixels, finds DARK's maximum wherever its step leads, and trains on joints
    somewhat outside the crop: ``antialias=False``, ``max_offset=None``, ``hide_outside=False``.

    Args:
        config: from `handkit.formats.parse_config`, or a dumped one.
        gpus: how many it was made for; its batch size is that of one.
        where: its name in messages.
        decisions: gets a line for each part that is only nearly the same here.

    Raises:
        ConfigError: a key that is not known, or a part that handkit has no counterpart of, with its place.
    """
    for key in ("model", "data"):
        if key not in config:
            raise ConfigError(f"{where}: names no {key!r}, so it is no training config of EasyCV")
    notes = Decisions() if decisions is None else decisions
    fields = Fields(config, where).drop(*_SILENT)
    model, decoding, flip = network(fields.node("model"), notes)
    epochs = fields.take("total_epochs")
    schedule = {key: fields.take(key) for key in _OPTIMIZATION if key in fields}
    made: Node = {
        "task": "hand_2d_keypoints",
        "model": model,
        "codec": {},
        "flip_test": flip,
        "max_epochs": epochs,
        **optimization(schedule, epochs, where),
        **_data(fields.node("data"), decoding, gpus, notes),
    }
    metrics, threshold = _metrics(fields.take("eval_pipelines", ()), f"{where}.eval_pipelines", notes)
    made |= {"metrics": metrics} if metrics else {}
    measuring = fields.node("eval_config", {}).drop("metric")
    made["val_interval"] = measuring.take("interval", 1)
    if "save_best" in measuring:
        made |= best(measuring.take("save_best"), threshold, measuring.where)
    fields.node("predict", {"type": "HandKeypointsPredictor"}).expect(type="HandKeypointsPredictor").end()
    for key in ("load_from", "resume_from"):
        if fields.take(key, None):
            notes.append(f"{where}.{key}: not taken; weights to begin with are named by load_from, --resume goes on")
    for part in (measuring, fields):
        part.end()
    return made


def _data(fields: Fields, decoding: Node, gpus: int, notes: Decisions) -> Node:
    """Both data sets, their steps, the codec that they share, and the batch sizes."""
    fields.drop("workers_per_gpu", "test_dataloader")
    size, made = fields.take("imgs_per_gpu"), Node()
    loader = fields.node("val_dataloader", {}).drop("workers_per_gpu")
    made["batch_size"] = size * gpus
    if (measured := loader.take("samples_per_gpu", size)) != size:
        made["val_batch_size"] = measured
    notes.append(f"{fields.where}.imgs_per_gpu: batch_size={size * gpus}, for {gpus} GPU{'s' if gpus > 1 else ''}")
    test, splits = fields.take("test", None), {split: fields.take(split) for split in ("train", "val")}
    if test is not None and plain(test) != plain(splits["val"]):
        notes.append(f"{fields.where}.test: left out; `handkit test` measures val_dataset, or --data")
    codec: Node = {}
    for split, node in splits.items():
        training, where = split == "train", f"{fields.where}.{split}"
        reader, sizes, steps = dataset(Fields(node, where), training)
        if training:
            codec = {"type": "GaussianHeatmap", **sizes, **targets(steps, f"{where}.pipeline"), **decoding}
        elif any(codec[key] != value for key, value in sizes.items()):
            raise ConfigError(f"{where}: has other sizes of crops or maps than data.train: {sizes}")
        made[f"{split}_dataset"] = reader
        key = "train_transforms" if training else "test_transforms"
        made[key] = pipeline(steps, f"{where}.pipeline", codec, training, notes)
    notes.append(f"{fields.where}: boxes are cut off at the edge of the picture, which EasyCV does not do")
    for part in (loader, fields):
        part.end()
    return {**made, "codec": codec}


def _metrics(nodes: Any, where: str, notes: Decisions) -> tuple[list[Node], float]:
    """Those of the one measurement; its data are data.val's."""
    if len(nodes) > 1:
        raise ConfigError(f"{where}: {len(nodes)} measurements have no counterpart in handkit, only one")
    metrics, threshold = list[Node](), 0.2
    for node in nodes:
        fields = Fields(node, f"{where}.0").expect(mode="test").drop("data", "dist_eval")
        for index, item in enumerate(fields.take("evaluators")):
            rows, threshold = evaluator(Fields(item, f"{fields.where}.evaluators.{index}"), notes)
            metrics += rows
        fields.end()
    return metrics, threshold
