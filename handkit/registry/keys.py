"""The keys a config may have at its top, and what each means. One config may serve a pipeline, training and testing."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from handkit.errors import ConfigError

#: Keys of a pipeline.
PIPELINE_KEYS: dict[str, str] = {
    "task": "what the pipeline answers, e.g. 'hand_2d_keypoints'",
    "custom_imports": "dict(imports=[...]): modules that are imported when the file is read, e.g. plug-ins",
    "card": "the card whose thresholds hold where the config states none",
    "detector": "the node that finds hands; none where the codec finds all hands of an image by their joints",
    "retry_detector": "the node that looks again where no hand of the detector's passed the gates",
    "test_transforms": "the list of nodes from a source to the network's input",
    "model": "the node of the network",
    "checkpoint": "its weights: a path, or hub:CARD/FILE",
    "base_checkpoint": "the weights of those of its parts that `checkpoint` does not hold",
    "codec": "the node that reads joints off the network's outputs",
    "skeleton": "whose joints `model` and `codec` tell: 'hand' (default), or 'wflw' for the 98 points of a face",
    "flip_test": "average with the mirror image: None, 'aligned', or 'mmpose' (its shift of a whole cell)",
    "second_look": "look at every crop again, turned so that the hand in it stands upright",
    "gesture": "the node that names what a hand does, of the task 'hand_gesture'",
    "runtime": "the node that executes the network",
    "given_rotations": "in how many turns a box given by the caller is tried, to find its hand's upright",
    "box_threshold": "the least score of a detected box, without a detector of a hand",
    "presence_threshold": "the least probability that a crop shows a hand",
    "detection_threshold": "box_threshold where boxes alone are asked for, so that no presence judges them",
    "pose_nms": "the mean distance of two hands' joints, as a share of the smaller, below which the weaker is dropped",
    "nms_iou": "the overlap above which the weaker of two boxes is dropped",
    "max_hands": "the most hands per image",
}

#: Keys of a training that hold nodes; `model`, `codec` and `test_transforms` are shared with the pipeline.
TRAINING_NODES: dict[str, str] = {
    "train_dataset": "the node of the samples to learn from",
    "train_transforms": "the list of nodes from a sample to what the model's losses take",
    "val_dataset": "the node of the samples that are measured, cut by test_transforms; none: nothing is measured",
    "metrics": "the list of nodes of what is measured on val_dataset",
    "optimizer": "the node of the optimizer",
    "schedule": "the node of the learning rate's course; none: constant",
}


def _setting(doc: str, default: Any = dataclasses.MISSING) -> Any:
    return dataclasses.field(default=default, metadata={"doc": doc})


@dataclass(frozen=True)
class TrainingSettings:
    """The keys of a training that hold plain values, with their types and defaults.

    An iteration is one step of the optimizer; it takes one batch.

    Raises:
        ConfigError: a value out of its range.
    """

    batch_size: int = _setting("samples per iteration")
    max_epochs: int = _setting("passes over train_dataset")
    accumulate: int = _setting("parts of a batch that go through the network one after another, to save memory", 1)
    lr_base_batch: int | None = _setting(
        "the batch size the optimizer's lr is meant for: lr is multiplied by batch_size / lr_base_batch; None: by 1",
        None,
    )
    clip_grad_norm: float | None = _setting("longest gradient (2-norm over all parameters); None: any", None)
    ema_decay: float | None = _setting(
        "decay per iteration of the moving average of the weights, which is what is measured and kept; None: none", None
    )
    precision: Literal["fp32", "bf16", "fp16"] = _setting(
        "of the network's forward pass: 'bf16' on CPU and CUDA, 'fp16' on CUDA with a loss scale", "fp32"
    )
    channels_last: bool = _setting("lay images and weights out as NHWC", True)
    seed: int = _setting(
        "of the initial weights, the order of samples, their augmentation, and mixtures that name none", 0
    )
    deterministic: bool = _setting("on CUDA: only algorithms that repeat bit by bit (the CPU's always do)", False)
    drop_last: bool = _setting("leave out an epoch's last batch where it is smaller than the others", True)
    workers: int = _setting("processes that load samples; 0: the training process itself", 2)
    load_from: str | None = _setting(
        "weights to begin with: a path, or hub:CARD/FILE; aux_heads that are not in it begin at random; None: all do",
        None,
    )
    backbone_from: str | None = _setting(
        "weights to begin the model's backbone with, e.g. a classifier's, its last layer left out; before load_from",
        None,
    )
    init_cfg: Mapping[str, str] | None = _setting(
        "weights to begin parts of the model with: by the part's dotted name, e.g. 'backbone' or "
        "'aux_heads.pose_prior', a path or hub:CARD/FILE, of which that part is read; after load_from",
        None,
    )
    frozen: Sequence[str] = _setting(
        "parts of the model by their dotted names that stay as they are: neither weights nor statistics change", ()
    )
    val_interval: int = _setting("epochs from one measurement to the next; the last epoch is always measured", 1)
    val_batch_size: int | None = _setting("samples per batch of a measurement; None: batch_size", None)
    best_metric: str | None = _setting("the number that tells the best weights, e.g. 'PCK@0.2'; None: the first", None)
    best_mode: Literal["max", "min"] | None = _setting(
        "whether the best weights have its largest or smallest value; None: the smallest of an error, else the largest",
        None,
    )
    save_interval: int = _setting(
        "iterations from one last.pth to the next within an epoch; each epoch ends with one", 500
    )
    keep_last: int = _setting("epochs whose state stays as epoch_N.pth beside last.pth, the latest so many", 0)
    log_interval: int = _setting("iterations from one line of metrics.jsonl to the next", 20)
    tensorboard: bool = _setting("write the same numbers for TensorBoard", False)

    def __post_init__(self) -> None:
        for name, least in _LEAST.items():
            value = getattr(self, name)
            if value is not None and value < least:
                raise ConfigError(f"{name}: {value} is less than {least}; it is {TRAINING_KEYS[name]}")
        if self.ema_decay is not None and not 0 <= self.ema_decay < 1:
            raise ConfigError(f"ema_decay: {self.ema_decay} is not in [0, 1)")
        if self.clip_grad_norm is not None and not self.clip_grad_norm > 0:
            raise ConfigError(
                f"clip_grad_norm: {self.clip_grad_norm} is not positive; None leaves gradients as they are"
            )
        for part, weights in (self.init_cfg or {}).items():
            if not isinstance(weights, str):
                raise ConfigError(f"init_cfg: {part!r} must name a file of weights, not {weights!r}")
        if self.accumulate > self.batch_size:
            raise ConfigError(f"accumulate: a batch of {self.batch_size} cannot be parted into {self.accumulate}")

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> TrainingSettings:
        """The settings among a config's keys.

        Raises:
            ConfigError: a required one is missing, or a value is out of its range.
        """
        for field in dataclasses.fields(cls):
            if field.default is dataclasses.MISSING and field.name not in config:
                raise ConfigError(f"the key {field.name!r} is missing ({field.metadata['doc']})")
        names = {field.name for field in dataclasses.fields(cls)}
        return cls(**{key: value for key, value in config.items() if key in names})


_LEAST = {
    "batch_size": 1,
    "max_epochs": 1,
    "accumulate": 1,
    "lr_base_batch": 1,
    "seed": 0,
    "workers": 0,
    "val_interval": 1,
    "val_batch_size": 1,
    "save_interval": 1,
    "keep_last": 0,
    "log_interval": 1,
}
#: Keys of a training, nodes and plain values.
TRAINING_KEYS: dict[str, str] = {
    **TRAINING_NODES,
    **{field.name: field.metadata["doc"] for field in dataclasses.fields(TrainingSettings)},
}
#: Every key a config may have at its top.
CONFIG_KEYS: dict[str, str] = {**PIPELINE_KEYS, **TRAINING_KEYS}
#: Keys that hold lists of nodes.
NODE_LISTS = ("train_transforms", "test_transforms", "metrics")
#: Keys that hold a dict whose own keys are dotted names.
DOTTED_KEYS = ("init_cfg",)
#: Keys that change neither weights nor measurements, so that a training may be resumed with another value of theirs.
NEUTRAL_KEYS = frozenset(
    {*PIPELINE_KEYS, "workers", "save_interval", "keep_last", "log_interval", "tensorboard"}
    - {"model", "codec", "test_transforms"}
)
