"""The folder of one training: one config, one state, one set of numbers."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from handkit.errors import ConfigError, TrainingError
from handkit.files import writing
from handkit.registry.config import load_config
from handkit.registry.copying import as_python
from handkit.registry.keys import NEUTRAL_KEYS


class WorkDir:
    """Paths in the folder, and the rule that it belongs to one config.

    Args:
        folder: it is made when it is opened.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)
        self.config = self.folder / "config.py"
        self.last = self.folder / "last.pth"
        self.best = self.folder / "best.safetensors"
        self.metrics = self.folder / "metrics.jsonl"
        self.results = self.folder / "results.csv"
        self.tensorboard = self.folder / "tensorboard"
        self.bad_batch = self.folder / "bad_batch.pth"
        self.first_batch = self.folder / "first_batch.png"
        self.predictions = self.folder / "predictions.png"

    def open(self, config: Mapping[str, Any], resume: bool) -> None:
        """Claims the folder for a config, which is written into it, resolved, as a config file.

        Args:
            config: resolved and validated.
            resume: the training in the folder, if it holds one, is to go on.

        Raises:
            ConfigError: the folder belongs to another config.
            TrainingError: it holds a training and `resume` is not asked for, or it cannot be written to.
        """
        if self.config.exists():
            self._check_config(config)
        elif self.last.exists() or self.best.exists():
            raise ConfigError(f"{self.folder} holds weights but no config.py to tell whose: choose another --work-dir")
        if self.last.exists() and not resume:
            raise TrainingError(f"{self.folder} holds a training already: add --resume, or choose another --work-dir")
        with self.guard(self.config), writing(self.config, "w") as file:
            file.write(as_python(config, "The resolved config of this training."))

    def keep_epoch(self, epoch: int, keep_last: int) -> None:
        """Keeps last.pth under the epoch's name too, and no more than `keep_last` such files."""
        if keep_last:
            _link(self.last, self.folder / f"epoch_{epoch}.pth")
        kept = sorted(self.folder.glob("epoch_*.pth"), key=lambda path: int(path.stem.removeprefix("epoch_")))
        for path in kept[: max(len(kept) - keep_last, 0)]:
            path.unlink()

    @contextmanager
    def guard(self, path: Path) -> Iterator[None]:
        """Turns what prevents a file from being written into one clear error.

        Raises:
            TrainingError: in place of an OSError.
        """
        try:
            yield
        except OSError as error:
            kept = "what stood there before is whole" if path.exists() else "nothing is left of it"
            going = f" The training can go on from {self.last} with --resume." if self.last.exists() else ""
            raise TrainingError(f"cannot write {path}: {error.strerror or error}; {kept}.{going}") from error

    def _check_config(self, config: Mapping[str, Any]) -> None:
        own = load_config(self.config)
        different = sorted(
            place
            for key in {*own, *config} - NEUTRAL_KEYS
            for place in _differences(own.get(key), config.get(key), key)
        )
        if different:
            shown = "; ".join(different[:4]) + (f" and {len(different) - 4} more" if len(different) > 4 else "")
            raise ConfigError(f"{self.folder} belongs to another config ({shown}): choose another --work-dir")


def _differences(old: Any, new: Any, where: str) -> list[str]:
    """Places, by dotted key, where two plain values differ; a tuple equals a list."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        return [p for key in {**old, **new} for p in _differences(old.get(key), new.get(key), f"{where}.{key}")]
    if isinstance(old, (list, tuple)) and isinstance(new, (list, tuple)) and len(old) == len(new):
        rows = enumerate(zip(old, new, strict=True))
        return [p for index, (a, b) in rows for p in _differences(a, b, f"{where}.{index}")]
    return [] if old == new else [f"{where} was {_short(old)}, is {_short(new)}"]


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _link(source: Path, target: Path) -> None:
    """A second name for a file, or a copy where the file system has no links."""
    part = target.with_name(f".{target.name}.part")
    part.unlink(missing_ok=True)
    try:
        os.link(source, part)
    except OSError:
        shutil.copyfile(source, part)
    os.replace(part, target)


def strict_json(row: Mapping[str, Any]) -> str:
    """One line of JSON; what is no finite number becomes null."""
    finite = {k: None if isinstance(v, float) and v - v != 0 else v for k, v in row.items()}
    return json.dumps(finite) + "\n"
