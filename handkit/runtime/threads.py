"""One thread for whatever executes networks, so that times can be compared."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import cv2


@contextmanager
def one_thread() -> Iterator[None]:
    """One thread for cv2 and, where it is loaded, torch; what they had before, afterwards.

    LiteRT's networks keep the threads of their `LiteRTRuntime`, whose default is one.
    """
    torch = sys.modules.get("torch")
    before = cv2.getNumThreads(), torch.get_num_threads() if torch else 0
    cv2.setNumThreads(1)
    if torch:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before[0])
        if torch:
            torch.set_num_threads(before[1])
