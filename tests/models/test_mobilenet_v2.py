"""MobileNetV2 against mmdet's, and its arguments."""

from __future__ import annotations

import runpy
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from handkit.errors import ConfigError
from handkit.models.backbones import MobileNetV2

FOLDER = Path(__file__).parents[1] / "golden"
RULE = SimpleNamespace(**runpy.run_path(str(FOLDER / "mmdet_rule.py")))
GOLDEN = np.load(FOLDER / "mmdet_ssdlite.npz")
ALL_STAGES = tuple(range(8))


def filled(net: torch.nn.Module) -> torch.nn.Module:
    weights = RULE.state({key: tuple(value.shape) for key, value in net.state_dict().items()})
    net.load_state_dict({key: torch.from_numpy(np.asarray(value)) for key, value in weights.items()})
    return net.eval()


def test_every_stage_gives_the_features_of_mmdet() -> None:
    patch = torch.from_numpy(RULE.images(1)[0][:64, :64]).permute(2, 0, 1)[None].float() / 255
    with torch.inference_mode():
        maps = filled(MobileNetV2(out_indices=ALL_STAGES))(patch)
    assert [tuple(feature.shape[2:]) for feature in maps] == [(64 // s, 64 // s) for s in (2, 4, 8, 16, 16, 32, 32, 32)]
    for feature, expected in zip(maps, GOLDEN["features"], strict=True):
        flat = feature.numpy().ravel()
        sampled = flat[np.linspace(0, len(flat) - 1, 50).astype(int)]
        np.testing.assert_allclose(sampled, expected, rtol=0, atol=1e-4 * np.abs(expected).max())


@pytest.mark.parametrize(("row", "widen_factor"), [(0, 0.35), (1, 1.4)])
def test_widths_are_rounded_as_in_mmdet(row: int, widen_factor: float) -> None:
    net = MobileNetV2(widen_factor, ALL_STAGES).eval()
    with torch.inference_mode():
        channels = [feature.shape[1] for feature in net(torch.zeros(1, 3, 32, 32))]
    assert channels == list(net.out_channels) == GOLDEN["channels"][row].tolist()


def test_fewer_outputs_keep_all_keys_and_equal_values() -> None:
    torch.manual_seed(0)
    full = MobileNetV2(out_indices=ALL_STAGES).eval()
    part = MobileNetV2(out_indices=(1, 4)).eval()
    part.load_state_dict(full.state_dict())
    img = torch.randn(2, 3, 64, 96)
    with torch.inference_mode():
        expected, found = full(img), part(img)
    assert [x.shape[1] for x in found] == [24, 96]
    for index, feature in zip((1, 4), found, strict=True):
        torch.testing.assert_close(feature, expected[index], rtol=0, atol=0)


def test_init_std_sets_the_spread_of_the_convolutions() -> None:
    torch.manual_seed(0)
    weight = MobileNetV2(init_std=0.03).conv2.conv.weight
    assert weight.std().item() == pytest.approx(0.03, rel=0.01)


@pytest.mark.parametrize("out_indices", [(), (4, 1), (3, 3), (8,), (-1,)])
def test_impossible_out_indices_are_refused(out_indices: tuple[int, ...]) -> None:
    with pytest.raises(ConfigError, match="out_indices must ascend"):
        MobileNetV2(out_indices=out_indices)
