"""A training step of a config's network, forward, backward and AdamW: with `compile = True` against without.

    python benchmarks/compiled_step.py [CONFIG] [--threads 1]

Both sides have the config's precision, batch size and input size, the same weights, and the same batch of noise; the
loss is the mean square of the head's raw output. What compiling takes is printed, and is not part of the ratio.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping
from typing import Any

import torch
from _timing import alternate, pin_threads, print_machine, print_ratio
from torch import Tensor

from handkit.engine.compiling import compile_backbone
from handkit.engine.precision import Precision
from handkit.registry import MODELS, build
from handkit.registry.config import load_config


def step_of(config: Mapping[str, Any], compiled: bool) -> Callable[[], Tensor]:
    """One step of a network of this config."""
    torch.manual_seed(0)
    model: Any = build(config["model"], MODELS, "model").train().to(memory_format=torch.channels_last)
    precision = Precision(config.get("precision", "fp32"), torch.device("cpu"))
    precision.prepare(model)
    if compiled:
        compile_backbone(model)
    width, height = config["codec"]["input_size"]
    images = torch.randn(config["batch_size"], 3, height, width).contiguous(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)

    def step() -> Tensor:
        optimizer.zero_grad()
        with precision.autocast():
            outputs = model(img=images, mode="tensor")
        loss = next(iter(outputs.values())).float().square().mean()
        loss.backward()
        optimizer.step()
        return loss.detach()

    return step


def main() -> None:
    """Prints the ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", nargs="?", default="hand_2d_keypoints/hrnetv2_w18_dark_handphotos_192x192")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--turns", type=int, default=10)
    options = parser.parse_args()
    pin_threads(options.threads)
    torch.set_flush_denormal(True)
    print_machine(options.threads, ["torch", "numpy"])
    config = load_config(options.config)
    plain, compiled = step_of(config, compiled=False), step_of(config, compiled=True)
    begun = time.perf_counter()
    losses = float(compiled()), float(plain())
    print(f"first step: {time.perf_counter() - begun:.0f} s; losses {losses[0]:.6f} and {losses[1]:.6f}")
    print_ratio(alternate({"compiled": compiled, "plain": plain}, turns=options.turns), "compiled", "plain")


if __name__ == "__main__":
    main()
