"""``configuration.json`` of a ModelScope model folder that EasyCV wrote -> the config of a handkit pipeline.

EasyCV's sections keep their meaning, its predictor's mistakes do not: images reach the network in the channel order
that it was trained on (RGB), whatever ``predictor_config.mode`` says, and the detector's corners are taken as corners.
Sections that say how it was trained and measured (`train`, `evaluation`, `plugins`, ...) are not read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handkit.errors import ConfigError
from handkit.formats import easycv_network, mmdet
from handkit.formats.fields import Fields
from handkit.formats.schedules import Node

CONFIGURATION = "configuration.json"
WEIGHTS = "pytorch_model.pt"
TASK = "hand-2d-keypoints"
#: Joints of a hand.
JOINTS = 21


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
    fields = Fields(configuration["model"], f"{where}: model").drop("type")
    fields.node("__easycv_arch__").expect(type="TopDown").end()
    model, test = easycv_network.network(fields)
    _check_predictor(configuration, where)
    _check_joints(model["head"]["out_channels"], f"{where}: model.keypoint_head.out_channels")
    input_size, heatmap_size = _sizes(configuration, where)
    codec, flip = easycv_network.decoder(test, input_size, heatmap_size, _sigma(configuration))
    steps, place = _test_pipeline(configuration, where)
    return {
        "task": "hand_2d_keypoints",
        "detector": _detector(configuration, detection, where),
        "test_transforms": easycv_network.test_steps(steps, input_size, place),
        "model": model,
        "checkpoint": WEIGHTS,
        "codec": codec,
        "flip_test": flip,
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


def _sizes(configuration: Mapping[str, Any], where: str) -> tuple[list[int], list[int]]:
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
    return sizes


def _test_pipeline(configuration: Mapping[str, Any], where: str) -> tuple[list[Any], str]:
    for place in ("test_pipeline", "dataset.val.pipeline"):
        steps = _below(configuration, *place.split("."))
        if isinstance(steps, list):
            return steps, f"{where}: {place}"
    raise ConfigError(f"{where}: no steps of testing, neither in test_pipeline nor in dataset.val.pipeline")


def _sigma(configuration: Mapping[str, Any]) -> float:
    """Of the targets it was trained on; EasyCV's own default is 2."""
    for step in _below(configuration, "dataset", "train", "pipeline") or ():
        if isinstance(step, Mapping) and step.get("type") == "TopDownGenerateTarget":
            return float(step.get("sigma", 2))
    return 2.0


def _below(value: Any, *keys: str) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _checkpoints(value: Any) -> list[str]:
    """The relative paths below the key `checkpoint` anywhere in a config."""
    if isinstance(value, Mapping):
        own = value.get("checkpoint")
        found = [own] if isinstance(own, str) and not own.startswith("hub:") else []
        return [*found, *(path for key, item in value.items() if key != "checkpoint" for path in _checkpoints(item))]
    return [path for item in value for path in _checkpoints(item)] if isinstance(value, list) else []
