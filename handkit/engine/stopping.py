"""Ending a training early, between two iterations: by the clock or by a signal."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stopper:
    """Says whether, and why, a training is to stop.

    Args:
        max_minutes: from the entry into `watching`; None: no limit.
    """

    def __init__(self, max_minutes: float | None = None) -> None:
        self._max_minutes = max_minutes
        self._begin = time.monotonic()
        self._signal: signal.Signals | None = None

    @property
    def reason(self) -> str | None:
        """None to go on, else 'SIGINT', 'SIGTERM' or '12 minutes'."""
        if self._signal is not None:
            return self._signal.name
        if self._max_minutes is not None and time.monotonic() - self._begin >= self._max_minutes * 60:
            return f"{self._max_minutes:g} minutes"
        return None

    @property
    def signalled(self) -> bool:
        """Whether a signal is the reason."""
        return self._signal is not None

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Starts the clock and takes SIGINT and SIGTERM as a wish to stop; a second one interrupts at once.

        Outside the main thread Python allows no handlers, and only the clock counts.
        """
        self._begin, self._signal = time.monotonic(), None
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self._note) for number in _SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self._signal is not None:
            raise KeyboardInterrupt
        self._signal = signal.Signals(number)
