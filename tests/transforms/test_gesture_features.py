"""What a network of gestures sees: the classifier's own features, with noise in training."""

from __future__ import annotations

import numpy as np
import pytest

from handkit.errors import ConfigError, DataError
from handkit.gestures import hand_features
from handkit.transforms import GestureFeatures

POINTS = np.random.default_rng(0).uniform(0, 100, (21, 2)).astype(np.float32)


def sample(seed: int = 0) -> dict[str, object]:
    return {"keypoints": POINTS, "sample_id": "a", "rng": np.random.default_rng(seed)}


def test_without_noise_they_are_the_classifiers() -> None:
    for upright in (True, False):
        made = GestureFeatures(upright=upright)(sample())
        assert np.array_equal(made["features"], hand_features(POINTS[None], upright)[0])
        assert made["keypoints"] is POINTS


def test_noise_is_the_samples_and_as_large_as_asked() -> None:
    noisy = GestureFeatures(noise=0.1)
    plain, once, again, other = (
        step(sample(seed))["features"] for step, seed in ((GestureFeatures(), 0), (noisy, 0), (noisy, 0), (noisy, 1))
    )
    assert np.array_equal(once, again)
    assert not np.array_equal(once, other)
    assert 0 < np.abs(once - plain)[:40].mean() < 0.5


def test_bad_noise_and_samples_are_refused() -> None:
    with pytest.raises(ConfigError, match="must not be negative"):
        GestureFeatures(noise=-1)
    with pytest.raises(DataError, match="a has no keypoints"):
        GestureFeatures()({"sample_id": "a"})
    with pytest.raises(DataError, match="finite joints"):
        GestureFeatures()({"keypoints": POINTS * np.nan})
