"""The sections of ModelScope's configuration.json that say how a model is trained and measured -> handkit's keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handkit.errors import ConfigError
from handkit.formats.easycv.config import translate
from handkit.formats.easycv.data import evaluator
from handkit.formats.easycv.network import Decisions
from handkit.formats.fields import Fields
from handkit.formats.schedules import Node, optimization


def training(configuration: Mapping[str, Any], where: str, decisions: Decisions) -> Node:
    """The whole config of a model that EasyCV wrote; data sets that name no file get the empty name.

    Args:
        configuration: of plain dicts and lists, with `model`, `dataset` and `train`.
        where: its name in messages.
        decisions: gets a line for each part that is only nearly the same.

    Raises:
        ConfigError: a section is missing, or has a key that is not known.
    """
    for key in ("model", "dataset", "train"):
        if not isinstance(configuration.get(key), Mapping):
            raise ConfigError(f"{where}: has no section {key!r}, so it does not say how the model is trained")
    model = Fields(configuration["model"], f"{where}: model").drop("type")
    architecture = model.node("__easycv_arch__")
    splits = Fields(configuration["dataset"], f"{where}: dataset")
    sizes = configuration.get("data_cfg")
    measured = evaluation(configuration, where, decisions)
    config = {
        "model": {**_rest(model, configuration["model"]), "type": architecture.take("type")},
        "data": {
            "imgs_per_gpu": 1,
            "train": _split(splits.take("train"), sizes),
            "val": _split(splits.take("val"), sizes),
        },
        "total_epochs": 1,
    }
    for part in (architecture, splits):
        part.end()
    told = Decisions()
    made = translate(config, where=where, decisions=told)
    decisions += [line for line in told if "imgs_per_gpu" not in line]
    return {**made, **train_section(configuration, where), **measured}


def _rest(model: Fields, node: Mapping[str, Any]) -> Node:
    return {key: value for key, value in node.items() if key in model}


def _split(node: Any, sizes: Any) -> Any:
    """A data set with names for the files it leaves out, and with the sizes that stand elsewhere."""
    if not isinstance(node, Mapping) or not isinstance(node.get("data_source"), Mapping):
        return node
    source = {"ann_file": "", "img_prefix": "", **({} if sizes is None else {"data_cfg": sizes}), **node["data_source"]}
    return {**node, "data_source": source}


def train_section(configuration: Mapping[str, Any], where: str) -> Node:
    """Batches, epochs, optimizer and learning rate of the section `train`, as far as it states them.

    Raises:
        ConfigError: a key that is not known.
    """
    fields = Fields(configuration.get("train") or {}, f"{where}: train").drop("work_dir", "hooks")
    loader = fields.node("dataloader", {}).drop("shuffle")
    names = {"batch_size": "batch_size_per_gpu", "workers": "workers_per_gpu"}
    made: Node = {key: loader.take(name) for key, name in names.items() if name in loader}
    if "max_epochs" in fields:
        made["max_epochs"] = fields.take("max_epochs")
    settings: Node = {}
    for name, key in (("optimizer", "optimizer"), ("lr_scheduler", "lr_config")):
        if name in fields:
            node = fields.node(name)
            options = node.take("options", None) or {}
            settings[key] = _rest(node, configuration["train"][name])
            if name == "optimizer" and options:
                settings["optimizer_config"] = options
    for part in (loader, fields):
        part.end()
    return {**made, **optimization(settings, made.get("max_epochs"), f"{where}: train")}


def evaluation(configuration: Mapping[str, Any], where: str, decisions: Decisions) -> Node:
    """The metrics of the section `evaluation`, and its batch size, as far as it states them.

    Raises:
        ConfigError: a metric without a counterpart, or a key that is not known.
    """
    fields = Fields(configuration.get("evaluation") or {}, f"{where}: evaluation")
    loader = fields.node("dataloader", {}).drop("workers_per_gpu", "shuffle")
    made: Node = {}
    if "batch_size_per_gpu" in loader:
        made["val_batch_size"] = loader.take("batch_size_per_gpu")
    if "metrics" in fields:
        metrics = fields.node("metrics").expect(type="EasyCVMetric")
        place = f"{metrics.where}.evaluators"
        nodes = [evaluator(Fields(node, place), decisions) for node in metrics.take("evaluators")]
        made["metrics"] = [row for rows, _ in nodes for row in rows]
        metrics.end()
    for part in (loader, fields):
        part.end()
    return made
