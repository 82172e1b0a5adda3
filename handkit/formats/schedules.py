"""Optimizers, learning rates and batches of mmengine's configs and of mmcv 1's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from handkit.errors import ConfigError
from handkit.formats.fields import Fields

Node = dict[str, Any]


def optimizer(node: Any, where: str) -> Node:
    """torch's optimizer by its own argument names; what it leaves out has torch's default."""
    fields = Fields(node, where)
    kind = fields.kind("Adam", "AdamW", "SGD")
    made: Node = {"type": kind, "lr": fields.take("lr")}
    if kind == "SGD":
        made |= {"momentum": fields.take("momentum", 0.0), "nesterov": fields.take("nesterov", False)}
        made["weight_decay"] = fields.take("weight_decay", 0.0)
    else:
        made |= {"betas": fields.take("betas", (0.9, 0.999)), "eps": fields.take("eps", 1e-8)}
        made["weight_decay"] = fields.take("weight_decay", 0.01 if kind == "AdamW" else 0.0)
    if kind == "AdamW":
        made["decay_vectors"] = True
    fields.end()
    return made


def optimization(config: Mapping[str, Any], max_epochs: int | None, where: str) -> Node:
    """``optimizer``, ``schedule``, ``clip_grad_norm`` and ``lr_base_batch`` as far as a config states them.

    Reads mmengine's `optim_wrapper` and `param_scheduler`, and mmcv 1's `optimizer`, `optimizer_config`, `lr_config`.
    """
    made: Node = {}
    if "optim_wrapper" in config:
        wrapper = Fields(config["optim_wrapper"], f"{where}.optim_wrapper").expect(type="OptimWrapper")
        made["optimizer"] = optimizer(wrapper.take("optimizer"), f"{where}.optim_wrapper.optimizer")
        if "paramwise_cfg" in wrapper:
            made["optimizer"] |= _per_parameter(wrapper.node("paramwise_cfg"), made["optimizer"])
        made["clip_grad_norm"] = _clip(wrapper.take("clip_grad", None), f"{where}.optim_wrapper.clip_grad")
        wrapper.end()
    elif "optimizer" in config:
        made["optimizer"] = optimizer(config["optimizer"], f"{where}.optimizer")
        grad = Fields(config.get("optimizer_config") or {}, f"{where}.optimizer_config")
        made["clip_grad_norm"] = _clip(grad.take("grad_clip", None), f"{where}.optimizer_config.grad_clip")
        grad.end()
    lr = made.get("optimizer", {}).get("lr", 1.0)
    if "param_scheduler" in config:
        made["schedule"] = _mmengine(config["param_scheduler"], max_epochs, lr, f"{where}.param_scheduler")
    elif "lr_config" in config:
        made["schedule"] = _mmcv(config["lr_config"], lr, f"{where}.lr_config")
    if "auto_scale_lr" in config:
        scale = Fields(config["auto_scale_lr"], f"{where}.auto_scale_lr").drop("enable")
        made["lr_base_batch"] = scale.take("base_batch_size")
        scale.end()
    return made


def _per_parameter(fields: Fields, made: Node) -> Node:
    """Biases and the scales of norms that do not decay; handkit spares all other vectors too."""
    fields.expect(norm_decay_mult=0, bias_decay_mult=0).drop("bypass_duplicate").end()
    if made["type"] != "AdamW":
        raise ConfigError(f"{fields.where}: {made['type']} decays all parameters alike in handkit, only AdamW does not")
    return {"decay_vectors": False}


def _clip(node: Any, where: str) -> float | None:
    if node is None:
        return None
    fields = Fields(node, where).expect(norm_type=2)
    limit: float = fields.take("max_norm")
    fields.end()
    return limit


def _mmengine(nodes: Any, max_epochs: int | None, lr: float, where: str) -> Node:
    """A linear warm-up by iterations, if any, and a course by epochs."""
    if not isinstance(nodes, Sequence) or not 1 <= len(nodes) <= 2:
        raise ConfigError(f"{where}: expected a warm-up and a course of the learning rate, got {nodes!r}")
    warmup: Node = {}
    if len(nodes) == 2:
        first = Fields(nodes[0], f"{where}.0").expect(type="LinearLR", begin=0, by_epoch=False, end_factor=1.0)
        warmup = {"warmup_iters": first.take("end"), "warmup_ratio": first.take("start_factor", 1 / 3)}
        first.end()
    fields = Fields(nodes[-1], f"{where}.{len(nodes) - 1}")
    kind = fields.kind("MultiStepLR", "CosineAnnealingLR")
    fields.expect(by_epoch=True, end=max_epochs)
    if kind == "MultiStepLR":
        made = {
            "type": "MultiStepSchedule",
            "milestones": fields.expect(begin=0).take("milestones"),
            "gamma": fields.take("gamma", 0.1),
        }
    else:
        begin = fields.take("begin", 0)
        if begin:
            fields.expect(T_max=(max_epochs or 0) - begin)
        else:
            fields.expect(T_max=max_epochs)
        made = {
            "type": "CosineSchedule",
            "final_ratio": fields.take("eta_min", 0.0) / lr,
            "by_epoch": not fields.take("convert_to_iter_based", False),
            "flat_share": begin / max_epochs if max_epochs else 0.0,
        }
    fields.end()
    return made | warmup


def _mmcv(node: Any, lr: float, where: str) -> Node:
    """mmcv's linear warm-up reaches the full rate one iteration after mmengine's of the same length."""
    fields = Fields(node, where).expect(by_epoch=True, warmup_by_epoch=False)
    policy = fields.take("policy")
    if policy not in ("CosineAnnealing", "step"):
        raise ConfigError(
            f"{where}: policy={policy!r} has no counterpart in handkit, only 'CosineAnnealing' and 'step'"
        )
    if policy == "step":
        made: Node = {
            "type": "MultiStepSchedule",
            "milestones": fields.take("step"),
            "gamma": fields.take("gamma", 0.1),
        }
    else:
        made = {"type": "CosineSchedule", "final_ratio": fields.take("min_lr", 0.0) / lr, "by_epoch": True}
    if "warmup" in fields:
        fields.expect(warmup="linear")
        made |= {"warmup_iters": fields.take("warmup_iters") + 1, "warmup_ratio": fields.take("warmup_ratio", 0.1)}
    fields.end()
    return made


def normalisation(mean: Sequence[float], std: Sequence[float]) -> list[Node]:
    """Means and deviations on the scale of 0 to 255, R, G, B -> the tensor steps that use them on [0, 1]."""
    mean, std = ([round(value / 255, 6) for value in values] for values in (mean, std))
    return [{"type": "MMToTensor"}, {"type": "NormalizeTensor", "mean": mean, "std": std}]
