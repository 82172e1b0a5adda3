"""torch.compile for the part of a network that takes the time."""

from __future__ import annotations

import os
import shutil
from typing import Any

import torch
from torch import nn

from handkit.errors import ConfigError


def compile_backbone(model: nn.Module) -> None:
    """Compiles a model's backbone, in place, for training; measuring it runs the same layers uncompiled.

    The keys of its state dict stay. The first iteration takes minutes for a network of some hundred layers; torch keeps
    what it compiled in its cache.

    Raises:
        ConfigError: the model has no backbone, or lies on a CPU where there is no C++ compiler.
    """
    backbone = getattr(model, "backbone", None)
    if not isinstance(backbone, nn.Module):
        raise ConfigError(f"compile: {type(model).__name__} has no backbone")
    if next(backbone.parameters()).device.type == "cpu" and not _has_compiler():
        raise ConfigError(
            "compile: torch needs a C++ compiler to compile for the CPU: install g++, or name yours in the variable CXX"
        )
    layers: Any = backbone
    plain = backbone.forward
    compiled = torch.compile(plain, dynamic=False)
    layers.forward = lambda img: (compiled if layers.training else plain)(img)


def _has_compiler() -> bool:
    """Whether torch finds one: the variable CXX, or the usual names."""
    named = os.environ.get("CXX")
    return any(shutil.which(name) for name in ([named] if named else ["g++", "clang++", "cl"]))
