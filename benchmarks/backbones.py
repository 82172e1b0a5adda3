"""Parameters and multiply-adds of the backbones, as the table of docs/backbones.md.

    python benchmarks/backbones.py [--size 256]

Counted by torch's FlopCounterMode on the meta device: of convolutions and matrix products, one image, no head. No
number is computed, so that it takes seconds on any machine.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from handkit.registry import MODELS, build

#: By name, as people call it: the node of a config.
BACKBONES: dict[str, dict[str, Any]] = {
    "HRNetV2-W18": dict(type="HRNet"),
    "ResNet-18": dict(type="ResNet", depth=18),
    "ResNet-34": dict(type="ResNet", depth=34),
    "ResNet-50": dict(type="ResNet", depth=50),
    "ResNet-101": dict(type="ResNet", depth=101),
    "ResNet-152": dict(type="ResNet", depth=152),
    "MobileNetV2": dict(type="MobileNetV2"),
    "MobileNetV2, stride 16": dict(type="MobileNetV2", output_stride=16),
    "MobileNetV2, stride 8": dict(type="MobileNetV2", output_stride=8),
    "Lite-HRNet-18": dict(type="LiteHRNet"),
    "Lite-HRNet-30": dict(type="LiteHRNet", num_modules=(3, 8, 3)),
    "CSPNeXt-s": dict(type="CSPNeXt", deepen_factor=0.33, widen_factor=0.5),
    "CSPNeXt-m": dict(type="CSPNeXt"),
    "PFLD 0.75": dict(type="PFLDNet"),
    "CPM trunk": dict(type="CPMTrunk"),
    "CPM trunk, a quarter": dict(type="CPMTrunk", width=0.25),
    "EfficientNet-Lite0": dict(type="EfficientNetLite0"),
    "SCNet-50": dict(type="SCNet"),
    "Hourglass-52": dict(type="HourglassNet", num_stacks=1),
    "Hourglass-104": dict(type="HourglassNet"),
}


def measure(node: dict[str, Any], size: int) -> tuple[float, float, list[tuple[int, int]]]:
    """Millions of parameters, billions of multiply-adds of one image, and each map's channels and stride."""
    with torch.device("meta"):
        net = build(node, MODELS).eval()
        counter = FlopCounterMode(display=False)
        with counter, torch.inference_mode():
            maps = net(torch.empty(1, 3, size, size))
    parameters = sum(weight.numel() for weight in net.parameters())
    return parameters / 1e6, counter.get_total_flops() / 2e9, [(x.shape[1], size // x.shape[2]) for x in maps]


def row(name: str, node: dict[str, Any], size: int) -> str:
    """One line of the table."""
    parameters, macs, maps = measure(node, size)
    arguments = ", ".join(
        [f'type="{node["type"]}"', *(f"{key}={value}" for key, value in node.items() if key != "type")]
    )
    channels = ", ".join(f"{width} at {stride}" for width, stride in maps)
    return f"| {name} | `dict({arguments})` | {channels} | {parameters:.2f} | {macs:.3f} |"


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=256, help="side of the image")
    size = parser.parse_args(arguments).size
    print("| backbone | node | channels at stride | parameters, millions | multiply-adds, billions |")
    print("| --- | --- | --- | --- | --- |")
    for name, node in BACKBONES.items():
        print(row(name, node, size))


if __name__ == "__main__":
    main()
