"""The number format of the forward pass."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Literal

import torch

from handkit.errors import ConfigError

_DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}


class Precision:
    """Autocast, and for fp16 the scale that keeps small gradients from vanishing (Micikevicius et al., ICLR 2018).

    Weights, their gradients and the optimizer stay float32.

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

    def autocast(self) -> AbstractContextManager[object]:
        """The context of a forward pass."""
        if self.name == "fp32":
            return nullcontext()
        return torch.autocast(self._device_type, _DTYPES[self.name])
