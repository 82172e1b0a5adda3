"""What a training sets for the whole process."""

from __future__ import annotations

import ctypes
import os
import platform
import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch

#: Parameters of glibc's mallopt(3); -1 as the threshold trims never. In the end they get the defaults of that page.
_MMAP_MAX, _TRIM_THRESHOLD = -4, -1


def seed_everything(seed: int, rank: int = 0) -> None:
    """Seeds torch, and the generators that foreign code may use; every process of a run draws other numbers."""
    if rank:
        seed = int(np.random.SeedSequence([seed, rank]).generate_state(1)[0])
    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002
    torch.manual_seed(seed)


def spare_threads(workers: int) -> int:
    """How many threads torch may take beside `workers` processes that load samples: the cores they leave, at least 1.

    A thread that shares its core with a worker makes all the others wait for it at the end of every operation. Where
    the variable OMP_NUM_THREADS is set, it holds.
    """
    if "OMP_NUM_THREADS" in os.environ:
        return torch.get_num_threads()
    return max(1, min(torch.get_num_threads(), _cores() - workers))


def _cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def memory_kept() -> Iterator[None]:
    """Has glibc keep freed memory for the next operation; otherwise every large tensor goes back to the system.

    The system clears such memory page by page whenever it is taken again: 3.7 of the 10.8 CPU seconds per iteration of
    training SSDLite-EfficientNet-Lite0 on 32 images of 320 x 320. Does nothing where the C library is another.
    """
    if platform.libc_ver()[0] != "glibc":
        yield
        return
    mallopt = ctypes.CDLL(None).mallopt
    mallopt(_MMAP_MAX, 0)
    mallopt(_TRIM_THRESHOLD, -1)
    try:
        yield
    finally:
        mallopt(_MMAP_MAX, 65536)
        mallopt(_TRIM_THRESHOLD, 128 * 1024)


@contextmanager
def training_mode(deterministic: bool, workers: int) -> Iterator[None]:
    """torch's process-wide switches while a training runs; what they were, afterwards.

    Denormal numbers, which slow a CPU threefold and stand in the tails of every heat map, count as zero. Threads: see
    `spare_threads`; memory: see `memory_kept`.

    Args:
        deterministic: only algorithms that repeat bit by bit.
        workers: processes that load samples.
    """
    before = torch.are_deterministic_algorithms_enabled()
    threads = torch.get_num_threads()
    torch.set_num_threads(spare_threads(workers))
    if deterministic:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.set_flush_denormal(True)
    torch.use_deterministic_algorithms(deterministic or before)
    try:
        with memory_kept():
            yield
    finally:
        torch.use_deterministic_algorithms(before)
        torch.set_flush_denormal(False)
        torch.set_num_threads(threads)
