"""One training step of HRNetV2-W18 with its hand head, forward, loss, backward and Adam: handkit against mmpose 1.3.2.

    PYTHONPATH=. PEERS/bin/python benchmarks/training_step.py

where PEERS is an environment with mmpose 1.3.2. Both sides begin with the same weights and train on the same batch of
noise, 256x256 pixels, against the same targets of 64x64; the network and loss of mmpose are those of its published
DARK config. Beside handkit's step in mmpose's memory layout stands the one in its own, channels last. Exits with 1 if
losses or gradients of the first step differ by more than 1e-4, relative to the largest gradient.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from _timing import alternate, pin_threads, print_machine, print_ratio
from torch import Tensor, nn

CONFIG = "topdown_heatmap/coco_wholebody_hand/td-hm_hrnetv2-w18_dark-8xb32-210e_coco-wholebody-hand-256x256.py"
SIZE, CELLS, JOINTS, LR = 256, 64, 21, 5e-4
Step = Callable[[], Tensor]


def batch(hands: int) -> dict[str, Tensor]:
    """Noise with the targets of random joints."""
    from handkit.codecs.gaussian_heatmap import GaussianHeatmap

    draw = torch.Generator().manual_seed(0)
    joints = torch.rand(hands, JOINTS, 2, generator=draw) * (SIZE - 1)
    targets = GaussianHeatmap((SIZE, SIZE), (CELLS, CELLS)).encode(joints, torch.ones(hands, JOINTS))
    return {"img": torch.randn(hands, 3, SIZE, SIZE, generator=draw), **targets}


def handkit_side(data: dict[str, Tensor], state: dict[str, Tensor], layout: torch.memory_format) -> tuple[Any, Step]:
    """handkit's network and its step."""
    from handkit.models.backbones import HRNet
    from handkit.models.estimators import TopDownEstimator
    from handkit.models.heads import HRNetV2Head
    from handkit.models.losses import KeypointMSELoss

    model = TopDownEstimator(HRNet(), HRNetV2Head(), losses=[KeypointMSELoss()])
    model.load_state_dict(state)
    model.to(memory_format=layout)  # type: ignore[call-overload]
    ready = {**data, "img": data["img"].contiguous(memory_format=layout)}
    return model, _step(model, lambda: model(**ready, mode="loss")["loss"])


def mmpose_side(data: dict[str, Tensor]) -> tuple[Any, Step]:
    """mmpose's network and its step, as its Runner takes it: the same optimizer, and the loss of its config's head."""
    import mmpose
    from mmengine.config import Config
    from mmpose.apis import init_model

    config = Config.fromfile(Path(mmpose.__file__).parent / ".mim" / "configs" / "hand_2d_keypoint" / CONFIG)
    config.model.backbone.init_cfg = None
    model = init_model(config, None, device="cpu")

    def loss() -> Tensor:
        maps = model(data["img"], None, mode="tensor")
        value: Tensor = model.head.loss_module(maps, data["heatmaps"], data["target_weight"])
        return value

    return model, _step(model, loss)


def _step(model: nn.Module, loss: Callable[[], Tensor]) -> Step:
    model.train()
    optimizer = torch.optim.Adam(model.parameters(), lr=LR)

    def step() -> Tensor:
        optimizer.zero_grad()
        value = loss()
        value.backward()
        optimizer.step()
        return value.detach()

    return step


def difference(ours: nn.Module, theirs: nn.Module) -> float:
    """Largest difference of a gradient, relative to the largest gradient."""
    pairs = zip(ours.named_parameters(), theirs.named_parameters(), strict=True)
    apart, largest = 0.0, 0.0
    for (name, mine), (other_name, other) in pairs:
        if name != other_name or mine.grad is None or other.grad is None:
            sys.exit(f"{name} does not answer {other_name}")
        apart = max(apart, float((mine.grad - other.grad).abs().max()))
        largest = max(largest, float(other.grad.abs().max()))
    return apart / largest


def main() -> int:
    """Runs the comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--hands", type=int, default=4, help="in a batch")
    parser.add_argument("--turns", type=int, default=10)
    options = parser.parse_args()
    pin_threads(options.threads)
    torch.set_flush_denormal(True)
    data = batch(options.hands)
    try:
        peer, peer_step = mmpose_side(data)
    except ImportError as error:
        sys.exit(f"this comparison needs mmpose 1.3.2 in the environment it runs in: {error}")
    state = {key: value.clone() for key, value in peer.state_dict().items()}
    model, step = handkit_side(data, state, torch.contiguous_format)
    _, step_last = handkit_side(data, state, torch.channels_last)
    losses = float(step()), float(peer_step())
    gradients = difference(model, peer)
    print_machine(options.threads, ["torch", "numpy", "mmpose"])
    print(f"first step, {options.hands} hands: losses {losses[0]:.9f} and {losses[1]:.9f}, gradients {gradients:.1e}")
    sides = {"handkit": step, "handkit, channels last": step_last, "mmpose": peer_step}
    medians = alternate(sides, turns=options.turns)
    for name in list(sides)[:2]:
        print_ratio(medians, name, "mmpose")
    return int(abs(losses[0] - losses[1]) > 1e-4 * abs(losses[1]) or gradients > 1e-4)


if __name__ == "__main__":
    sys.exit(main())
