"""`handkit.pipeline`: from a task and a model to a callable."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

from handkit import hub
from handkit.errors import ConfigError, MissingWeightsError, did_you_mean
from handkit.formats.modelscope import CONFIGURATION
from handkit.gestures.classifier import SHIPPED
from handkit.pipelines.bottom_up import BottomUp
from handkit.pipelines.detection import HandDetection
from handkit.pipelines.gestures import HandGestures
from handkit.pipelines.inputs import OnError, check_answering
from handkit.pipelines.keypoints import HandKeypoints
from handkit.pipelines.top_down import TopDown
from handkit.registry import DETECTORS, MODELS, TRANSFORMS, build, resolve
from handkit.registry.bundles import load_bundle, shipped_detector
from handkit.registry.config import config_names, find_config, load_config, with_options
from handkit.registry.limits import check_limits
from handkit.registry.mask_detector import DETECTION_KEYS, marks_pixels, mask_detector
from handkit.registry.pairing import check_pairs, is_bottom_up, tells_space
from handkit.registry.validate import validate
from handkit.runtime.build import build_net
from handkit.transforms import LoadImage, split_stages

#: The tasks and the model that answers each when none is named: a bundle in the package.
DEFAULTS: dict[str, str | Path] = {
    task: hub.bundle_path(task) for task in ("hand_2d_keypoints", "hand_gesture", "hand_detection", "hand_3d_keypoints")
}
#: The tasks that a model for joints is made for; it answers either, and gestures and boxes too.
_OF_JOINTS = ("hand_2d_keypoints", "hand_3d_keypoints")
#: The nodes of a config that are detectors, and the keys at its top that go before arguments of theirs.
_DETECTORS = ("detector", "retry_detector")
_OF_DETECTORS = {"score_threshold": "box_threshold", "nms_iou": "nms_iou", "max_hands": "max_hands"}
#: A config's thresholds by their names on a card.
_THRESHOLDS = {"box": "box_threshold", "presence": "presence_threshold", "nms_iou": "nms_iou"}
#: What names gestures where a config for joints is asked for them.
_GESTURE = {"type": "GestureClassifier", "checkpoint": SHIPPED}
#: Tasks of configs for training and testing that no pipeline answers, and what to do instead.
_NO_PIPELINE = {
    "hand_segmentation": "marks the pixels of hands; 'hand_detection' takes such a config and its weights and answers "
    "boxes and masks, and pipelines/hand_3d_keypoints_poseprior cuts hands out by them; see docs/training.md, 'Masks'",
    "face_2d_keypoints": "is for training and testing only: no pipeline finds faces",
    "gesture_classification": "reads joints, not pictures; 'hand_gesture' takes its weights as gesture.checkpoint",
}
Pipeline: TypeAlias = "HandKeypoints | HandGestures | HandDetection"


def pipeline(
    task: str = "hand_2d_keypoints",
    model: str | Path | None = None,
    device: str | None = None,
    *,
    checkpoint: str | Path | None = None,
    cfg_options: Mapping[str, Any] | None = None,
    box_threshold: float | None = None,
    presence_threshold: float | None = None,
    nms_iou: float | None = None,
    max_hands: int | None = None,
    mirrored: bool = False,
    batch_size: int = 8,
    on_error: OnError = "raise",
) -> Any:
    """Builds a pipeline.

    Args:
        task: 'hand_2d_keypoints', 'hand_gesture', 'hand_detection' or 'hand_3d_keypoints'; hyphens do as well. A model
            for joints answers 'hand_gesture' too, by the classifier in the package or by
            ``cfg_options={'gesture.checkpoint': FILE}``, and 'hand_3d_keypoints' if it gives `xyz_root`.
        model: None for the bundle in the package; its name; the folder of one or of a ModelScope model; a config (a
            path, or the name of one of handkit's own, e.g. ``pipelines/hand_2d_keypoints_mediapipe``; one that names no
            detector, as a recipe or a work dir's config.py, finds hands by the package's); or a model on a server:
            ``modelscope://OWNER/NAME@REVISION``, or the https address of such a folder. A plain ``OWNER/NAME`` is
            looked for in ModelScope's caches on this machine. One for joints answers 'hand_detection' by its detector
            alone, and one of 'hand_segmentation' by its mask.
        device: where networks run, e.g. 'cpu' or 'cuda:0'; None lets the runtime choose.
        checkpoint: the weights of the config's model, of one that answers boxes those of its detector; a path, or
            hub:CARD/FILE.
        cfg_options: changes to the config by dotted key, as ``--cfg-options``.
        box_threshold: least score of a detected box, in [0, 1]. This and the next two default to the config's value,
            else to the one on the model's card.
        presence_threshold: least probability that a crop shows a hand, in [0, 1].
        nms_iou: overlap (intersection over union) above which the weaker of two boxes is dropped.
        max_hands: most hands per image.
        mirrored: the images are mirrored, as most selfie cameras show them.
        batch_size: images that are loaded, and crops that are run, together.
        on_error: 'raise', or 'skip' to put a `BadInput` in a bad input's place.

    Returns:
        A `HandKeypoints`, `HandGestures` or `HandDetection`: call it with images.

    Raises:
        ConfigError: an unknown task, no such model, a mistake in its config, or for 'hand_3d_keypoints' a model that
            tells no joints in space.
        CheckpointError: weights that do not fit.
        HubError: weights that cannot be had.
    """
    check_answering(batch_size, on_error)
    config = resolve_config(task, model, checkpoint, cfg_options)
    options = {"box_threshold": box_threshold, "presence_threshold": presence_threshold, "nms_iou": nms_iou}
    options["max_hands"] = max_hands
    config.update({key: value for key, value in options.items() if value is not None})
    check_limits(config)
    check_pairs(config)
    if config["task"] == "hand_3d_keypoints" and tells_space(config) is False:
        raise ConfigError(
            f"{model}: hand_3d_keypoints needs a model that gives xyz_root, and this one tells no joints in space: "
            "leave the model out for the package's own, or ask for 'hand_2d_keypoints'"
        )
    if device is not None:
        _set_device(config, device)
    shared: dict[str, Any] = {"config": config, "batch_size": batch_size, "on_error": on_error}
    load, *transforms = _image_part(config)
    if config["task"] == "hand_detection":
        if mirrored or presence_threshold is not None:
            raise ConfigError(
                "hand_detection tells no sides and no presence: leave mirrored and presence_threshold out"
            )
        return HandDetection(load, build_detector(config), max_hands=config.get("max_hands"), **shared)
    finder, spatial = _finder(config, transforms, batch_size), config["task"] == "hand_3d_keypoints"
    keypoints = HandKeypoints(load, finder, mirrored=mirrored, spatial=spatial, **shared)
    if config["task"] == "hand_gesture":
        return HandGestures(keypoints, build(config["gesture"], MODELS, "gesture"))
    return keypoints


def _finder(config: Mapping[str, Any], transforms: list[Any], batch_size: int) -> TopDown | BottomUp:
    """What finds the hands of a config for joints."""
    if is_bottom_up(config):
        limits = config.get("box_threshold"), config.get("max_hands")
        return BottomUp(transforms, build_net(config), *limits, batch_size=batch_size)
    spatial = tells_space(config)
    return TopDown(
        build_detector(config),
        transforms,
        build_net(config),
        build_detector(config, "retry_detector") if config.get("retry_detector") else None,
        presence_threshold=config.get("presence_threshold"),
        pose_nms=config.get("pose_nms"),
        max_hands=config.get("max_hands"),
        given_rotations=config.get("given_rotations", 1),
        batch_size=batch_size,
        spatial=config["task"] == "hand_3d_keypoints" if spatial is None else spatial,
    )


def resolve_config(
    task: str,
    model: str | Path | None = None,
    checkpoint: str | Path | None = None,
    cfg_options: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The validated config of a task, with options applied and the card's thresholds filled in; see `pipeline`."""
    task = task.replace("-", "_")
    _check_answered(task)
    if task not in DEFAULTS:
        raise ConfigError(f"no task {task!r}; {did_you_mean(task, DEFAULTS)}")
    name = DEFAULTS[task] if model is None else model
    config = _with_detector(read_model(name, cfg_options, checkpoint))
    if task == "hand_detection" and marks_pixels(config):
        config = mask_detector(config)
    _check_answered(config.get("task"), f"{name}: ")
    if task in _OF_JOINTS and config.get("task") in _OF_JOINTS:
        config = {**config, "task": task}
    if task == "hand_gesture" and config.get("task") in (task, *_OF_JOINTS):
        config = {**config, "task": task, "gesture": {**_GESTURE, **config.get("gesture", {})}}
    validate(config, str(name), use="pipeline")
    if task == "hand_detection" and config["task"] in _OF_JOINTS:
        config = _detection_part(config, str(name), cfg_options or {}, checkpoint)
    if config["task"] != task:
        raise ConfigError(f"{name}: this config answers {config['task']!r}, not {task!r}")
    if config.get("card"):
        thresholds = hub.card(config["card"]).thresholds
        config = {**{_THRESHOLDS[name]: value for name, value in thresholds.items()}, **config}
    for argument, key in _OF_DETECTORS.items():
        hidden = [f"{part}.{argument}" for part in _DETECTORS if f"{part}.{argument}" in (cfg_options or {})]
        if hidden and key in config:
            raise ConfigError(f"{name}: {hidden[0]} yields to {key} ({config[key]}); set {key} in its place")
    return config


def _check_answered(task: Any, where: str = "") -> None:
    """Refuses a task that no pipeline answers."""
    if task in _NO_PIPELINE:
        raise ConfigError(f"{where}the task {task!r} {_NO_PIPELINE[task]}")


def read_model(
    name: str | Path, cfg_options: Mapping[str, Any] | None = None, checkpoint: str | Path | None = None
) -> dict[str, Any]:
    """The config of a model as `pipeline` names it, with options applied and not yet validated.

    Args:
        name: see `pipeline`.
        cfg_options: changes by dotted key.
        checkpoint: the weights of the config's model, or of the detector of one that answers boxes, instead of those
            it names.

    Raises:
        ConfigError: there is none, or it cannot be read.
        HubError: it is on a server and cannot be had.
    """
    folder = _folder(name)
    if folder is not None:
        return with_options(load_bundle(folder, checkpoint), cfg_options, str(name))
    config = load_config(name, cfg_options)
    if checkpoint is None:
        return config
    if config.get("task") == "hand_detection" and isinstance(config.get("detector"), Mapping):
        return {**config, "detector": {**config["detector"], "checkpoint": str(checkpoint)}}
    return {**config, "checkpoint": str(checkpoint)}


def _with_detector(config: dict[str, Any]) -> dict[str, Any]:
    """A config for joints; one that names no detector, as a recipe does, with that of the package."""
    if config.get("task") not in _OF_JOINTS or "model" not in config or "detector" in config or is_bottom_up(config):
        return config
    return {"runtime": {"type": "TorchRuntime"}, **shipped_detector(hub.bundle_path("hand_detection")), **config}


def _folder(name: str | Path) -> Path | None:
    """The folder of a model on this machine, brought here if it is on a server; None for a config."""
    if isinstance(name, str) and hub.is_model_reference(name):
        return hub.model_folder(name)
    if name in (shipped := {folder.name: folder for folder in hub.bundle_paths()}):
        return shipped[str(name)]
    if Path(name).is_dir() or (Path(name) / CONFIGURATION).exists():
        return Path(name)
    try:
        find_config(name)
    except ConfigError as error:
        folder = hub.cached_model(str(name))
        hint = did_you_mean(str(name), [*shipped, *config_names()])
        if folder is None and any(hint == did_you_mean(bundle, [bundle]) for bundle in shipped):
            raise ConfigError(f"no model {str(name)!r}: neither a bundle in the package nor a config; {hint}") from None
        if folder is None and hub.is_plain_id(str(name)):
            raise ConfigError(
                f"{error}. If it is the id of a model of ModelScope's: none of its caches on this machine has it; "
                f"write modelscope://{name} to download it"
            ) from None
        if folder is None:
            raise
        return folder
    return None


def _detection_part(
    config: Mapping[str, Any], where: str, asked: Mapping[str, Any], checkpoint: str | Path | None
) -> dict[str, Any]:
    """The config of a pipeline for joints, cut to one of its detector, with weights if given.

    A box_threshold among the options that the caller asked for goes before the config's detection_threshold.

    Raises:
        ConfigError: it finds hands without a detector.
    """
    if is_bottom_up(config):
        raise ConfigError(f"{where}: finds hands by their joints, without a detector: ask for 'hand_2d_keypoints'")
    kept = {key: config[key] for key in DETECTION_KEYS if key in config}
    if "detection_threshold" in config and "box_threshold" not in asked:
        kept["box_threshold"] = config["detection_threshold"]
    if checkpoint is not None:
        kept["detector"] = {**kept["detector"], "checkpoint": str(checkpoint)}
    return {"task": "hand_detection", "test_transforms": [config["test_transforms"][0]], **kept}


def build_detector(config: Mapping[str, Any], part: str = "detector") -> Any:
    """A detector of the config, given those thresholds and limits at the config's top that its constructor takes.

    Raises:
        MissingWeightsError: it has none; the message names the config's key for them.
    """
    node = dict(config[part])
    takes = inspect.signature(resolve(node["type"], DETECTORS, part)).parameters
    for argument, key in _OF_DETECTORS.items():
        if config.get(key) is not None and argument in takes:
            node[argument] = config[key]
    try:
        return build(node, DETECTORS, part)
    except MissingWeightsError as error:
        where = f"name a file as {part}.checkpoint=, by cfg_options or --cfg-options"
        raise MissingWeightsError(f"{part}: {error.reason}", where) from None


def _image_part(config: Mapping[str, Any]) -> list[Any]:
    transforms = [build(node, TRANSFORMS, f"test_transforms.{i}") for i, node in enumerate(config["test_transforms"])]
    image_part, _ = split_stages(transforms)
    if not image_part or not isinstance(image_part[0], LoadImage):
        raise ConfigError("test_transforms must begin with LoadImage")
    return image_part


def _set_device(config: dict[str, Any], device: str) -> None:
    """Gives every runtime node of the config the device."""
    for key, value in config.items():
        if isinstance(value, dict):
            config[key] = value = dict(value)
            _set_device(value, device)
        if key == "runtime":
            value["device"] = device
