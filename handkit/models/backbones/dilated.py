"""A dilated depthwise convolution whose gradient in bf16 is put together from operations that are fast on a CPU."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable


class DilatedDepthwiseConv2d(nn.Conv2d):
    """`nn.Conv2d` of one kernel a channel, dilated, that keeps the size of the map: the same keys, the same numbers.

    While it learns in bf16 on a CPU, where PyTorch's own gradient is slow (``benchmarks/dilated.py``), that is put
    together by `SameDepthwise`; otherwise it is `nn.Conv2d` as it stands.

    Args:
        channels: of input and output.
        kernel_size: side of the kernels, odd.
        dilation: distance of a kernel's cells.
        bias: add one number a channel.
    """

    def __init__(self, channels: int, kernel_size: int, dilation: int, bias: bool = False) -> None:
        reach = dilation * (kernel_size // 2)
        super().__init__(channels, channels, kernel_size, 1, reach, dilation, channels, bias)

    def forward(self, input: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C, H, W)."""
        dtype = torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else input.dtype
        learning = self.training and torch.is_grad_enabled()
        if not (learning and input.device.type == "cpu" and dtype == torch.bfloat16):
            return super().forward(input)
        arguments = (input.to(dtype), self.weight.to(dtype), self.dilation[0])
        out: Tensor = SameDepthwise.apply(*arguments)  # type: ignore[no-untyped-call]
        return out if self.bias is None else out + self.bias.to(dtype)[:, None, None]


class SameDepthwise(torch.autograd.Function):
    """The convolution; its input's gradient is the same with the kernel turned by half, the kernel's one sum a cell."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, dilation: int) -> Tensor:
        """(N, C, H, W) and (C, 1, k, k) -> (N, C, H, W)."""
        ctx.save_for_backward(x, weight)
        ctx.dilation = dilation
        return _convolved(x, weight, dilation)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, None]:
        """Of the input and of the kernels."""
        x, weight = ctx.saved_tensors
        of_weight = torch.empty_like(weight)
        middle = weight.shape[2] // 2
        for row in range(weight.shape[2]):
            for column in range(weight.shape[3]):
                down, right = (row - middle) * ctx.dilation, (column - middle) * ctx.dilation
                of_weight[:, 0, row, column] = (_moved(x, down, right) * _moved(gradient, -down, -right)).sum((0, 2, 3))
        return _convolved(gradient, weight.flip(2, 3), ctx.dilation), of_weight, None


def _convolved(x: Tensor, weight: Tensor, dilation: int) -> Tensor:
    return F.conv2d(x, weight, padding=dilation * (weight.shape[2] // 2), dilation=dilation, groups=len(weight))


def _moved(x: Tensor, down: int, right: int) -> Tensor:
    """The part of (N, C, H, W) `x` whose cells have a partner `down` and `right` cells before them."""
    height, width = x.shape[2:]
    rows = slice(min(max(down, 0), height), max(height + min(down, 0), 0))
    return x[:, :, rows, min(max(right, 0), width) : max(width + min(right, 0), 0)]
