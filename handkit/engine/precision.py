"""The number format of the forward pass."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Literal

import torch
from torch import Tensor, nn

from handkit.errors import ConfigError

_DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}


class Precision:
    """Autocast, and for fp16 the scale that keeps small gradients from vanishing (Micikevicius et al., ICLR 2018).

    Weights, their gradients and the optimizer stay float32. With bf16 on a CPU, depthwise convolutions are computed in
    float32: oneDNN's bfloat16 gradient of a 5x5 one takes several times as long.

    Args:
        name: 'fp32', 'bf16' (CPU and CUDA) or 'fp16' (CUDA).
        device: where the network runs.

    Raises:
        ConfigError: fp16 away from CUDA.
    """

    def __init__(self, name: Literal["fp32", "bf16", "fp16"], device: torch.device) -> None:
        if name == "fp16" and device.type != "cuda":
            raise ConfigError(f"precision='fp16' needs CUDA, and the training runs on {device}; 'bf16' works there")
        self.name = name
        self._device_type = device.type
        self.scaler = torch.amp.GradScaler("cuda") if name == "fp16" else None

    def prepare(self, model: nn.Module) -> None:
        """Does to a model, in place, what the format asks for."""
        if self.name == "bf16" and self._device_type == "cpu":
            for part in model.modules():
                if isinstance(part, nn.Conv2d) and part.groups == part.in_channels > 1:
                    setattr(part, "_conv_forward", _DepthwiseInFloat32(part))  # noqa: B010 (mypy: a method)

    def autocast(self) -> AbstractContextManager[object]:
        """The context of a forward pass."""
        if self.name == "fp32":
            return nullcontext()
        return torch.autocast(self._device_type, _DTYPES[self.name])


class _DepthwiseInFloat32:
    """A convolution's computation outside autocast; what comes out has the type that autocast gives."""

    def __init__(self, conv: nn.Conv2d) -> None:
        self._conv = conv

    def __call__(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        if not torch.is_autocast_enabled("cpu"):
            whole: Tensor = nn.Conv2d._conv_forward(self._conv, x, weight, bias)
            return whole
        with torch.autocast("cpu", enabled=False):
            out: Tensor = nn.Conv2d._conv_forward(self._conv, x.float(), weight, bias)
        return out.to(torch.get_autocast_dtype("cpu"))
