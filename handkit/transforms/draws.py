"""How transforms draw: a training sample is a pure function of the generator it carries.

``sample['rng']`` is the only source of randomness. Every random transform takes a fixed number of values from it,
whatever comes of them, and what needs many values (noise, textures) makes a generator of its own out of one of them.
A transform's draws therefore depend on its place in the list alone, not on how the ones before it are set or whether
they acted.
"""

from __future__ import annotations

from statistics import NormalDist
from typing import Literal, TypeAlias

import numpy as np

from handkit.errors import ConfigError, DataError
from handkit.transforms.base import Sample

Distribution: TypeAlias = Literal["truncnorm", "clipped_normal", "uniform"]
DISTRIBUTIONS = ("truncnorm", "clipped_normal", "uniform")

_NORMAL = NormalDist()
_BELOW = _NORMAL.cdf(-1)


def generator(sample: Sample, transform: object) -> np.random.Generator:
    """The sample's generator.

    Raises:
        DataError: the sample carries none.
    """
    rng = sample.get("rng")
    if not isinstance(rng, np.random.Generator):
        raise DataError(
            f"{type(transform).__name__} draws from sample['rng'], which must be a numpy Generator, not {rng!r}"
        )
    return rng


def stream(sample: Sample, transform: object, prob: float) -> np.random.Generator | None:
    """Takes two values: with probability `prob` a generator of the transform's own, else None."""
    rng = generator(sample, transform)
    acts, seed = rng.random() < prob, int(rng.integers(2**63))
    return np.random.default_rng(seed) if acts else None


def spread(value: float, distribution: Distribution, sigma: float = 1.0) -> float:
    """An even draw from [0, 1) -> a draw from [-1, 1].

    'truncnorm' is a standard normal drawn until it falls between -1 and 1, 'clipped_normal' a normal of deviation
    `sigma` whose excess lands on -1 and 1 themselves, 'uniform' even.
    """
    if distribution == "uniform":
        return 2 * value - 1
    if distribution == "truncnorm":
        return _NORMAL.inv_cdf(_BELOW + value * (1 - 2 * _BELOW))
    return min(max(sigma * _NORMAL.inv_cdf(max(value, 1e-16)), -1.0), 1.0)


def between(rng: np.random.Generator, limits: tuple[float, float]) -> float:
    """An even draw from the limits."""
    return float(rng.uniform(*limits))


def factor(value: float, strength: float) -> float:
    """A draw from [-1, 1] -> a factor from [1 / (1 + strength), 1 + strength], 1 at 0."""
    return float((1 + strength) ** value)


def check_shares(transform: object, **shares: float) -> None:
    """Raises ConfigError for a probability that is none."""
    for name, value in shares.items():
        if not 0 <= value <= 1:
            raise ConfigError(f"{type(transform).__name__}: {name} must lie in [0, 1], not {value}")


def check_range(transform: object, name: str, limits: tuple[float, float], low: float, high: float = np.inf) -> None:
    """Raises ConfigError unless low <= limits[0] <= limits[1] <= high."""
    if len(limits) != 2 or not low <= limits[0] <= limits[1] <= high:
        within = f"{low:g} <= low <= high" + ("" if high == np.inf else f" <= {high:g}")
        raise ConfigError(f"{type(transform).__name__}: {name} must be (low, high) with {within}, not {limits}")


def check_at_least_0(transform: object, **strengths: float) -> None:
    """Raises ConfigError for a negative strength."""
    for name, value in strengths.items():
        if not 0 <= value < np.inf:
            raise ConfigError(f"{type(transform).__name__}: {name} must be 0 or more, not {value}")
