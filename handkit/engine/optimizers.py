"""Optimizers: a config's node states the numbers, `make` binds them to a model's parameters."""

from __future__ import annotations

from typing import Any, Protocol

import torch
from torch import nn

from handkit.errors import ConfigError
from handkit.registry import OPTIMIZERS


class Optimizer(Protocol):
    """A recipe of an optimizer.

    Attributes:
        lr: the learning rate before it is scaled to the batch size.
    """

    lr: float

    def make(self, model: nn.Module) -> torch.optim.Optimizer:
        """torch's optimizer for all parameters of the model that take gradients."""
        ...


@OPTIMIZERS.register_module()
class Adam:
    """Adam (Kingma and Ba, ICLR 2015); `weight_decay` is an L2 term of the gradient.

    Args:
        lr: learning rate.
        betas: decay of the averages of the gradient and of its square.
        eps: added to the root of the second average.
        weight_decay: L2 factor.
        backbone_lr_factor: the learning rate of what the model calls ``backbone`` is multiplied by it.
    """

    def __init__(
        self,
        lr: float = 5e-4,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        backbone_lr_factor: float = 1.0,
    ) -> None:
        self.lr = lr
        self._options: dict[str, Any] = {"lr": lr, "betas": tuple(betas), "eps": eps, "weight_decay": weight_decay}
        self._backbone_lr_factor = backbone_lr_factor

    def make(self, model: nn.Module) -> torch.optim.Optimizer:
        """See `Optimizer`."""
        return torch.optim.Adam(_groups(model, self.lr, self._backbone_lr_factor), **self._options)


@OPTIMIZERS.register_module()
class AdamW:
    """Adam with decoupled weight decay (Loshchilov and Hutter, ICLR 2019).

    Args:
        lr: learning rate.
        betas: decay of the averages of the gradient and of its square.
        eps: added to the root of the second average.
        weight_decay: share of a weight that is taken off per iteration, times the learning rate.
        decay_vectors: let biases and the scales of norms decay too; otherwise only weights of 2 or more axes do.
        backbone_lr_factor: the learning rate of what the model calls ``backbone`` is multiplied by it.
    """

    def __init__(
        self,
        lr: float = 5e-4,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.01,
        decay_vectors: bool = False,
        backbone_lr_factor: float = 1.0,
    ) -> None:
        self.lr = lr
        self._options: dict[str, Any] = {"lr": lr, "betas": tuple(betas), "eps": eps, "weight_decay": weight_decay}
        self._decay_vectors = decay_vectors
        self._backbone_lr_factor = backbone_lr_factor

    def make(self, model: nn.Module) -> torch.optim.Optimizer:
        """See `Optimizer`."""
        groups = _groups(model, self.lr, self._backbone_lr_factor, self._decay_vectors)
        return torch.optim.AdamW(groups, **self._options)


@OPTIMIZERS.register_module()
class SGD:
    """Stochastic gradient descent; `weight_decay` is an L2 term of the gradient.

    Args:
        lr: learning rate.
        momentum: decay of the sum of past steps.
        weight_decay: L2 factor.
        nesterov: look ahead by one step.
        backbone_lr_factor: the learning rate of what the model calls ``backbone`` is multiplied by it.
    """

    def __init__(
        self,
        lr: float = 0.01,
        momentum: float = 0.9,
        weight_decay: float = 0.0,
        nesterov: bool = False,
        backbone_lr_factor: float = 1.0,
    ) -> None:
        self.lr = lr
        self._options: dict[str, Any] = {
            "lr": lr,
            "momentum": momentum,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
        }
        self._backbone_lr_factor = backbone_lr_factor

    def make(self, model: nn.Module) -> torch.optim.Optimizer:
        """See `Optimizer`."""
        return torch.optim.SGD(_groups(model, self.lr, self._backbone_lr_factor), **self._options)


def scale_lr(optimizer: torch.optim.Optimizer, factor: float) -> None:
    """Multiplies the learning rate of every group, and notes it as the one that schedules start from."""
    for group in optimizer.param_groups:
        group["lr"] *= factor
        group["initial_lr"] = group["lr"]


def _groups(model: nn.Module, lr: float, backbone_lr_factor: float, decay_vectors: bool = True) -> list[dict[str, Any]]:
    """Parameters in up to four groups: backbone or not, decaying or not."""
    groups: dict[tuple[bool, bool], list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            backbone = backbone_lr_factor != 1.0 and name.startswith("backbone.")
            still = not decay_vectors and parameter.ndim < 2
            groups.setdefault((backbone, still), []).append(parameter)
    if not groups:
        raise ConfigError(f"{type(model).__name__} has no parameter to train")
    rows: list[dict[str, Any]] = []
    for (backbone, still), parameters in groups.items():
        row: dict[str, Any] = {"params": parameters, "lr": lr * backbone_lr_factor if backbone else lr}
        rows.append({**row, "weight_decay": 0.0} if still else row)
    return rows
