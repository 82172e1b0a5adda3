"""Makes mmpose.npz by running mmpose on the rules of mmpose_rule.py.

    python tests/golden/make_mmpose_golden.py

needs mmpose 1.3.2 in the environment of that python, not handkit. Written by torch 2.13 and numpy 2.4 on a CPU with one
thread. What it stores:

- ``keys`` and ``shapes`` (1839,) strings: the state dict of the config ``td-hm_hrnetv2-w18_dark-8xb32-210e_coco-
  wholebody-hand-256x256``;
- ``heatmaps`` (2, 21, 16, 16): that model's output on `mmpose_rule.images`, and ``flip_tested``, with its flip test;
- ``small`` (2, 8, 16, 16): the output of mmpose's HRNet as `mmpose_rule.SMALL` describes it;
- ``dark_11``, ``dark_17``, ``plain`` (3, 21, 2) joints and ``peaks`` (3, 21) scores: `MSRAHeatmap.decode` of
  `mmpose_rule.maps`;
- ``biased`` (2, 21, 64, 48), ``unbiased`` (1, 3, 64, 48) and their weights (2, 21): `MSRAHeatmap.encode` of
  `mmpose_rule.joints`, sigma 2; the first hand's first three joints of the unbiased maps;
- ``biased_3`` (1, 21, 64, 48): the first hand with sigma 3.

and, in mmpose_step.npz, one training step of that config's model in float64, on `mmpose_rule.step_images` and the
targets `MSRAHeatmap.encode` (unbiased, sigma 2) makes of `mmpose_rule.step_joints`:

- ``loss`` (): the `KeypointMSELoss` of the config;
- ``parameters``, ``norms`` and ``projections``: the gradients, see `gradient_rule.summary`;
- ``statistics`` (B, 2) sums of the batch norms' running means and variances after the step, in the model's order.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradient_rule
import mmpose_rule
import numpy as np
import torch

HERE = Path(__file__).resolve().parent
CONFIG = "topdown_heatmap/coco_wholebody_hand/td-hm_hrnetv2-w18_dark-8xb32-210e_coco-wholebody-hand-256x256.py"
Arrays = dict[str, np.ndarray[Any, Any]]


def fill(model: torch.nn.Module) -> torch.nn.Module:
    shapes = {key: tuple(value.shape) for key, value in model.state_dict().items()}
    model.load_state_dict({key: torch.from_numpy(np.asarray(v)) for key, v in mmpose_rule.state(shapes).items()})
    model.eval()  # returns None in mmpose's HRNet
    return model


def hand_model() -> Arrays:
    import mmpose
    from mmengine.config import Config
    from mmpose.apis import init_model
    from mmpose.models.utils.tta import flip_heatmaps

    folder = Path(mmpose.__file__).parent / ".mim" / "configs" / "hand_2d_keypoint"
    cfg = Config.fromfile(folder / CONFIG)
    cfg.model.backbone.init_cfg = None
    model = fill(init_model(cfg, None, device="cpu"))
    images = torch.from_numpy(mmpose_rule.images())
    heatmaps, mirrored = model(images, None, mode="tensor"), model(images.flip(-1), None, mode="tensor")
    flipped = flip_heatmaps(mirrored, list(range(21)), "heatmap", shift_heatmap=True)
    state = model.state_dict()
    return {
        "keys": np.array(list(state)),
        "shapes": np.array([str(tuple(value.shape)) for value in state.values()]),
        "heatmaps": heatmaps.numpy(),
        "flip_tested": ((heatmaps + flipped) * 0.5).numpy(),
    }


def training_step() -> Arrays:
    import mmpose
    from mmengine.config import Config
    from mmpose.apis import init_model
    from mmpose.codecs import MSRAHeatmap

    folder = Path(mmpose.__file__).parent / ".mim" / "configs" / "hand_2d_keypoint"
    cfg = Config.fromfile(folder / CONFIG)
    cfg.model.backbone.init_cfg = None
    model = fill(init_model(cfg, None, device="cpu")).double()
    model.train()
    images = mmpose_rule.step_images().astype(np.float64)
    codec = MSRAHeatmap((128, 128), (32, 32), sigma=2, unbiased=True)
    encoded = [codec.encode(*(x[None] for x in hand)) for hand in zip(*mmpose_rule.step_joints(), strict=True)]
    targets = np.stack([hand["heatmaps"] for hand in encoded]).astype(np.float64)
    weights = np.concatenate([hand["keypoint_weights"] for hand in encoded]).astype(np.float64)
    heatmaps = model(torch.from_numpy(images), None, mode="tensor")
    loss = model.head.loss_module(heatmaps, torch.from_numpy(targets), torch.from_numpy(weights))
    loss.backward()
    norms = [part for part in model.modules() if isinstance(part, torch.nn.BatchNorm2d)]
    return {
        "loss": loss.detach().numpy(),
        **gradient_rule.summary(model),
        "statistics": np.array([[part.running_mean.sum().item(), part.running_var.sum().item()] for part in norms]),
    }


def small_backbone() -> Arrays:
    from mmpose.models.backbones import HRNet

    small = mmpose_rule.SMALL
    blocks, modules, widths = small["num_blocks"], small["num_modules"], [small["width"] * 2**i for i in range(4)]
    stages = {
        f"stage{index + 2}": dict(
            num_modules=modules[index],
            num_branches=index + 2,
            block="BASIC",
            num_blocks=(blocks[index + 1],) * (index + 2),
            num_channels=tuple(widths[: index + 2]),
        )
        for index in range(3)
    }
    first = dict(num_modules=1, num_branches=1, block="BOTTLENECK", num_blocks=(blocks[0],))
    extra = {"stage1": {**first, "num_channels": (small["stage1_channels"],)}, **stages}
    model = fill(HRNet(extra))
    return {"small": model(torch.from_numpy(mmpose_rule.images()))[0].numpy()}


def codecs() -> Arrays:
    from mmpose.codecs import MSRAHeatmap

    def codec(sigma: float, unbiased: bool, kernel: int = 11) -> MSRAHeatmap:
        return MSRAHeatmap(mmpose_rule.INPUT_SIZE, mmpose_rule.MAP_SIZE, sigma, unbiased, kernel)

    def encoded(codec: MSRAHeatmap) -> tuple[Any, Any]:
        hands = [codec.encode(hand[None], np.ones((1, 21), np.float32)) for hand in mmpose_rule.joints()]
        weights = np.concatenate([hand["keypoint_weights"] for hand in hands])
        return np.stack([hand["heatmaps"] for hand in hands]), weights

    arrays: Arrays = {}
    for name, one in {"dark_11": codec(2, True), "dark_17": codec(3, True, 17), "plain": codec(2, False)}.items():
        decoded = [one.decode(hand) for hand in mmpose_rule.maps()]
        arrays[name] = np.concatenate([joints for joints, _ in decoded])
        arrays["peaks"] = np.concatenate([scores for _, scores in decoded])
    arrays["biased"], arrays["biased_weights"] = encoded(codec(2, False))
    arrays["biased_3"] = encoded(codec(3, False))[0][:1]
    unbiased, arrays["unbiased_weights"] = encoded(codec(2, True))
    return {**arrays, "unbiased": unbiased[:1, :3]}


def main() -> None:
    torch.set_num_threads(1)
    with torch.inference_mode():
        arrays = {**hand_model(), **small_backbone(), **codecs()}
    np.savez_compressed(HERE / "mmpose.npz", **arrays)
    step = training_step()
    np.savez_compressed(HERE / "mmpose_step.npz", **step)
    print("loss", step["loss"], "gradients from", step["norms"].min(), "to", step["norms"].max())
    for name, value in arrays.items():
        spread = f"{value.min():.3f} to {value.max():.3f}" if value.dtype.kind == "f" else value.dtype
        print(name, value.shape, spread)


if __name__ == "__main__":
    main()
