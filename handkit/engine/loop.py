"""mmengine's loop over epochs, made resumable at any iteration, and its measurement, made stoppable."""

from __future__ import annotations

from typing import Any

import torch
from mmengine.evaluator import Evaluator
from mmengine.runner import EpochBasedTrainLoop, ValLoop
from torch import nn
from torch.utils.data import DataLoader

from handkit.engine.loading import end_workers
from handkit.engine.module import NotFinite
from handkit.engine.processes import Processes
from handkit.engine.sampling import EpochSampler
from handkit.engine.state import write_plain
from handkit.engine.stopping import Stopper
from handkit.engine.work_dir import WorkDir
from handkit.errors import TrainingError


class _Abandoned(Exception):
    """A signal came while something was measured."""


class StoppableValLoop(ValLoop):
    """mmengine's measurement, which a signal ends between two batches where there is only one process.

    Args:
        runner: whose loop it is.
        dataloader: its batches.
        evaluator: makes numbers of them.
        stopper: knows of signals.
        processes: several finish what they measure, since nothing tells them all to stop.
    """

    def __init__(
        self, runner: Any, dataloader: DataLoader[Any], evaluator: Evaluator, stopper: Stopper, processes: Processes
    ) -> None:
        super().__init__(runner, dataloader, evaluator)
        self._stopper = stopper
        self._processes = processes

    def run_iter(self, idx: int, data_batch: Any) -> None:
        """One batch, unless a signal has come."""
        if self._processes.alone and self._stopper.signalled:
            raise _Abandoned
        super().run_iter(idx, data_batch)


class ExactLoop(EpochBasedTrainLoop):
    """mmengine's loop over epochs, entered at any iteration and left between any two.

    Args:
        runner: whose loop it is.
        dataloader: batches in the order of `sampler`.
        sampler: it is told where an epoch begins.
        stopper: says when to stop.
        work_dir: where a batch goes that gives no number.
        max_epochs: epochs of the training.
        val_interval: epochs from one measurement to the next.
        processes: which stop together.
    """

    def __init__(
        self,
        runner: Any,
        dataloader: DataLoader[Any],
        sampler: EpochSampler,
        stopper: Stopper,
        work_dir: WorkDir,
        max_epochs: int,
        val_interval: int,
        processes: Processes,
    ) -> None:
        super().__init__(runner, dataloader, max_epochs, val_interval=val_interval)
        self._sampler = sampler
        self._stopper = stopper
        self._work_dir = work_dir
        self._processes = processes
        #: Why the training ended before its last epoch: see `Stopper.reason`.
        self.stopped: str | None = None

    def enter(self, epoch: int, iteration: int) -> None:
        """The next iteration is this one."""
        self._epoch, self._iter = epoch, iteration

    def run(self) -> nn.Module:
        """Trains until the last epoch, or until something asks to stop."""
        self.runner.call_hook("before_train")
        try:
            while self._epoch < self._max_epochs and self.stopped is None and not self.stop_training:
                self.run_epoch()
        finally:
            self.runner.call_hook("after_end")
            for loop in (self, self.runner.val_loop):
                if loop is not None:
                    end_workers(loop.dataloader)
        self.runner.call_hook("after_train")
        model: nn.Module = self.runner.model
        return model

    def run_epoch(self) -> None:
        """The rest of an epoch, its measurement, and what is written of it."""
        start = self._iter - self._epoch * len(self.dataloader)
        self._sampler.seek(self._epoch, start)
        self.runner.call_hook("before_train_epoch")
        self.runner.model.train()
        for index, batch in enumerate(self.dataloader, start):
            self.run_iter(index, batch)
            if self._stop():
                return
        self.runner.call_hook("after_train_epoch")
        self._epoch += 1
        due = self._epoch % self.val_interval == 0 or self._epoch == self._max_epochs
        try:
            metrics = self.runner.val_loop.run() if due and self.runner.val_loop is not None else {}
        except _Abandoned:  # before_val has saved, and a resumed training begins with the measurement
            self.runner.call_hook("after_val_epoch", metrics=None)
            self.stopped = self._stopper.reason
            return
        self.runner.call_hook("after_epoch", metrics=metrics)
        if self._epoch < self._max_epochs:
            self._stop()

    def run_iter(self, idx: int, data_batch: Any) -> None:
        """One iteration.

        Raises:
            TrainingError: a loss or a gradient is no number; the batch is saved.
        """
        try:
            super().run_iter(idx, data_batch)
        except NotFinite as problem:
            raise self._refusal(problem) from None

    def _refusal(self, problem: NotFinite) -> TrainingError:
        path = self._work_dir.bad_batch
        batches = self._processes.collect({key: value.cpu() for key, value in problem.batch.items()})
        names = self._processes.collect([str(name) for name in problem.sample_ids])
        content = {
            "what": problem.what,
            "iteration": self._iter,
            "sample_ids": [name for part in names for name in part],
            "batch": {key: torch.cat([batch[key] for batch in batches]) for key in problem.batch if batches},
        }
        if self._processes.first:
            with self._work_dir.guard(path):
                write_plain(content, path)
        return TrainingError(
            f"{problem.what} in iteration {self._iter} (epoch {self._epoch + 1}); its batch is in {path}, the last "
            f"good state in {self._work_dir.last}. Try a smaller lr, a warm-up, clip_grad_norm=, or precision='fp32'"
        )

    def _stop(self) -> bool:
        reason = self._processes.agree(self._stopper.reason)
        if reason is not None:
            self.runner.call_hook("before_stop")
            self.stopped = reason
        return reason is not None
