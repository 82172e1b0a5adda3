"""Two programs timed side by side: in turns, on the same inputs, in one process."""

from __future__ import annotations

import importlib.metadata
import platform
import statistics
import time
from collections.abc import Callable, Mapping, Sequence


def alternate(sides: Mapping[str, Callable[[], object]], turns: int = 20, seconds: float = 0.05) -> dict[str, float]:
    """Times functions in turns and returns each one's median seconds per call.

    Args:
        sides: the functions by name; each is called once beforehand, untimed.
        turns: how often every function has its turn.
        seconds: how long a turn lasts at least, so that a fast function is called many times in its turn.
    """
    for function in sides.values():
        function()
    times: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(turns):
        for name, function in sides.items():
            times[name].append(_turn(function, seconds))
    return {name: statistics.median(values) for name, values in times.items()}


def _turn(function: Callable[[], object], seconds: float) -> float:
    calls, start = 0, time.perf_counter()
    while True:
        function()
        calls += 1
        passed = time.perf_counter() - start
        if passed >= seconds:
            return passed / calls


def pin_threads(count: int) -> None:
    """Lets torch and cv2 use that many threads each."""
    import cv2
    import torch

    torch.set_num_threads(count)
    cv2.setNumThreads(count)


def print_machine(threads: int, packages: Sequence[str]) -> None:
    """Prints the processor, the threads and the packages' versions."""
    versions = ", ".join(f"{package} {importlib.metadata.version(package)}" for package in packages)
    print(f"{_processor()}, {threads} thread(s) each; Python {platform.python_version()}, {versions}")


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            names = [line.partition(":")[2].strip() for line in file if line.startswith("model name")]
    except OSError:
        names = []
    return names[0] if names else platform.processor() or platform.machine()


def print_ratio(medians: Mapping[str, float], ours: str, peer: str) -> float:
    """Prints both medians and returns how many times faster ours is."""
    ratio = medians[peer] / medians[ours]
    print(
        f"{ours}: {medians[ours] * 1e3:.3f} ms, {peer}: {medians[peer] * 1e3:.3f} ms per call: {ratio:.1f} times faster"
    )
    return ratio


def print_expected(name: str, measured: float, expected: float) -> None:
    """Says whether the peer's seconds per call are within a factor of 2 of those known for it."""
    factor = measured / expected
    verdict = "as known" if 0.5 <= factor <= 2 else "NOT as known: another processor, other versions, or a busy machine"
    print(f"{name} takes {factor:.2f} times the {expected * 1e3:.0f} ms known for it: {verdict}")
