"""One thread while something is timed."""

from __future__ import annotations

import cv2
import torch

from handkit.runtime.threads import one_thread


def test_threads_are_one_and_then_what_they_were() -> None:
    before = cv2.getNumThreads(), torch.get_num_threads()
    try:
        cv2.setNumThreads(2)
        torch.set_num_threads(2)
        with one_thread():
            assert (cv2.getNumThreads(), torch.get_num_threads()) == (1, 1)
        assert (cv2.getNumThreads(), torch.get_num_threads()) == (2, 2)
    finally:
        cv2.setNumThreads(before[0])
        torch.set_num_threads(before[1])
