"""``configuration.json`` of a ModelScope model folder that EasyCV wrote -> the config of a handkit pipeline.

EasyCV's sections keep their meaning, its predictor's mistakes do not: images reach the network in the channel order
that it was trained on (RGB), whatever ``predictor_config.mode`` says, and the detector's corners are taken as corners.
Sections that say how it was trained and measured (`train`, `evaluation`, `plugins`, ...) are not read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handkit.errors import ConfigError
from handkit.formats import mmdet
from handkit.formats.easycv.data import pipeline
from handkit.formats.easycv.network import network
from handkit.formats.fields import Fields
from handkit.formats.schedules import Node

CONFIGURATION = "configuration.json"
WEIGHTS = "pytorch_model.pt"
TASK = "hand-2d-keypoints"
#: Joints of a hand.
JOINTS = 21
_STEPS = ["LoadImage", "TopDownAffine", "MMToTensor", "NormalizeTensor", "PoseCollect"]


def plain_values(value: Any) -> Any:
    """JSON in which EasyCV's writer wrapped tuples, as ``{"__class__": "tuple", "__value__": [...]}``, without wraps.

    Raises:
        ConfigError: another class, which only code could make.
    """
    if isinstance(value, Mapping):
        if "__class__" not in value:
            return {key: plain_values(item) for key, item in value.items()}
        if value["__class__"] != "tuple" or not isinstance(value.get("__value__"), list):
            raise ConfigError(
                f"{CONFIGURATION}: an object of class {value['__class__']!r} is not read, only tuples are"
            )
        value = value["__value__"]
    return [plain_values(item) for item in value] if isinstance(value, list) else value


def is_easycv(configuration: Any) -> bool:
    """Whether a configuration is one that EasyCV wrote."""
    model = configuration.get("model") if isinstance(configuration, Mapping) else None
    return isinstance(model, Mapping) and "__easycv_arch__" in model


def named_files(configuration: Any, where: str) -> list[str]:
    """The files besides itself that a configuration needs, relative to its folder.

    Raises:
        ConfigError: neither handkit's nor EasyCV's.
    """
    if isinstance(configuration, Mapping) and isinstance(configuration.get("handkit"), Mapping):
        return sorted(set(_checkpoints(configuration["handkit"])))
    check(configuration, where)
    detection = Fields(configuration["DETECTION"], f"{where}.DETECTION")
    return [WEIGHTS, *(str(detection.take(key)) for key in ("model_path", "config_file"))]


def check(configuration: Any, where: str) -> None:
    """Passes what `translate` may be able to read.

    Raises:
        ConfigError: another task, another toolkit's file, or no detector.
    """
    if not isinstance(configuration, Mapping):
        raise ConfigError(f"{where}: expected a JSON object, got {type(configuration).__name__}")
    task = configuration.get("task")
    if task != TASK:
        raise ConfigError(f"{where}: this model answers task {task!r}; handkit reads folders for {TASK!r}")
    if not is_easycv(configuration):
        raise ConfigError(
            f"{where}: has neither the key 'handkit' of handkit's bundles nor a 'model' with EasyCV's "
            "'__easycv_arch__'; folders of other toolkits are not read"
        )
    if not configuration.get("DETECTION"):
        raise ConfigError(f"{where}: names no 'DETECTION', so nothing says what finds the hands")


def translate(configuration: Mapping[str, Any], detection: Mapping[str, Any], where: str = CONFIGURATION) -> Node:
    """The config of a pipeline; its checkpoints are the folder's names.

    Args:
        configuration: EasyCV's, from `plain_values`.
        detection: the parsed config that its DETECTION names.
        where: its name in messages.

    Raises:
        ConfigError: a part without a counterpart, or another number of joints than a hand has.
    """
    check(configuration, where)
    arch = configuration["model"]["__easycv_arch__"]
    node = {key: value for key, value in configuration["model"].items() if key not in ("type", "__easycv_arch__")}
    model, decoding, flip = network(Fields({**arch, **node}, f"{where}: model"), [])
    _check_predictor(configuration, where)
    _check_joints(model["head"]["out_channels"], f"{where}: model.keypoint_head.out_channels")
    codec = {"type": "GaussianHeatmap", **_sizes(configuration, where), **_targets(configuration), **decoding}
    if "max_offset" in codec:
        codec["max_offset"] = 1.0
    return {
        "task": "hand_2d_keypoints",
        "detector": _detector(configuration, detection, where),
        "test_transforms": _test_transforms(configuration, codec, where),
        "model": {key: value for key, value in model.items() if key != "losses"},
        "checkpoint": WEIGHTS,
        "codec": codec,
        "flip_test": flip and "aligned",
        "runtime": {"type": "TorchRuntime"},
    }


def _detector(configuration: Mapping[str, Any], detection: Mapping[str, Any], where: str) -> Node:
    fields = Fields(configuration["DETECTION"], f"{where}: DETECTION").expect(type="DetectionPredictor")
    checkpoint, config_file = fields.take("model_path"), fields.take("config_file")
    threshold = fields.take("score_threshold", 0.5)
    fields.drop("mode", "batch_size").end()
    return {**mmdet.detector(detection, threshold, str(config_file)), "checkpoint": checkpoint}


def _check_predictor(configuration: Mapping[str, Any], where: str) -> None:
    pipeline = configuration.get("pipeline") or {}
    predictor = pipeline.get("predictor_config") if isinstance(pipeline, Mapping) else None
    fields = Fields(predictor or {}, f"{where}: pipeline.predictor_config").drop("mode", "batch_size")
    fields.expect(type="HandKeypointsPredictor").end()


def _check_joints(count: Any, what: str) -> None:
    if count != JOINTS:
        raise ConfigError(f"{what} is {count}; a hand has {JOINTS} joints")


def _sizes(configuration: Mapping[str, Any], where: str) -> Node:
    """(width, height) of input and maps, from the reserved `data_cfg` or a data set's."""
    place, value = "data_cfg", configuration.get("data_cfg")
    for split in ("val", "train"):
        if value is None:
            place = f"dataset.{split}.data_source.data_cfg"
            value = _below(configuration, *place.split("."))
    if value is None:
        raise ConfigError(f"{where}: no data_cfg, neither at the top nor in a data set, so the input's size is unknown")
    fields = Fields(value, f"{where}: {place}")
    sizes = fields.take("image_size"), fields.take("heatmap_size")
    for size in sizes:
        if not (isinstance(size, list) and len(size) == 2 and all(isinstance(side, int) for side in size)):
            raise ConfigError(f"{fields.where}: expected [width, height], got {size!r}")
    _check_joints(fields.take("num_joints", JOINTS), f"{fields.where}.num_joints")
    return dict(zip(("input_size", "heatmap_size"), sizes, strict=True))


def _test_transforms(configuration: Mapping[str, Any], codec: Node, where: str) -> list[Node]:
    """EasyCV's steps of testing; crops are cut as handkit's pipelines do, without mmpose's aliasing."""
    for place in ("test_pipeline", "dataset.val.pipeline"):
        steps = _below(configuration, *place.split("."))
        if not isinstance(steps, list):
            continue
        made = pipeline(steps, f"{where}: {place}", codec, False, [])
        if [step["type"] for step in made] != _STEPS:
            raise ConfigError(f"{where}: {place}: expected the steps {', '.join(_STEPS[1:])} in this order")
        crop = {key: value for key, value in made[1].items() if key not in ("antialias", "hide_outside")}
        return [made[0], crop, *made[2:]]
    raise ConfigError(f"{where}: no steps of testing, neither in test_pipeline nor in dataset.val.pipeline")


def _targets(configuration: Mapping[str, Any]) -> Node:
    """What the network learnt, which decoding does not read; EasyCV's own default is sigma 2."""
    for step in _below(configuration, "dataset", "train", "pipeline") or ():
        if isinstance(step, Mapping) and step.get("type") == "TopDownGenerateTarget":
            return {"sigma": float(step.get("sigma", 2)), "unbiased": bool(step.get("unbiased_encoding", False))}
    return {"sigma": 2.0, "unbiased": False}


def _below(value: Any, *keys: str) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _checkpoints(value: Any) -> list[str]:
    """The relative paths below the key `checkpoint` anywhere in a config."""
    if isinstance(value, Mapping):
        own = value.get("checkpoint")
        found = [own] if isinstance(own, str) and not own.startswith(("hub:", "bundle:")) else []
        return [*found, *(path for key, item in value.items() if key != "checkpoint" for path in _checkpoints(item))]
    return [path for item in value for path in _checkpoints(item)] if isinstance(value, list) else []
