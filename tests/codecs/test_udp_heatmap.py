"""UDPHeatmap: targets and decoding as mmpose's, joints back from their targets, and the whole way over a UDP crop."""

from __future__ import annotations

import runpy
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from handkit.codecs.udp_heatmap import UDPHeatmap
from handkit.errors import ConfigError
from handkit.geometry import Crop

FOLDER = Path(__file__).parents[1] / "golden"
RULE = SimpleNamespace(**runpy.run_path(str(FOLDER / "mmpose_heads_rule.py")))
GOLDEN = np.load(FOLDER / "mmpose_heads.npz")
COMPATIBLE = UDPHeatmap(RULE.INPUT_SIZE, (12, 16), max_offset=None)


def test_targets_are_mmposes() -> None:
    made = COMPATIBLE.encode(*RULE.joints())
    np.testing.assert_array_equal(made["target_weight"], GOLDEN["udp_weights"])
    np.testing.assert_allclose(made["heatmaps"], GOLDEN["udp_maps"], rtol=0, atol=1e-6)


def test_joints_are_mmposes_in_pixels_of_the_input() -> None:
    joints, scores = COMPATIBLE.decode({"heatmaps": RULE.maps()})
    np.testing.assert_allclose(joints, GOLDEN["udp_joints"], atol=1e-3)
    np.testing.assert_allclose(scores, GOLDEN["udp_scores"].clip(0, 1), rtol=1e-6)


def test_the_limit_changes_nothing_but_peaks_at_the_border_and_long_steps() -> None:
    """At the border mmpose steps half a cell whatever the map: its edges fall off on both sides of the peak."""
    maps, stride = RULE.maps(), np.array(COMPATIBLE.stride)
    highest = maps.reshape(4, 5, -1).argmax(-1)
    cells = np.stack([highest % 12, highest // 12], -1)
    limited, free = (
        codec.decode({"heatmaps": maps})[0] / stride for codec in (UDPHeatmap(RULE.INPUT_SIZE, (12, 16)), COMPATIBLE)
    )
    inside = ((cells > 0) & (cells < (11, 15))).all(-1)
    assert 0.5 < inside.mean() < 1
    np.testing.assert_allclose(limited[inside], free[inside], atol=1e-4)
    np.testing.assert_allclose(limited[~inside], cells[~inside], atol=1e-4)
    tight, _ = UDPHeatmap(RULE.INPUT_SIZE, (12, 16), max_offset=0.1).decode({"heatmaps": maps})
    assert np.abs(tight / stride - cells).max() == pytest.approx(0.1, abs=1e-5)


@pytest.mark.parametrize(
    ("arguments", "mean"), [(dict(), 2e-4), (dict(sigma=3), 3e-4), (dict(probabilities=True), 2e-4)]
)
def test_mean_errors(arguments: dict[str, Any], mean: float) -> None:
    joints = np.random.default_rng(5).uniform(30, 220, (50, 21, 2))
    codec = UDPHeatmap(**arguments)
    maps = codec.encode(joints, np.ones((50, 21)))["heatmaps"]
    decoded, scores = codec.decode(
        {"heatmaps": maps / maps.sum((2, 3), keepdims=True) if codec.probabilities else maps}
    )
    assert np.linalg.norm(decoded - joints, axis=-1).mean() < mean
    assert scores.min() > 0.93


@settings(deadline=None, max_examples=50)
@given(hnp.arrays(np.float64, (2, 3, 2), elements=st.floats(30, 220)), st.floats(1, 3), st.floats(0.05, 20))
def test_joints_come_back_at_any_sigma_and_height(joints: Any, sigma: float, height: float) -> None:
    codec = UDPHeatmap(sigma=sigma)
    maps = codec.encode(joints, np.ones((2, 3)))["heatmaps"] * np.float32(height)
    decoded, scores = codec.decode({"heatmaps": maps})
    assert np.abs(decoded - joints).max() < 0.1
    assert (scores <= min(height, 1)).all()


@settings(deadline=None, max_examples=50)
@given(
    st.floats(-3, 3),
    st.booleans(),
    hnp.arrays(np.float64, (1, 4, 2), elements=st.floats(100, 160)),
    st.sampled_from([(256, 256), (192, 256)]),
)
def test_joints_of_the_image_come_back_through_a_udp_crop(angle: float, flip: bool, joints: Any, size: Any) -> None:
    """mmpose's hand configs, which forget use_udp, are half a pixel off here."""
    crop = Crop((130.0, 130.0), (180.0, 180.0 * size[1] / size[0]), size, angle, flip, udp=True)
    codec = UDPHeatmap(size, (size[0] // 4, size[1] // 4))
    maps = codec.encode(crop.apply_points(joints), np.ones((1, 4)))["heatmaps"]
    back = crop.inverse_points(codec.decode({"heatmaps": maps})[0])
    assert np.abs(back - joints).max() < 0.01


def test_a_mirrored_map_is_the_mirrored_crops_map() -> None:
    codec = UDPHeatmap()
    joints = np.random.default_rng(0).uniform(30, 220, (2, 21, 2))
    maps = codec.encode(joints, np.ones((2, 21)))["heatmaps"]
    mirrored, _ = codec.decode({"heatmaps": np.ascontiguousarray(maps[..., ::-1])})
    np.testing.assert_allclose(mirrored, joints * (-1, 1) + (255, 0), atol=1e-3)


def test_torch_gives_what_numpy_does() -> None:
    ours, theirs = COMPATIBLE.encode(*RULE.joints()), COMPATIBLE.encode(*map(torch.from_numpy, RULE.joints()))
    assert all(np.array_equal(ours[name], theirs[name].numpy()) for name in COMPATIBLE.targets)
    found = COMPATIBLE.decode({"heatmaps": RULE.maps()})
    tensors = COMPATIBLE.decode({"heatmaps": torch.from_numpy(RULE.maps())})
    assert all(np.array_equal(a, b.numpy()) for a, b in zip(found, tensors, strict=True))


values = st.one_of(st.sampled_from([0.0, -1.0, 1.0, 1e-12, 1e-45, 3e38, np.inf, -np.inf, np.nan]), st.floats(width=32))


@settings(deadline=None, max_examples=100)
@given(
    hnp.arrays(np.float32, (2, 2, 9, 8), elements=values, fill=st.sampled_from([0.0, 1.0, -1.0, 1e-12])),
    st.sampled_from([1.0, None]),
)
def test_any_map_gives_finite_joints_and_scores_within_0_and_1(maps: Any, limit: float | None) -> None:
    joints, scores = UDPHeatmap((32, 36), (8, 9), max_offset=limit).decode({"heatmaps": maps})
    assert np.isfinite(joints).all()
    assert ((scores >= 0) & (scores <= 1)).all()


def test_an_empty_map_scores_0_at_the_crops_centre() -> None:
    joints, scores = UDPHeatmap().decode({"heatmaps": np.zeros((1, 2, 64, 64), np.float32)})
    assert joints.tolist() == [[[127.5, 127.5]] * 2]
    assert scores.tolist() == [[0, 0]]


def test_mistakes_are_named() -> None:
    with pytest.raises(ConfigError, match="two corners per axis"):
        UDPHeatmap(heatmap_size=(1, 64))
    with pytest.raises(ConfigError, match="UDPHeatmap: kernel must be odd"):
        UDPHeatmap(kernel=4)
