"""GaussianHeatmap at any sigma: joints back from their targets, also from targets as probabilities; scores."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from handkit.codecs.gaussian_heatmap import GaussianHeatmap

#: Two hands of three joints, 40 pixels or more from the border of a 256 input.
INSIDE = hnp.arrays(np.float64, (2, 3, 2), elements=st.floats(40, 210))
SIGMAS = st.floats(1, 3.3)


def round_trip(joints: Any, **arguments: Any) -> tuple[Any, Any]:
    codec = GaussianHeatmap(**arguments)
    maps = codec.encode(joints, np.ones(joints.shape[:-1]))["heatmaps"]
    if codec.probabilities:
        maps = maps / maps.sum(axis=(2, 3), keepdims=True)
    return codec.decode({"heatmaps": maps})


@settings(deadline=None)
@given(INSIDE, SIGMAS, st.booleans())
def test_unbiased_targets_bring_joints_back_at_any_sigma(joints: Any, sigma: float, probabilities: bool) -> None:
    """The blur widens narrow peaks, which the differences then see shorter: 0.05 pixels at most, at sigma 1."""
    decoded, scores = round_trip(joints, sigma=sigma, probabilities=probabilities)
    assert np.abs(decoded - joints).max() < 0.05
    assert (scores > math.exp(-0.25 / sigma**2) - 1e-3).all()


@settings(deadline=None)
@given(INSIDE, SIGMAS, st.booleans())
def test_biased_targets_bring_joints_back_to_the_nearest_cell(joints: Any, sigma: float, probabilities: bool) -> None:
    decoded, scores = round_trip(joints, sigma=sigma, unbiased=False, probabilities=probabilities)
    cells = np.floor(joints.astype(np.float32) / np.float32(4) + np.float32(0.5))
    assert np.abs(decoded - cells * 4).max() < 0.05
    assert (scores > 0.99).all()


@pytest.mark.parametrize(
    ("arguments", "mean"),
    [
        (dict(sigma=2), 0.0009),
        (dict(sigma=2, probabilities=True), 0.0009),
        (dict(sigma=2, unbiased=False), 1.55),
        (dict(sigma=3), 0.00032),
        (dict(sigma=3, unbiased=False), 1.55),
        (dict(sigma=1.75, unbiased=False), 1.55),
    ],
)
def test_mean_errors_with_the_kernel_that_matches(arguments: dict[str, Any], mean: float) -> None:
    joints = np.random.default_rng(5).uniform(30, 220, (50, 21, 2))
    distances = np.linalg.norm(round_trip(joints, **arguments)[0] - joints, axis=-1)
    assert 0.8 * mean < distances.mean() < mean


@pytest.mark.parametrize(("sigma", "kernel"), [(2, 11), (3, 17), (1, 5), (0.3, 3)])
def test_the_kernel_follows_sigma(sigma: float, kernel: int) -> None:
    joints = np.random.default_rng(0).uniform(60, 200, (4, 21, 2))
    usual, _ = round_trip(joints, sigma=sigma)
    np.testing.assert_array_equal(usual, round_trip(joints, sigma=sigma, kernel=kernel)[0])
    assert (usual != round_trip(joints, sigma=sigma, kernel=kernel + 4)[0]).any()


@settings(deadline=None)
@given(INSIDE, st.floats(1.5, 3))
def test_probabilities_score_what_their_maps_do(joints: Any, sigma: float) -> None:
    _, scores = round_trip(joints, sigma=sigma, probabilities=True)
    _, usual = round_trip(joints, sigma=sigma)
    np.testing.assert_allclose(scores, usual, atol=2e-3)


def test_probabilities_that_are_spread_score_little_and_sharp_ones_1_at_most() -> None:
    maps = np.zeros((1, 3, 64, 64), np.float32)
    maps[0, 0], maps[0, 1, 20, 30], maps[0, 2, 20, 30], maps[0, 2, 40, 50] = 1 / 4096, 1, 0.008, 0.007
    _, scores = GaussianHeatmap(probabilities=True).decode({"heatmaps": maps})
    np.testing.assert_allclose(scores[0], [2 * math.pi * 4 / 4096, 1, 2 * math.pi * 4 * 0.008], rtol=1e-5)
