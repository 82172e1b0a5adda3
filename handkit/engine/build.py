"""From a config to mmengine's Runner: objects built by handkit's registries, never by mmengine's."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from mmengine.hooks import Hook
from mmengine.registry import Registry
from rich.console import Console
from torch import nn

from handkit.checkpoints import load_weights
from handkit.datasets.view import TrainingView
from handkit.engine.average import WeightAverage
from handkit.engine.display import DisplayHook
from handkit.engine.environment import seed_everything
from handkit.engine.hooks import AverageHook, LearningRateHook, RecordHook, StateHook
from handkit.engine.loading import measuring_loader, training_loader
from handkit.engine.measuring import evaluator_of
from handkit.engine.module import GradientSteps, TrainingModule
from handkit.engine.optimizers import scale_lr
from handkit.engine.pictures import PicturesHook
from handkit.engine.precision import Precision
from handkit.engine.processes import ALONE, Processes
from handkit.engine.records import Records
from handkit.engine.runner import HandRunner
from handkit.engine.sampling import EpochSampler
from handkit.engine.schedules import ConstantSchedule
from handkit.engine.state import Progress, TrainingState
from handkit.engine.stopping import Stopper
from handkit.engine.work_dir import WorkDir
from handkit.errors import ConfigError, did_you_mean
from handkit.hub import resolve
from handkit.metrics.scores import names_of
from handkit.registry import CODECS, DATASETS, METRICS, MODELS, OPTIMIZERS, SCHEDULES, TRANSFORMS, build
from handkit.registry.keys import TrainingSettings
from handkit.registry.validate import measures_masks, needs_codec, validate
from handkit.runtime.torch import usable_device
from handkit.skeleton import HAND, SKELETONS
from handkit.transforms.base import split_stages


def build_runner(
    config: Mapping[str, Any],
    work_dir: str | os.PathLike[str],
    resume: bool = False,
    max_minutes: float | None = None,
    device: str | None = None,
    hooks: Sequence[Hook] = (),
    console: Console | None = None,
    processes: Processes = ALONE,
) -> HandRunner:
    """Builds everything a config names and hands it to mmengine's Runner; ``.train()`` begins or goes on.

    Args:
        config: resolved, e.g. from `handkit.registry.config.load_config`; its keys are those of
            `handkit.registry.keys.TRAINING_KEYS`.
        work_dir: the folder of this training and no other.
        resume: go on from its last.pth, if there is one.
        max_minutes: save and stop after so long.
        device: as torch names it; None takes a CUDA device if there is one, else the CPU.
        hooks: further ones, mmengine's or the caller's own.
        console: where progress is shown; None: nowhere.
        processes: from `handkit.engine.launching.launched`; they train one model together.

    Raises:
        ConfigError: a mistake in the config, or the folder belongs to another config.
        TrainingError: the folder holds a training, and `resume` is not asked for.
        DataError: a data set cannot be read, or is too small.
        CheckpointError: the weights of `load_from`, `backbone_from` or `init_cfg` do not fit; auxiliary heads that
            `load_from` knows nothing of may be new.
    """
    validate(config, use="training")
    settings = TrainingSettings.of(config)
    place = usable_device(device or processes.device)
    precision = Precision(settings.precision, place)
    seed_everything(settings.seed)
    folder = WorkDir(work_dir)
    model = _model(config, settings, place)
    precision.prepare(model)
    begun = [] if resume and folder.last.exists() else _load(model, settings)
    processes.spread_(list(model.state_dict().values()))
    frozen = [model_part(model, name, "frozen").requires_grad_(False) for name in settings.frozen]
    optimizer = build(config["optimizer"], OPTIMIZERS, "optimizer").make(model)
    scale_lr(optimizer, settings.batch_size / (settings.lr_base_batch or settings.batch_size))
    train_image, train_tensor = split_stages(_list(config, "train_transforms", TRANSFORMS))
    view = TrainingView(build(config["train_dataset"], DATASETS, "train_dataset"), train_image, settings.seed)
    sampler = EpochSampler(len(view), settings.batch_size, settings.seed, settings.drop_last, processes)
    average = None if settings.ema_decay is None else WeightAverage(model, settings.ema_decay)
    progress = Progress(epoch_length=len(sampler), samples=len(view))
    state = TrainingState(model, optimizer, average, precision.scaler, progress, processes)
    measured, test_tensor, codec = _measurement(config, settings, processes)
    records = Records(folder, settings.tensorboard) if processes.first else None
    if processes.first:
        folder.open(config, resume)
    processes.largest()  # the folder is open, or nobody goes on
    own = _hooks(config, state, records, folder, settings, console)
    runner = HandRunner(
        TrainingModule(
            model, train_tensor, test_tensor, codec, settings.accumulate, settings.channels_last, processes, frozen
        ),
        GradientSteps(optimizer, precision, settings.clip_grad_norm),
        training_loader(view, sampler, settings.workers),
        sampler,
        state,
        settings,
        folder,
        Stopper(max_minutes),
        [*own, *hooks],
        resume=resume,
        **measured,
    )
    for line in begun:
        runner.logger.info(line)
        if console is not None:
            console.print(line, highlight=False, markup=False, soft_wrap=True)
    return runner


def _model(config: Mapping[str, Any], settings: TrainingSettings, device: torch.device) -> nn.Module:
    model: Any = build(config["model"], MODELS, "model")
    if not isinstance(model, nn.Module):
        raise ConfigError(f"model: {type(model).__name__} is no torch module, so it cannot be trained")
    layout = torch.channels_last if settings.channels_last else torch.contiguous_format
    placed: nn.Module = model.to(device, memory_format=layout)  # type: ignore[call-overload]
    return placed


def _load(model: nn.Module, settings: TrainingSettings) -> list[str]:
    """Takes given weights over, and says so; auxiliary heads that are not in the file of `load_from` begin anew."""
    lines = []
    if settings.backbone_from is not None:
        backbone = getattr(model, "backbone", None)
        if not isinstance(backbone, nn.Module):
            raise ConfigError(f"backbone_from: {type(model).__name__} has no backbone")
        source = resolve(settings.backbone_from)
        load_weights(backbone, source, extra=getattr(backbone, "classifier", ()), part="backbone")
        lines.append(f"weights of the backbone: {settings.backbone_from}")
    if settings.load_from is not None:
        heads = getattr(model, "aux_heads", ())
        absent = load_weights(model, resolve(settings.load_from), [f"aux_heads.{name}" for name in heads])
        rest = f"; not in it, and beginning with random weights: {', '.join(absent)}" if absent else ""
        lines.append(f"weights of {settings.load_from}{rest}")
    for name, reference in (settings.init_cfg or {}).items():
        part = model_part(model, name, "init_cfg")
        load_weights(part, resolve(reference), extra=getattr(part, "classifier", ()), part=name)
        lines.append(f"weights of {name}: {reference}")
    return lines


def model_part(model: nn.Module, name: str, key: str) -> nn.Module:
    """A part by its dotted name.

    Raises:
        ConfigError: the model has none of that name.
    """
    try:
        return model.get_submodule(name)
    except AttributeError:
        parts = [part for part, _ in model.named_modules() if part]
        raise ConfigError(f"{key}: {type(model).__name__} has no part {name!r}; {did_you_mean(name, parts)}") from None


def _measurement(
    config: Mapping[str, Any], settings: TrainingSettings, processes: Processes
) -> tuple[dict[str, Any], list[Any], Any]:
    """The runner's arguments for measuring, the tensor part of test_transforms, and the codec."""
    if config.get("val_dataset") is None:
        return {}, [], None
    image_part, tensor_part = split_stages(_list(config, "test_transforms", TRANSFORMS))
    dataset = build(config["val_dataset"], DATASETS, "val_dataset")
    size = settings.val_batch_size or settings.batch_size
    loader = measuring_loader(dataset, image_part, size, settings.workers, processes)
    metrics = _list(config, "metrics", METRICS)
    names = names_of(metrics, len(SKELETONS[config.get("skeleton", HAND.name)]))
    if settings.best_metric is not None and settings.best_metric not in names:
        raise ConfigError(f"best_metric: {settings.best_metric!r} is not measured; the metrics give {', '.join(names)}")
    evaluator = evaluator_of(config, metrics, processes)
    codec = build(config["codec"], CODECS, "codec") if needs_codec(config) else None
    return {"val_loader": loader, "evaluator": evaluator}, tensor_part, codec


def _hooks(
    config: Mapping[str, Any],
    state: TrainingState,
    records: Records | None,
    folder: WorkDir,
    settings: TrainingSettings,
    console: Console | None,
) -> list[Hook]:
    schedule = ConstantSchedule()
    if config.get("schedule") is not None:
        schedule = build(config["schedule"], SCHEDULES, "schedule")
    hooks: list[Hook] = [
        LearningRateHook(schedule),
        RecordHook(state, records, settings),
        StateHook(state, folder, settings),
    ]
    if state.processes.first:
        hooks.append(PicturesHook(folder, SKELETONS[config.get("skeleton", HAND.name)], measures_masks(config)))
    if state.average is not None:
        hooks.append(AverageHook(state.average))
    if console is not None and state.processes.first:
        hooks.append(DisplayHook(console))
    return hooks


def _list(config: Mapping[str, Any], key: str, registry: Registry) -> list[Any]:
    return [build(node, registry, f"{key}.{index}") for index, node in enumerate(config[key])]
