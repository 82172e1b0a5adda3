"""What happens around mmengine's iterations and epochs.

Beside mmengine's events there are three of handkit's, called by `handkit.engine.loop.ExactLoop`: ``after_epoch`` with
the epoch's measurement, ``before_stop`` between two iterations, and ``after_end`` however the training ended.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import Any

from mmengine.hooks import Hook

from handkit.checkpoints import save_weights
from handkit.engine.average import WeightAverage
from handkit.engine.records import Records
from handkit.engine.schedules import Schedule
from handkit.engine.state import TrainingState
from handkit.engine.work_dir import WorkDir
from handkit.metrics.scores import lower_is_better
from handkit.registry.keys import TrainingSettings


class LearningRateHook(Hook):
    """Sets the learning rate of the iteration to come.

    Args:
        schedule: its course.
    """

    priority = "HIGHEST"

    def __init__(self, schedule: Schedule) -> None:
        self._schedule = schedule

    def before_train_iter(self, runner: Any, batch_idx: int, data_batch: Any = None) -> None:
        """See `Hook`."""
        loop = runner.train_loop
        factor = self._schedule.factor(loop.iter, len(loop.dataloader), loop.max_epochs)
        for group in runner.optim_wrapper.optimizer.param_groups:
            group["lr"] = group["initial_lr"] * factor


class AverageHook(Hook):
    """Averages the weights, and puts the average in their place while something is measured.

    Args:
        average: of the weights.
    """

    priority = "HIGH"

    def __init__(self, average: WeightAverage) -> None:
        self._average = average

    def after_train_iter(self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        """See `Hook`."""
        self._average.update()

    def before_val_epoch(self, runner: Any) -> None:
        """See `Hook`."""
        self._average.swap()

    def after_val_epoch(self, runner: Any, metrics: Any = None) -> None:
        """See `Hook`."""
        self._average.swap()


class RecordHook(Hook):
    """Counts, averages and writes the numbers.

    Args:
        state: its `progress` is kept up to date.
        records: where lines are written; None: another process writes them.
        settings: the config's.
    """

    priority = "ABOVE_NORMAL"

    def __init__(self, state: TrainingState, records: Records | None, settings: TrainingSettings) -> None:
        self._state = state
        self._records = records
        self._settings = settings
        self._clock = time.monotonic()

    def before_train(self, runner: Any) -> None:
        """Begins where a resumed state stands."""
        if self._records is not None:
            self._records.begin(self._state.progress.iteration, self._state.progress.epoch)
        self._clock = time.monotonic()

    def after_train_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: Mapping[str, float] | None = None
    ) -> None:
        """A line every `log_interval` iterations."""
        progress, losses = self._state.progress, outputs or {}
        self._tick()
        progress.iteration = runner.iter + 1
        progress.window.add(losses)
        progress.epoch_means.add({name: value for name, value in losses.items() if name.startswith("loss")})
        if progress.iteration % self._settings.log_interval == 0:
            count = progress.window.count
            seconds, progress.line_minutes = (progress.minutes - progress.line_minutes) * 60, progress.minutes
            rate = count * self._settings.batch_size / seconds if seconds else math.nan
            values = {**progress.window.take(), "lr": self._lr(runner), "samples_per_second": round(rate, 3)}
            self._add("train", runner.epoch + 1, values)

    def after_epoch(self, runner: Any, metrics: Mapping[str, float]) -> None:
        """The epoch's line; the time of its measurement is none of the iterations'."""
        progress = self._state.progress
        before = progress.minutes
        self._tick()
        progress.line_minutes += progress.minutes - before
        progress.epoch = runner.epoch
        means = {f"train_{name}": value for name, value in progress.epoch_means.take().items()}
        values = {**means, **metrics, "lr": self._lr(runner), "minutes": round(progress.minutes, 3)}
        self._add("epoch", progress.epoch, values)

    def after_end(self, runner: Any) -> None:
        """Closes what is open."""
        if self._records is not None:
            self._records.close()

    def _add(self, kind: str, epoch: int, values: Mapping[str, float]) -> None:
        if self._records is not None:
            self._records.add(kind, epoch, self._state.progress.iteration, values)

    def _tick(self) -> None:
        now = time.monotonic()
        self._state.progress.minutes += (now - self._clock) / 60
        self._clock = now

    def _lr(self, runner: Any) -> float:
        return float(runner.optim_wrapper.optimizer.param_groups[0]["lr"])


class StateHook(Hook):
    """Writes last.pth, best.safetensors and the latest epochs' states, on process 0.

    Args:
        state: what is written.
        work_dir: where.
        settings: the config's.
    """

    priority = "VERY_LOW"

    def __init__(self, state: TrainingState, work_dir: WorkDir, settings: TrainingSettings) -> None:
        self._state = state
        self._work_dir = work_dir
        self._settings = settings
        self._saved = -1

    def after_train_iter(self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        """last.pth, every `save_interval` iterations."""
        if self._state.progress.iteration % self._settings.save_interval == 0:
            self._save()

    def after_epoch(self, runner: Any, metrics: Mapping[str, float]) -> None:
        """The best weights, then the state, which knows of them."""
        first = self._state.processes.first
        if self._is_best(metrics, measured=runner.val_loop is not None) and first:
            self._save_best(metrics)
        self._save()
        if not first:
            return
        with self._work_dir.guard(self._work_dir.last):
            self._work_dir.keep_epoch(self._state.progress.epoch, self._settings.keep_last)

    def before_val(self, runner: Any) -> None:
        """As `before_stop`: nothing that happens while an epoch is measured can cost it."""
        self.before_stop(runner)

    def before_stop(self, runner: Any) -> None:
        """last.pth, unless this iteration's is written already."""
        if self._saved != self._state.progress.iteration:
            self._save()

    def _save(self) -> None:
        with self._work_dir.guard(self._work_dir.last):
            self._state.save(self._work_dir.last)
        self._saved = self._state.progress.iteration

    def _is_best(self, metrics: Mapping[str, float], measured: bool) -> bool:
        """Notes a new best value; without any measurement the latest weights are the best."""
        progress = self._state.progress
        if not measured or not metrics:
            return not measured
        name = self._settings.best_metric or next(iter(metrics))
        value, best = float(metrics[name]), progress.best
        mode = self._settings.best_mode or ("min" if lower_is_better(name) else "max")
        better = best is None or (value > best if mode == "max" else value < best)
        if math.isnan(value) or not better:
            return False
        progress.best, progress.best_epoch = value, progress.epoch
        return True

    def _save_best(self, metrics: Mapping[str, float]) -> None:
        progress = self._state.progress
        measured = {name: f"{value:.6g}" for name, value in metrics.items()}
        facts = {"epoch": str(progress.epoch), "iteration": str(progress.iteration), **measured}
        average = self._state.average
        if average is not None:
            average.swap()
        try:
            with self._work_dir.guard(self._work_dir.best):
                save_weights(self._state.model, self._work_dir.best, facts)
        finally:
            if average is not None:
                average.swap()
