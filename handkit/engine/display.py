"""What the terminal shows of a training."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import Any

from mmengine.hooks import Hook
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

#: Seconds between two lines where there is no terminal to draw a bar on.
_QUIET_SECONDS = 60.0


class DisplayHook(Hook):
    """A bar with the time left on a terminal, a line a minute elsewhere, and a line per epoch.

    Args:
        console: where.
    """

    priority = "LOWEST"

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bar: Progress | None = None
        self._task: Any = None
        self._last_line = 0.0

    def before_train(self, runner: Any) -> None:
        """Draws the bar where the training stands."""
        self._last_line = time.monotonic()
        if not self._console.is_terminal:
            return
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("loss {task.fields[loss]:.5g}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
        )
        self._task = self._bar.add_task(
            self._epoch(runner), total=runner.max_iters, completed=runner.iter, loss=math.nan
        )
        self._bar.start()

    def after_train_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: Mapping[str, float] | None = None
    ) -> None:
        """Moves the bar on."""
        loss = (outputs or {}).get("loss", math.nan)
        if self._bar is not None:
            self._bar.update(self._task, completed=runner.iter + 1, description=self._epoch(runner), loss=loss)
        elif time.monotonic() - self._last_line >= _QUIET_SECONDS:
            self._print(f"{self._epoch(runner)}: iteration {runner.iter + 1} of {runner.max_iters}, loss {loss:.5g}")

    def after_epoch(self, runner: Any, metrics: Mapping[str, float]) -> None:
        """The measurement."""
        shown = ", ".join(f"{name} {value:.4f}" for name, value in metrics.items())
        self._print(f"epoch {runner.epoch}/{runner.max_epochs} done{': ' if shown else ''}{shown}")

    def after_end(self, runner: Any) -> None:
        """Takes the bar away."""
        if self._bar is not None:
            self._bar.stop()

    def _epoch(self, runner: Any) -> str:
        return f"epoch {runner.epoch + 1}/{runner.max_epochs}"

    def _print(self, line: str) -> None:
        self._last_line = time.monotonic()
        self._console.print(line, highlight=False, markup=False, soft_wrap=True)
