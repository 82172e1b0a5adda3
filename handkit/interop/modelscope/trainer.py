"""ModelScope's trainers 'handkit' and 'easycv': `build_trainer` with handkit behind it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from modelscope.hub.snapshot_download import snapshot_download
from modelscope.trainers.base import BaseTrainer
from modelscope.trainers.builder import TRAINERS
from rich.console import Console

from handkit.datasets import MsDataset
from handkit.engine import build_runner, measure
from handkit.engine.work_dir import WorkDir
from handkit.errors import ConfigError
from handkit.interop.modelscope.folders import TrainableModel, export
from handkit.registry.config import with_options
from handkit.registry.validate import validate

#: Sections of configuration.json that `cfg_options` change by ModelScope's names; all other keys are handkit's.
_SECTIONS = ("train", "evaluation", "dataset")


@TRAINERS.register_module(module_name="easycv")
@TRAINERS.register_module(module_name="handkit")
class HandkitTrainer(BaseTrainer):
    """Trains and measures the network of a model's folder; `modelscope.trainers.build_trainer` builds it.

    Training begins with the folder's weights. The folder `work_dir`/output, which `train` makes, is a model that
    `modelscope.pipelines.pipeline` and `handkit.pipeline` open.

    Args:
        model: the folder of a model, an object with such a folder as `model_dir`, or an id on ModelScope's hub.
        train_dataset: an `MsDataset`, rows, or a handkit node ``{'type': ..., ...}``; None takes the configuration's.
        eval_dataset: likewise.
        work_dir: the folder of this training.
        cfg_options: changes by dotted key: ``train.``, ``evaluation.`` and ``dataset.`` are those of
            configuration.json, e.g. ``{'train.max_epochs': 2}``, all others handkit's.
        cfg_file: another configuration.json than the model's own.
        model_revision: of an id.
        device: as ModelScope names it; 'gpu' is a CUDA device if there is one, else the CPU.

    Raises:
        ConfigError: a mistake in the configuration, the options or the arguments.
        DataError: a data set that cannot be read.
    """

    def __init__(
        self,
        model: Any = None,
        train_dataset: Any = None,
        eval_dataset: Any = None,
        work_dir: str | os.PathLike[str] | None = None,
        cfg_options: Mapping[str, Any] | None = None,
        cfg_file: str | os.PathLike[str] | None = None,
        model_revision: str | None = None,
        device: str = "gpu",
    ) -> None:
        folder = _folder(model, model_revision)
        file = folder / "configuration.json" if cfg_file is None else Path(cfg_file)
        super().__init__(cfg_file=str(file))
        options = dict(cfg_options or {})
        sections = {key: options.pop(key) for key in list(options) if key.split(".")[0] in _SECTIONS}
        self.model = TrainableModel.read(folder, file, sections)
        self.work_dir = WorkDir(Path(work_dir or "work_dir").absolute())
        self._device = None if device in ("gpu", "cuda") else device.replace("gpu", "cuda")
        config = dict(self.model.config)
        for key, given in (("train_dataset", train_dataset), ("val_dataset", eval_dataset)):
            if given is not None:
                config[key] = self._node(given, self.work_dir.folder / key)
            elif not config.get(key, {}).get("ann_file"):
                config.pop(key, None)
        self.config = with_options(config, options, str(file))
        self._console = Console(highlight=False, markup=False, soft_wrap=True)
        for line in self.model.decisions:
            self._console.print(line)

    def train(self, resume: bool = False) -> None:
        """Trains, measuring on the way if there is a data set for it, and writes `work_dir`/output.

        Args:
            resume: go on with the training in `work_dir`, if it holds one.

        Raises:
            HandkitError: see `handkit.engine.build_runner`.
        """
        if "train_dataset" not in self.config:
            raise ConfigError("build_trainer needs a train_dataset: the configuration names no labels either")
        validate(self.config, use="training")
        weights = self.model.weights
        config = {**self.config, **({"load_from": str(weights)} if weights is not None else {})}
        build_runner(config, self.work_dir.folder, resume, device=self._device, console=self._console).train()
        export(self.model, self.work_dir.best, self.work_dir.folder / "output")

    def evaluate(self, checkpoint_path: str | os.PathLike[str] | None = None) -> dict[str, float]:
        """Measures, prints the numbers and returns them by name.

        Args:
            checkpoint_path: the weights, or a folder that `train` wrote; None takes the best of `work_dir`, else the
                model's own.

        Raises:
            ConfigError: no data set to measure on, or no weights.
        """
        weights = self.work_dir.best if self.work_dir.best.exists() else self.model.weights
        if checkpoint_path is not None:
            weights = Path(checkpoint_path)
            weights = (
                TrainableModel.read(weights, weights / "configuration.json", {}).weights
                if weights.is_dir()
                else weights
            )
        if "val_dataset" not in self.config:
            raise ConfigError("build_trainer needs an eval_dataset: the configuration names no labels either")
        scores = measure({key: value for key, value in self.config.items() if key != "runtime"}, weights, self._device)
        self._console.print("\n".join(scores.rows()))
        return {name.partition("@")[0] if name == "PCK@0.2" else name: value for name, value in scores.values.items()}

    @staticmethod
    def _node(dataset: Any, folder: Path) -> dict[str, Any]:
        """The node of a data set, so that the training's config.py can name it."""
        if isinstance(dataset, Mapping) and "type" in dataset:
            return dict(dataset)
        return MsDataset(dataset).export(folder)


def _folder(model: Any, revision: str | None) -> Path:
    """The folder of a model: as given, or from ModelScope's cache, or else from its hub."""
    place = getattr(model, "model_dir", model)
    if not isinstance(place, (str, os.PathLike)):
        raise ConfigError(f"build_trainer needs the folder or id of a model, got {model!r}")
    if Path(place).is_dir():
        return Path(place).absolute()
    try:
        return Path(snapshot_download(str(place), revision=revision, local_files_only=True))
    except ValueError:
        return Path(snapshot_download(str(place), revision=revision))
