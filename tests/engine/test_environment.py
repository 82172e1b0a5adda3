"""What a training sets for the whole process."""

from __future__ import annotations

import platform
from collections.abc import Callable

import pytest

#: Prints the fewest pages that the system mapped for tensors of 128 MB in a round: without a training, and within one,
#: where the heap grows in some rounds until it has a place for all.
PAGES = """
import resource, torch
from handkit.engine.environment import training_mode
def pages():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    held = [torch.ones(size << 20, dtype=torch.uint8) for size in (32, 8, 64, 24)]
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
torch.set_num_threads(1)
outside = min(pages() for _ in range(5))
with training_mode(deterministic=False, workers=0):
    print(outside, min(pages() for _ in range(20)))
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc's allocator is told to keep memory")
def test_freed_memory_is_kept_for_the_next_tensor(in_subprocess: Callable[..., str]) -> None:
    outside, inside = map(int, in_subprocess(PAGES).split())
    assert outside >= 64  # a page has 4 KiB, a huge one 2 MiB
    assert inside <= 8
