"""What a training sets for the whole process."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


def seed_everything(seed: int) -> None:
    """Seeds torch, and the generators that foreign code may use."""
    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002
    torch.manual_seed(seed)


@contextmanager
def training_mode(deterministic: bool) -> Iterator[None]:
    """torch's process-wide switches while a training runs; what they were, afterwards.

    Denormal numbers, which slow a CPU threefold and stand in the tails of every heat map, count as zero.
    """
    before = torch.are_deterministic_algorithms_enabled()
    if deterministic:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.set_flush_denormal(True)
    torch.use_deterministic_algorithms(deterministic or before)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before)
        torch.set_flush_denormal(False)
