"""What a training sets for the whole process."""

from __future__ import annotations

import platform
from collections.abc import Callable

import pytest

#: Prints how many pages the system mapped for tensors of 128 MB: without a training, and in its fifth round.
PAGES = """
import resource, torch
from handkit.engine.environment import training_mode
def pages():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    held = [torch.ones(size << 20, dtype=torch.uint8) for size in (32, 8, 64, 24)]
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
torch.set_num_threads(1)
outside = [pages() for _ in range(5)][-1]
with training_mode(deterministic=False, workers=0):
    print(outside, [pages() for _ in range(5)][-1])
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc's allocator is told to keep memory")
def test_freed_memory_is_kept_for_the_next_tensor(in_subprocess: Callable[..., str]) -> None:
    outside, inside = map(int, in_subprocess(PAGES).split())
    assert outside >= 64  # a page has 4 KiB, a huge one 2 MiB
    assert inside <= 8
