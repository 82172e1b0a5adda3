"""Makes mmpose_configs.npz by running mmpose's own configs for hands on the rules of mmpose_configs_rule.py.

    python tests/golden/make_mmpose_configs_golden.py

needs mmpose 1.3.2 in the environment of that python, not handkit. Written by torch 2.13 and numpy 2.4 on a CPU with one
thread. What it stores, for each of `NETS`:

- ``NAME`` (500,), or ``NAME_x`` and ``NAME_y``: heat maps or logits of that config's model on `picture`, sampled evenly
  over the flat array;
- ``NAME_flipped`` (500,): for heat maps, likewise what its flip test decodes;
- ``NAME_keys`` (): how many keys its state dict has.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import make_config_golden
import make_mmpose_golden
import mmpose
import mmpose_configs_rule as rule
import numpy as np
import torch
from mmengine.config import Config
from mmpose.apis import init_model
from mmpose.models.utils.tta import flip_heatmaps

HERE = Path(__file__).resolve().parent
CONFIGS = Path(mmpose.__file__).parent / ".mim"


def outputs(name: str) -> dict[str, np.ndarray[Any, Any]]:
    config = Config.fromfile(str(CONFIGS / make_config_golden.FILES[name]))
    config.model.backbone.init_cfg = None
    if "norm_cfg" in config.model.backbone:
        config.model.backbone.norm_cfg = {"type": "BN"}
    model = make_mmpose_golden.fill(init_model(config, None, device="cpu"))
    image = torch.from_numpy(rule.picture())
    made, mirrored = (model(one, None, mode="tensor") for one in (image, image.flip(-1)))
    found = {f"{name}_keys": np.array(len(model.state_dict()))}
    if isinstance(made, tuple):
        return {**found, f"{name}_x": rule.sampled(made[0].numpy()), f"{name}_y": rule.sampled(made[1].numpy())}
    if isinstance(made, list):  # CPMHead: a list of stages
        made, mirrored = made[-1], mirrored[-1]
    shift = config.model.test_cfg.get("shift_heatmap", False)
    flipped = flip_heatmaps(mirrored, flip_mode="heatmap", flip_indices=list(range(21)), shift_heatmap=shift)
    both = ((made + flipped) * 0.5).numpy()
    return {**found, name: rule.sampled(made.numpy()), f"{name}_flipped": rule.sampled(both)}


def main() -> None:
    torch.set_num_threads(1)
    arrays: dict[str, np.ndarray[Any, Any]] = {}
    with torch.inference_mode():
        for name in rule.NETS:
            arrays |= outputs(name)
            print(
                name, {key: f"{v.min():.3f} to {v.max():.3f}" for key, v in arrays.items() if name in key}, flush=True
            )
    np.savez_compressed(HERE / "mmpose_configs.npz", **arrays)


if __name__ == "__main__":
    main()
