"""One function over many numbers, in this process or in others, the results in order."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

import cv2

from handkit.errors import DataError

Result = TypeVar("Result")

_job: tuple[Callable[[Any, int], Any], Any] | None = None


@contextlib.contextmanager
def each(
    function: Callable[[Any, int], Result], subject: Any, workers: int
) -> Iterator[Callable[[Iterable[int]], Iterator[Result]]]:
    """Gives a function: numbers -> an iterator of ``function(subject, number)`` in their order.

    Args:
        function: a pure one of a module.
        subject: its first argument, pickled once per worker.
        workers: processes; 1 stays in this one.

    Raises:
        DataError: when used, a worker has been killed.
    """
    if workers == 1:
        yield lambda numbers: (function(subject, number) for number in numbers)
        return
    # A forked child would share locks with threads that it does not have.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, context, _begin, (function, subject, os.getpid()))

    def run(numbers: Iterable[int]) -> Iterator[Result]:
        try:
            yield from pool.map(_one, numbers, chunksize=4)
        except BrokenProcessPool as error:
            raise DataError("a worker process was killed, perhaps for want of memory; use fewer workers") from error

    try:
        yield run
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _begin(function: Callable[[Any, int], Any], subject: Any, parent: int) -> None:
    global _job
    _job = function, subject
    cv2.setNumThreads(1)
    # The parent decides when to stop; a worker whose parent was killed ends itself.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_watch, args=(parent,), daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


def _one(number: int) -> Any:
    assert _job is not None
    return _job[0](_job[1], number)
