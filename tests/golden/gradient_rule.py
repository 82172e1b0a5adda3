"""The rule by which gradients are compared with a peer's without storing them; numpy only."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def directions(key: str, size: int) -> Array:
    """(3, size) unit-length random directions for the gradient of the parameter `key`, which has `size` numbers."""
    return np.random.default_rng(zlib.crc32(key.encode()) + 1).standard_normal((3, size)) / np.sqrt(size)


def summary(model: Any) -> dict[str, Array]:
    """What is stored of a torch model's gradients.

    ``parameters`` (P,) their keys, ``norms`` (P,) their lengths, and ``projections`` (P, 3), their products with
    `directions`.
    """
    gradients = {key: value.grad.double().numpy().ravel() for key, value in model.named_parameters()}
    return {
        "parameters": np.array(list(gradients)),
        "norms": np.array([np.linalg.norm(value) for value in gradients.values()]),
        "projections": np.stack([directions(key, value.size) @ value for key, value in gradients.items()]),
    }
