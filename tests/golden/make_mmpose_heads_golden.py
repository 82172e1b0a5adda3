"""Makes mmpose_heads.npz by running mmpose on the rules of mmpose_heads_rule.py.

    python tests/golden/make_mmpose_heads_golden.py

needs mmpose 1.3.2 in the environment of that python, not handkit. Written by torch 2.13 and numpy 2.4 on a CPU with one
thread. What it stores, by the names of the rule's tables:

- ``NAME_keys``: the state dict of each head; ``NAME_x``, ``NAME_y`` or ``NAME``: its raw outputs on `features`;
- ``NAME_labels_x``, ``NAME_labels_y`` (4, 5, bins) and ``NAME_weights`` (4, 5): `SimCCLabel.encode` of `joints`;
  ``NAME_plain``, ``NAME_dark`` (4, 5, 2): `SimCCLabel.decode` of `distributions`, without and with ``use_dark``;
- ``udp_maps`` (4, 5, 16, 12), ``udp_weights``: `UDPHeatmap.encode` of `joints`; ``udp_joints`` (4, 5, 2),
  ``udp_scores``: its decode of `maps`, brought from mmpose's w / (w - 1) to pixels of the input;
- ``regression_labels`` (4, 5, 2), ``regression_weights``: `RegressionLabel.encode` of `joints`;
- ``NAME_loss`` () and ``NAME_gradient_0``, ``NAME_gradient_1``: each loss on `outputs`, with target weights, and its
  gradients.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mmpose_heads_rule as rule
import mmpose_rule
import numpy as np
import torch
from mmpose.codecs import RegressionLabel, SimCCLabel, UDPHeatmap
from mmpose.models import heads, losses
from mmpose.models.necks import GlobalAveragePooling

Arrays = dict[str, np.ndarray[Any, Any]]


def built(kind: str, arguments: dict[str, Any]) -> torch.nn.Module:
    if kind == "RegressionHead":
        return heads.RegressionHead(rule.CHANNELS, rule.JOINTS)
    if kind == "RTMCCHead":
        gau = {**rule.GAU, "act_fn": arguments["act_fn"], "use_rel_bias": False, "pos_enc": False}
        rest = {key: value for key, value in arguments.items() if key != "act_fn"}
        return heads.RTMCCHead(rule.CHANNELS, rule.JOINTS, gau_cfg=gau, **rest)
    return getattr(heads, kind)(rule.CHANNELS, rule.JOINTS, **arguments)


def all_heads() -> Arrays:
    arrays: Arrays = {}
    for name, (kind, arguments) in rule.HEADS.items():
        head = built(kind, arguments)
        shapes = {key: tuple(value.shape) for key, value in head.state_dict().items()}
        head.load_state_dict({key: torch.from_numpy(np.asarray(v)) for key, v in mmpose_rule.state(shapes).items()})
        head.eval()
        arrays[f"{name}_keys"] = np.array(list(shapes))
        features = (torch.from_numpy(rule.features()),)
        if kind == "RegressionHead":
            features = GlobalAveragePooling()(features)
        made = head(features)
        if isinstance(made, tuple):
            arrays[f"{name}_x"], arrays[f"{name}_y"] = (one.numpy() for one in made)
        else:
            arrays[name] = made.numpy()
    return arrays


def codecs() -> Arrays:
    arrays: Arrays = {}
    joints, visible = rule.joints()
    for name, arguments in rule.CODECS.items():
        codec = SimCCLabel(rule.INPUT_SIZE, **arguments)
        made = codec.encode(joints, visible)
        for axis in ("x", "y"):
            arrays[f"{name}_labels_{axis}"] = made[f"keypoint_{axis}_labels"]
        arrays[f"{name}_weights"] = made["keypoint_weights"]
        bins = made["keypoint_x_labels"].shape[-1], made["keypoint_y_labels"].shape[-1]
        for use_dark in (False, True):
            decoder = SimCCLabel(rule.INPUT_SIZE, **arguments, use_dark=use_dark)
            x, y = rule.distributions(bins, tuple(codec.sigma))
            arrays[f"{name}_{'dark' if use_dark else 'plain'}"] = decoder.decode(x, y)[0]
    udp = UDPHeatmap(rule.INPUT_SIZE, (12, 16))
    hands = [udp.encode(*(one[None] for one in hand)) for hand in zip(joints, visible, strict=True)]
    arrays["udp_maps"] = np.stack([hand["heatmaps"] for hand in hands])
    arrays["udp_weights"] = np.concatenate([hand["keypoint_weights"] for hand in hands])
    decoded = [udp.decode(hand) for hand in rule.maps()]
    size = np.array(rule.INPUT_SIZE)
    arrays["udp_joints"] = np.concatenate([places for places, _ in decoded]) * (size - 1) / size
    arrays["udp_scores"] = np.concatenate([scores for _, scores in decoded])
    made = RegressionLabel(rule.INPUT_SIZE).encode(joints, visible)
    arrays["regression_labels"], arrays["regression_weights"] = made["keypoint_labels"], made["keypoint_weights"]
    return arrays


def all_losses() -> Arrays:
    arrays: Arrays = {}
    for name, (kind, arguments) in rule.LOSSES.items():
        loss = getattr(losses, kind)(use_target_weight=True, **arguments)
        made, asked, weight = rule.outputs(name)
        tensors = [torch.from_numpy(one).requires_grad_() for one in made]
        targets, weights = [torch.from_numpy(one) for one in asked], torch.from_numpy(weight)
        if kind == "KLDiscretLoss":
            value = loss(tuple(tensors), tuple(targets), weights)
        else:
            value = loss(tensors[0], targets[0], weights[..., None] if kind == "WingLoss" else weights)
        value.backward()
        arrays[f"{name}_loss"] = value.detach().numpy()
        for index, tensor in enumerate(tensors):
            arrays[f"{name}_gradient_{index}"] = tensor.grad.numpy().astype(np.float32)
    return arrays


def main() -> None:
    torch.set_num_threads(1)
    with torch.inference_mode():
        arrays = {**all_heads(), **codecs()}
    arrays |= all_losses()
    np.savez_compressed(Path(__file__).resolve().parent / "mmpose_heads.npz", **arrays)
    for name, value in arrays.items():
        print(name, value.shape, f"{value.min():.3f} to {value.max():.3f}" if value.dtype.kind == "f" else value.dtype)


if __name__ == "__main__":
    main()
