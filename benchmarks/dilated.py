"""The gradient of a dilated depthwise convolution in bf16: handkit's against PyTorch's own, in the same run.

    python benchmarks/dilated.py [--threads 1]

A layer of OffsetPoseNet at stride 8 in bf16: 32 crops, 576 channels, 25 x 25 cells, as NHWC; milliseconds are medians
of one backward pass, the two in turns.
"""

from __future__ import annotations

import argparse
import functools
from collections.abc import Sequence

import torch
from _timing import alternate, pin_threads, print_machine
from torch import nn

from handkit.models.backbones.dilated import DilatedDepthwiseConv2d

CHANNELS, SHAPE = 576, (32, 576, 25, 25)


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args(arguments)
    pin_threads(options.threads)
    print_machine(options.threads, ("torch",))
    print("| dilation | PyTorch, ms | handkit, ms | ratio |")
    print("| --- | --- | --- | --- |")
    for dilation in (2, 4):
        ours = DilatedDepthwiseConv2d(CHANNELS, 3, dilation)
        theirs = nn.Conv2d(CHANNELS, CHANNELS, 3, 1, dilation, dilation, CHANNELS, bias=False)
        times = alternate({"theirs": _backward(theirs), "ours": _backward(ours)})
        row = (times["theirs"] * 1e3, times["ours"] * 1e3, times["theirs"] / times["ours"])
        print(f"| {dilation} | {row[0]:.0f} | {row[1]:.0f} | {row[2]:.1f} |")


def _backward(layer: nn.Module) -> functools.partial[None]:
    """A call that takes one gradient of a layer."""
    dtype = torch.bfloat16
    layer = layer.to(dtype=dtype, memory_format=torch.channels_last)  # type: ignore[call-overload]
    x = torch.randn(SHAPE, dtype=dtype).contiguous(memory_format=torch.channels_last).requires_grad_()
    out = layer(x)
    return functools.partial(out.backward, torch.randn_like(out), retain_graph=True)


if __name__ == "__main__":
    main()
