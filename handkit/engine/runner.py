"""mmengine's Runner, made resumable, quiet, and free to run several times in a process."""

from __future__ import annotations

import logging
import secrets
import sys
from collections.abc import Sequence
from typing import Any

from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.logging import MMLogger
from mmengine.runner import Runner
from mmengine.visualization import Visualizer
from torch import nn
from torch.utils.data import DataLoader

from handkit.engine.environment import seed_everything, training_mode
from handkit.engine.loop import ExactLoop, StoppableValLoop
from handkit.engine.measuring import HandEvaluator
from handkit.engine.module import GradientSteps, TrainingModule
from handkit.engine.sampling import EpochSampler
from handkit.engine.state import TrainingState
from handkit.engine.stopping import Stopper
from handkit.engine.work_dir import WorkDir
from handkit.errors import TrainingError
from handkit.registry.keys import TrainingSettings

#: mmengine's hooks that handkit's take the place of, by the names of `Runner.register_default_hooks`.
_REPLACED = ("runtime_info", "timer", "sampler_seed", "logger", "param_scheduler", "checkpoint")


class HandRunner(Runner):
    """mmengine's Runner of ready objects, made by `handkit.engine.build.build_runner`.

    Args:
        model: the network with its steps.
        steps: the optimizer.
        loader: of the training set.
        sampler: the order of the loader.
        state: what is saved and resumed.
        settings: the config's.
        work_dir: the training's folder.
        stopper: says when to stop.
        hooks: in the order of their priorities.
        val_loader: of the measured set; None: nothing is measured.
        evaluator: what is measured.
        resume: go on from last.pth, if there is one.
    """

    def __init__(
        self,
        model: TrainingModule,
        steps: GradientSteps,
        loader: DataLoader[Any],
        sampler: EpochSampler,
        state: TrainingState,
        settings: TrainingSettings,
        work_dir: WorkDir,
        stopper: Stopper,
        hooks: Sequence[Hook],
        val_loader: DataLoader[Any] | None = None,
        evaluator: HandEvaluator | None = None,
        resume: bool = False,
    ) -> None:
        self.state = state
        self.settings = settings
        self.stopper = stopper
        self.folder = work_dir
        self.go_on = resume
        start_method = "fork" if sys.platform == "linux" else "spawn"
        measured: dict[str, Any] = {}
        if val_loader is not None:
            measured = {"val_dataloader": val_loader, "val_cfg": {}, "val_evaluator": evaluator}
        super().__init__(
            model=model,
            work_dir=str(work_dir.folder),
            train_dataloader=loader,
            train_cfg={"max_epochs": settings.max_epochs},
            optim_wrapper=steps,
            default_hooks=dict.fromkeys(_REPLACED),
            custom_hooks=list(hooks),
            env_cfg={"mp_cfg": {"mp_start_method": start_method}},
            randomness={"seed": settings.seed},
            experiment_name=f"handkit_{secrets.token_hex(4)}",  # mmengine's managers are shared by name
            cfg=Config(),
            **measured,
        )
        self._train_loop = ExactLoop(
            self, loader, sampler, stopper, work_dir, settings.max_epochs, settings.val_interval, state.processes
        )
        if val_loader is not None and evaluator is not None:
            self._val_loop = StoppableValLoop(self, val_loader, evaluator, stopper, state.processes)

    def train(self) -> nn.Module:
        """Trains from the beginning, or on from last.pth."""
        with training_mode(self.settings.deterministic, self.settings.workers), self.stopper.watching():
            trained: nn.Module = super().train()
        return trained

    def load_or_resume(self) -> None:
        """Goes on from last.pth; mmengine's own way cannot read its own files on torch 2.6 and later."""
        processes = self.state.processes
        seed_everything(self.settings.seed, processes.rank)  # another runner may have been built in between
        if self.go_on and self.folder.last.exists():
            self.state.resume(self.folder.last)
            progress = self.state.progress
            self.train_loop.enter(progress.epoch, progress.iteration)
        if processes.from_first(self.train_loop.iter) != self.train_loop.iter:
            raise TrainingError(
                f"{self.folder.last} of process 0 is not that of process {processes.rank}: the work dir must lie where "
                "all machines see it"
            )

    def wrap_model(self, model_wrapper_cfg: Any, model: nn.Module) -> nn.Module:
        """The model as it is: it lies on its device already."""
        return model

    def build_logger(self, log_level: int | str = "INFO", log_file: str | None = None, **kwargs: Any) -> MMLogger:
        """mmengine's log goes to its file; only errors reach the terminal, and not those of writing this file.

        A full disk is told of by the first file that matters.
        """
        logger = super().build_logger(log_level, log_file, **kwargs)
        for handler in logger.handlers:
            if type(handler) is logging.StreamHandler:
                handler.setLevel(logging.ERROR)
            else:
                handler.handleError = lambda record: None
        return logger

    def build_visualizer(self, visualizer: Any = None) -> Visualizer:
        """One without backends: handkit's `Records` write the numbers."""
        made: Visualizer = Visualizer.get_instance(self._experiment_name)
        return made

    def dump_config(self) -> None:
        """Nothing: `WorkDir.open` wrote the config."""
