"""Makes backbones.npz and backbones_step.npz by running mmpose's backbones on the rules of backbones_rule.py.

    python tests/golden/make_backbones_golden.py

needs mmpose 1.3.2, mmdet 3.3.0 and torchvision in the environment of that python, not handkit. Written by torch 2.13
and numpy 2.4 on a CPU with one thread. What it stores for each of `backbones_rule.NETS`:

- ``NAME_keys``: the state dict, in order, as strings "key shape";
- ``NAME_features`` (M, 50): its M maps of `backbones_rule.images`, sampled by `backbones_rule.sampled`;

and once ``torchvision_keys``, the same of torchvision's resnet18 with its classifier. The last maps are those of
torchvision's ResNets, and all names those of mmdet's CSPNeXt: checked here.

Of one training step of each of `backbones_rule.STEPS` in float64:

- ``NAME_state``: the names of the state dict, in order;
- ``NAME_features`` (M, 50): the maps, the batch norms taking the batch's own statistics;
- ``NAME_parameters``, ``NAME_norms`` and ``NAME_projections``: the gradients, see `gradient_rule.summary`;
- ``NAME_statistics`` (B, 2): sums of the running means and variances after the step, in the model's order.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import backbones_rule
import gradient_rule
import numpy as np
import torch

HERE = Path(__file__).resolve().parent
Arrays = dict[str, np.ndarray[Any, Any]]


def fill(kind: str, model: torch.nn.Module) -> torch.nn.Module:
    shapes = {key: tuple(value.shape) for key, value in model.state_dict().items()}
    model.load_state_dict(
        {key: torch.from_numpy(np.asarray(v)) for key, v in backbones_rule.state(kind, shapes).items()}
    )
    return model


def keys(model: torch.nn.Module) -> Any:
    return np.array([f"{key} {tuple(value.shape)}" for key, value in model.state_dict().items()])


def sampled(features: Any) -> Any:
    return np.stack([backbones_rule.sampled(feature.detach().numpy()) for feature in features])


@torch.inference_mode()
def outputs() -> Arrays:
    import torchvision
    from mmdet.models.backbones import CSPNeXt
    from mmpose.models import backbones

    arrays: Arrays = {"torchvision_keys": keys(torchvision.models.resnet18())}
    images = torch.from_numpy(backbones_rule.images())
    for name, (kind, arguments, _) in backbones_rule.NETS.items():
        net = fill(kind, getattr(backbones, kind)(**arguments))
        net.eval()  # returns None in mmpose
        features = net(images)
        arrays[f"{name}_keys"], arrays[f"{name}_features"] = keys(net), sampled(features)
        if kind == "ResNet":
            twin = getattr(torchvision.models, name)()
            twin.load_state_dict(net.state_dict(), strict=False)
            x = twin.eval().maxpool(twin.relu(twin.bn1(twin.conv1(images))))
            same = twin.layer4(twin.layer3(twin.layer2(twin.layer1(x))))
            np.testing.assert_allclose(same, features[-1], rtol=1e-4, atol=1e-4)
        if kind == "CSPNeXt":
            assert keys(CSPNeXt(**arguments)).tolist() == arrays[f"{name}_keys"].tolist()
        double = net.double()(images.double())
        errors = [float((one - two).abs().max() / two.abs().max()) for one, two in zip(features, double, strict=True)]
        spreads = [f"{float(feature.std()):.2f}" for feature in features]
        between = float((features[-1][0] - features[-1][1]).std() / features[-1].std())
        print(name, "spread", *spreads, "between images", f"{between:.2f}", "float32 error", f"{max(errors):.1e}")
    return arrays


def steps() -> Arrays:
    from mmpose.models import backbones

    arrays: Arrays = {}
    for name, (kind, arguments, _) in backbones_rule.STEPS.items():
        net = fill(kind, getattr(backbones, kind)(**arguments)).double()
        net.train()
        features = net(torch.from_numpy(backbones_rule.step_images()))
        losses = [
            (feature * torch.from_numpy(backbones_rule.slope(tuple(feature.shape)))).sum() for feature in features
        ]
        sum(losses).backward()
        norms = [part for part in net.modules() if isinstance(part, torch.nn.BatchNorm2d)]
        statistics = [[part.running_mean.sum().item(), part.running_var.sum().item()] for part in norms]
        names = np.array(list(net.state_dict()))
        values = {
            "state": names,
            "features": sampled(features),
            **gradient_rule.summary(net),
            "statistics": np.array(statistics),
        }
        arrays.update({f"{name}_{key}": value for key, value in values.items()})
        print(name, "gradients from", values["norms"].min(), "to", values["norms"].max())
    return arrays


def main() -> None:
    torch.set_num_threads(1)
    np.savez_compressed(HERE / "backbones.npz", **outputs())
    np.savez_compressed(HERE / "backbones_step.npz", **steps())


if __name__ == "__main__":
    main()
