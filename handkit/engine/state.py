"""All that a training must know to go on exactly: tensors and plain values in one file.

Data order and augmentation are functions of (seed, epoch, index), the learning rate one of the iteration, so what is
left is the model, the optimizer, the average of weights, the loss scale, torch's random numbers, and where it stands.
"""

from __future__ import annotations

import dataclasses
import io
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn

from handkit.checkpoints import check_weights, copy_weights, read_plain, unwrap
from handkit.engine.average import WeightAverage
from handkit.engine.processes import ALONE, Processes
from handkit.errors import CheckpointError
from handkit.files import writing

FORMAT, VERSION = "handkit-training", 1
_KEYS = {"state_dict", "model", "average_updates", "optimizer", "scaler", "progress", "random"}


@dataclass
class Means:
    """Running means of named numbers."""

    sums: dict[str, float] = field(default_factory=dict)
    count: int = 0

    def add(self, values: Mapping[str, float]) -> None:
        """Takes one set of values in."""
        self.count += 1
        for name, value in values.items():
            self.sums[name] = self.sums.get(name, 0.0) + value

    def take(self) -> dict[str, float]:
        """The means so far; the next ones begin anew."""
        means = {name: total / self.count for name, total in self.sums.items()}
        self.sums, self.count = {}, 0
        return means


@dataclass
class Progress:
    """Where a training stands.

    Args:
        epoch: epochs that are over, measurement included.
        iteration: iterations that are over.
        epoch_length: iterations per epoch.
        samples: length of the training set.
        minutes: time spent on iterations and measurements, over all runs.
        line_minutes: `minutes` of the last line of metrics.jsonl, and of measurements since.
        best: the best value of the best metric; None before the first measurement.
        best_epoch: the epochs that were over when it was measured.
        window: means since the last line of metrics.jsonl.
        epoch_means: means since the epoch's beginning.
    """

    epoch: int = 0
    iteration: int = 0
    epoch_length: int = 0
    samples: int = 0
    minutes: float = 0.0
    line_minutes: float = 0.0
    best: float | None = None
    best_epoch: int = 0
    window: Means = field(default_factory=Means)
    epoch_means: Means = field(default_factory=Means)

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Progress:
        """From `dataclasses.asdict`."""
        means = {name: Means(**values[name]) for name in ("window", "epoch_means")}
        return cls(**{**values, **means})


@dataclass
class TrainingState:
    """What training changes.

    Args:
        model: the network, or a wrapper that holds it as ``module``.
        optimizer: torch's.
        average: the average of weights; None without one.
        scaler: the loss scale of fp16; None without one.
        progress: where the training stands.
        processes: of which each has its own random numbers, and all else in common.
    """

    model: nn.Module
    optimizer: torch.optim.Optimizer
    average: WeightAverage | None
    scaler: torch.amp.GradScaler | None
    progress: Progress = field(default_factory=Progress)
    processes: Processes = ALONE

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the file, whole or not at all; all processes call this, and process 0 writes.

        Its ``state_dict`` holds the weights to be used (the average where there is one), so that it also serves as a
        checkpoint.

        Raises:
            OSError: it cannot be written; what stood there stays.
        """
        random = self.processes.collect(_random_state(self.processes.alone))
        if not self.processes.first:
            return
        own = dict(unwrap(self.model).state_dict())
        content = {
            "format": FORMAT,
            "version": VERSION,
            "state_dict": own if self.average is None else self.average.state_dict(),
            "model": None if self.average is None else own,
            "average_updates": 0 if self.average is None else self.average.updates,
            "optimizer": self.optimizer.state_dict(),
            "scaler": None if self.scaler is None else self.scaler.state_dict(),
            "progress": dataclasses.asdict(self.progress),
            "random": random[0],
            "random_of_others": random[1:],
        }
        write_plain(content, path)

    def resume(self, path: str | os.PathLike[str]) -> None:
        """Goes on from a file that `save` wrote.

        Raises:
            CheckpointError: the file is damaged, foreign or hostile, or belongs to another model, optimizer or data
                set; nothing has changed then.
        """
        content = read_state(path)
        progress = Progress.of(content["progress"])
        own = content["state_dict"] if content["model"] is None else content["model"]
        check_weights(self.model, own, os.fspath(path))
        self._check(content, progress, path)
        copy_weights(self.model, own, os.fspath(path))
        self.optimizer.load_state_dict(content["optimizer"])
        if self.average is not None:
            self.average.load(content["state_dict"], content["average_updates"])
        if self.scaler is not None:
            self.scaler.load_state_dict(content["scaler"])
        self.progress = progress
        random = [content["random"], *content.get("random_of_others", ())]
        if self.processes.rank < len(random):
            _set_random_state(random[self.processes.rank])

    def _check(self, content: Mapping[str, Any], progress: Progress, path: str | os.PathLike[str]) -> None:
        here = [len(group["params"]) for group in self.optimizer.param_groups]
        there = [len(group["params"]) for group in content["optimizer"]["param_groups"]]
        if here != there:
            raise CheckpointError(f"{path} belongs to another model or optimizer: parameters {there}, here {here}")
        for name, has, had in (
            ("ema_decay", self.average is not None, content["model"] is not None),
            ("precision='fp16'", self.scaler is not None, content["scaler"] is not None),
        ):
            if has != had:
                raise CheckpointError(f"{path} was written {'with' if had else 'without'} {name}, unlike this config")
        mine = (self.progress.samples, self.progress.epoch_length)
        if mine != (progress.samples, progress.epoch_length):
            raise CheckpointError(
                f"{path} belongs to a training set of {progress.samples} samples in {progress.epoch_length} batches, "
                f"and this one has {mine[0]} in {mine[1]}: the training cannot go on exactly. Its weights can be the "
                "beginning of a new one: load_from="
            )


def write_plain(content: Any, path: str | os.PathLike[str]) -> None:
    """Writes tensors and plain values as torch.save does, whole or not at all.

    Raises:
        OSError: it cannot be written; what stood there stays.
    """
    buffer = io.BytesIO()  # so that a full disk is an OSError, not an error inside torch's zip writer
    torch.save(content, buffer)
    with writing(path) as file:
        file.write(buffer.getbuffer())


def read_state(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The content of a file that `TrainingState.save` wrote.

    Raises:
        CheckpointError: it is not there, damaged, hostile, or something else.
    """
    content = read_plain(path)
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise CheckpointError(
            f"{path} is no training state of handkit's, so it cannot be resumed; for its weights alone use load_from="
        )
    if content.get("version") != VERSION or not content.keys() >= _KEYS:
        raise CheckpointError(
            f"{path} has handkit's training format {content.get('version')!r}, this one reads {VERSION}"
        )
    return content


def _random_state(all_devices: bool) -> dict[str, Any]:
    """torch's own; everything else in a training draws from generators of (seed, epoch, index).

    Of CUDA devices those of all, or only that of this process.
    """
    cuda = []
    if torch.cuda.is_available():
        cuda = torch.cuda.get_rng_state_all() if all_devices else [torch.cuda.get_rng_state()]
    return {"cpu": torch.get_rng_state(), "cuda": cuda}


def _set_random_state(state: Mapping[str, Any]) -> None:
    torch.set_rng_state(state["cpu"])
    if torch.cuda.is_available() and len(state["cuda"]) == 1:
        torch.cuda.set_rng_state(state["cuda"][0])
    elif torch.cuda.is_available() and len(state["cuda"]) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all(state["cuda"])
