"""What ``handkit train`` and ``tools/train.py`` do."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from handkit.engine.build import build_runner
from handkit.engine.processes import ALONE, Processes
from handkit.engine.work_dir import WorkDir
from handkit.registry.config import load_config

#: Exit codes by the reason of a stop, those of a shell for a process that the signal ended.
_EXIT_CODES = {"SIGINT": 130, "SIGTERM": 143}


@dataclass(frozen=True)
class TrainingResult:
    """How a training ended.

    Args:
        work_dir: its folder.
        epoch: epochs that are over.
        iteration: iterations that are over.
        iterations: of the whole training.
        stopped: why it ended early: 'SIGINT', 'SIGTERM', '12 minutes'; None if it did not.
        best: the best value of the best metric; None if nothing was measured.
        best_epoch: the epochs that were over then.
    """

    work_dir: WorkDir
    epoch: int
    iteration: int
    iterations: int
    stopped: str | None
    best: float | None
    best_epoch: int

    @property
    def exit_code(self) -> int:
        """0, or that of the signal that stopped it."""
        return _EXIT_CODES.get(self.stopped or "", 0)


def train(
    config: str | Path,
    work_dir: str | os.PathLike[str] | None = None,
    resume: bool = False,
    max_minutes: float | None = None,
    device: str | None = None,
    cfg_options: Mapping[str, Any] | None = None,
    console: Console | None = None,
    processes: Processes = ALONE,
) -> TrainingResult:
    """Trains a config's model, and says on the console how it ended.

    Args:
        config: a path, or the name of one of handkit's own.
        work_dir: the folder of this training; None: ``work_dirs/`` and the config's name.
        resume: go on from the folder's last.pth, if there is one.
        max_minutes: save and stop after so long.
        device: as torch names it; None takes a CUDA device if there is one, else the CPU.
        cfg_options: changes to the config by dotted key.
        console: where progress is shown; None: a new one on standard output, of process 0.
        processes: from `handkit.engine.launching.launched`; they train one model together.

    Raises:
        HandkitError: see `handkit.engine.build.build_runner`; and `TrainingError` where a loss is no number or a file
            cannot be written.
    """
    console = console or Console(quiet=not processes.first)
    resolved = load_config(config, cfg_options)
    folder = Path("work_dirs", Path(config).stem) if work_dir is None else Path(work_dir)
    runner = build_runner(resolved, folder, resume, max_minutes, device, console=console, processes=processes)
    runner.train()
    progress = runner.state.progress
    result = TrainingResult(
        runner.folder,
        progress.epoch,
        progress.iteration,
        runner.max_iters,
        runner.train_loop.stopped,
        progress.best,
        progress.best_epoch,
    )
    summary = _summary(result, str(config), cfg_options or {}, processes.size)
    console.print(summary, highlight=False, markup=False, soft_wrap=True)
    return result


def _summary(result: TrainingResult, config: str, options: Mapping[str, Any], processes: int) -> str:
    folder = result.work_dir
    if result.stopped is not None:
        words = ["--work-dir", str(folder.folder), "--resume"]
        words += [word for key, value in options.items() for word in ("--cfg-options", f"{key}={value}")]
        command = f"handkit train {shlex.join([config, *words])}"
        if processes > 1:
            command = f"start {processes} processes as before, with --resume and --work-dir {folder.folder}"
        return (
            f"stopped ({result.stopped}) after iteration {result.iteration} of {result.iterations}; {folder.last} "
            f"holds all of it. To go on: {command}"
        )
    best = "" if result.best is None else f" (best {result.best:.4f} after epoch {result.best_epoch})"
    return f"done after {result.iteration} iterations: weights in {folder.best}{best}, numbers in {folder.results}"
