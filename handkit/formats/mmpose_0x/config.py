"""The whole of a config."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handkit.errors import ConfigError
from handkit.formats.easycv.data import best
from handkit.formats.easycv.network import Decisions
from handkit.formats.fields import Fields
from handkit.formats.mmpose_0x.data import data
from handkit.formats.mmpose_0x.network import network
from handkit.formats.schedules import Node, optimization

#: Logging, storage and processes; and names for parts that stand where they are used.
_SILENT = (
    *("log_level", "log_config", "checkpoint_config", "dist_params", "workflow", "opencv_num_threads"),
    *("mp_start_method", "work_dir", "gpu_ids", "seed", "channel_cfg", "data_root", "data_cfg", "dataset_info"),
    *("train_pipeline", "val_pipeline", "test_pipeline", "target_type"),
)
_OPTIMIZATION = ("optimizer", "optimizer_config", "lr_config")
#: The thresholds that mmpose 0.x writes into its data sets.
_METRICS: dict[str, Node] = {
    "PCK": {"type": "PCK", "threshold": 0.2},
    "AUC": {"type": "AUC", "limit": 30.0},
    "EPE": {"type": "EPE"},
}


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
        ConfigError: a key that is not known, or a part that handkit has no counterpart of, with its place.
    """
    for key in ("model", "data", "total_epochs"):
        if key not in config:
            raise ConfigError(f"{where}: names no {key!r}, so it is no training config of mmpose 0.x")
    notes = Decisions() if decisions is None else decisions
    fields = Fields(config, where).drop(*_SILENT)
    model, codec, flip = network(fields.node("model"), notes)
    epochs = fields.take("total_epochs")
    schedule = {key: fields.take(key) for key in _OPTIMIZATION if key in fields}
    made: Node = {
        "task": "hand_2d_keypoints",
        "model": model,
        "codec": codec,
        "flip_test": flip,
        "max_epochs": epochs,
        **optimization(schedule, epochs, where),
        **data(fields.node("data"), codec, gpus, notes),
        **_evaluation(fields.node("evaluation", {}), notes),
    }
    for key in ("load_from", "resume_from"):
        if fields.take(key, None):
            notes.append(f"{where}.{key}: not taken; weights to begin with are named by load_from, --resume goes on")
    fields.end()
    return made


def _evaluation(fields: Fields, decisions: Decisions) -> Node:
    """What is measured how often, and which number the best weights have."""
    made: Node = {"val_interval": fields.take("interval", 1)}
    names = fields.take("metric", ())
    metrics = list[Node]()
    for name in (names,) if isinstance(names, str) else names:
        if name == "PCKh":
            decisions.append(f"{fields.where}.metric: PCKh left out, since handkit knows no sizes of heads")
        elif name not in _METRICS:
            raise ConfigError(f"{fields.where}: the metric {name!r} has no counterpart, only {', '.join(_METRICS)}")
        else:
            metrics.append(dict(_METRICS[name]))
    if metrics:
        made["metrics"] = metrics
    if (name := fields.take("save_best", None)) is not None:
        if name not in _METRICS:
            raise ConfigError(f"{fields.where}: save_best={name!r} has no counterpart, only {', '.join(_METRICS)}")
        made |= best(name, _METRICS["PCK"]["threshold"], fields.where)
    fields.end()
    return made
