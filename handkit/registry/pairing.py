"""Whether the parts of a config that know of each other's work agree: crops, codec, head and losses."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from typing import Any

from handkit.errors import ConfigError
from handkit.registry.build import is_node, resolve

Node = Mapping[str, Any]
_LISTS = ("test_transforms", "train_transforms")
#: Keys that say how hands are found and judged before their joints are read.
_OF_DETECTORS = ("detector", "retry_detector", "presence_threshold", "pose_nms", "nms_iou", "given_rotations")


def check_pairs(config: Node) -> None:
    """Refuses parts that would silently work against each other, or fail only when the first batch is run.

    Raises:
        ConfigError: the first disagreement, with both places and how to mend it.
    """
    _check_gestures(config)
    _check_bottom_up(config)
    made = dict(_target_codecs(config))
    codecs = [("codec", config["codec"]), *made.items()] if is_node(config.get("codec")) else list(made.items())
    for where, codec in codecs:
        _check_crops(config, where, codec)
    model: Node = config.get("model") or {}
    head: Node = model.get("head") or {}
    if not is_node(head):
        return
    losses = [node for node in model.get("losses") or () if is_node(node)]
    for where, codec in codecs:
        _check_head(where, codec, head)
        _check_stride(where, codec, model)
        for index, loss in enumerate(losses):
            _check_labels(where, codec, f"model.losses.{index}", loss)
    for index, loss in enumerate(losses):
        _check_loss(f"model.losses.{index}", loss, model)
        _check_targets(config, f"model.losses.{index}", loss, made)


def _check_gestures(config: Node) -> None:
    """A network of gestures, its data sets and the transforms that make what it reads count and turn alike."""
    model: Node = config.get("model") or {}
    if not is_node(model):
        return
    steps = {f"{key}.{index}": step for key in _LISTS for index, step in enumerate(config.get(key) or ())}
    data: dict[str, Node] = {key: config.get(key) or {} for key in ("train_dataset", "val_dataset")}
    for name, nodes in (("classes", data), ("upright", steps)):
        ours = argument(model, name)
        for where, node in nodes.items():
            theirs = argument(node, name) if is_node(node) else None
            if None not in (ours, theirs) and _plain(ours) != _plain(theirs):
                raise ConfigError(f"{where} has {name}={theirs}, but model has {name}={ours}: they must agree")


def argument(node: Node, name: str) -> Any:
    """What a node's constructor will be given: as the config says, else its own default; None if it takes no such."""
    parameter = inspect.signature(resolve(node["type"])).parameters.get(name)
    default = None if parameter is None or parameter.default is parameter.empty else parameter.default
    return node.get(name, default)


def _target_codecs(config: Node) -> Iterator[tuple[str, Node]]:
    for index, step in enumerate(config.get("train_transforms") or ()):
        if is_node(step.get("codec")):
            yield f"train_transforms.{index}.codec", step["codec"]


def is_bottom_up(config: Node) -> bool:
    """Whether a config's codec reads the joints of all hands off a whole image, so that no detector is asked."""
    codec: Any = config.get("codec")
    return is_node(codec) and bool(getattr(resolve(codec["type"]), "whole_images", False))


def tells_space(config: Node) -> bool | None:
    """Whether the hands of a config have `xyz_root`; None where a part of its model does not say what it gives."""
    model: Any = config.get("model")
    while is_node(model) and is_node(model.get("model")):
        model = model["model"]  # a wrapper, as FlipTest
    if not is_node(model) or config.get("task") == "hand_detection" or is_bottom_up(config):
        return False
    parts = [model["head"], *(model.get("aux_heads") or ())] if "head" in model else [model]
    given = [getattr(resolve(part["type"]), "outputs", None) if is_node(part) else None for part in parts]
    if any("xyz_root" in names for names in given if names is not None):
        return True
    return None if None in given else False


def _check_bottom_up(config: Node) -> None:
    """Crops and detectors are for one hand each; whole images bring their own parts and targets."""
    bottom_up = is_bottom_up(config)
    for where, node in _parts(config):
        kind = str(node.get("type"))
        if kind.startswith("TopDown" if bottom_up else "BottomUp"):
            codec = (config.get("codec") or {}).get("type")
            of = "all hands of a whole image" if bottom_up else "one hand per crop"
            raise ConfigError(
                f"{where}: {kind} does not go with codec={codec}, which is for {of}: TopDown parts are for crops, "
                "BottomUpEstimator, BottomUpResize and BottomUpGenerateTarget for whole images"
            )
    if not bottom_up:
        return
    for key in _OF_DETECTORS:
        if config.get(key) is not None:
            raise ConfigError(
                f"{key}: {config['codec']['type']} finds all hands of an image without a detector: leave {key!r} out"
            )
    steps = [step.get("type") for step in config.get("test_transforms") or ()]
    if steps and "BottomUpResize" not in steps:
        raise ConfigError(
            "test_transforms: without BottomUpResize nobody knows where in the image the network's input lies"
        )
    targets = getattr(resolve(config["codec"]["type"]), "targets", ())
    for index, step in enumerate(config.get("train_transforms") or ()):
        missing = [name for name in targets if name not in argument(step, "keys")] if _collects(step) else []
        if missing:
            raise ConfigError(
                f"train_transforms.{index}: PoseCollect must name {missing}, which {config['codec']['type']} makes"
            )


def _parts(config: Node) -> Iterator[tuple[str, Node]]:
    """The model and the transforms of a config, with their places."""
    yield "model", config.get("model") or {}
    for key in _LISTS:
        for index, step in enumerate(config.get(key) or ()):
            yield f"{key}.{index}", step


def _collects(step: Node) -> bool:
    return step.get("type") == "PoseCollect"


def _check_crops(config: Node, where: str, codec: Node) -> None:
    """Maps with UDP's corners need crops with UDP's corners."""
    if not getattr(resolve(codec["type"]), "udp", False):
        return
    for key in _LISTS:
        for index, step in enumerate(config.get(key) or ()):
            if step.get("type") == "TopDownAffine" and not argument(step, "use_udp"):
                raise ConfigError(
                    f"{key}.{index}: {codec['type']} ({where}) lays the maps' corner cells on the crop's corner "
                    "pixels, so the crop must do the same: add use_udp=True, or take GaussianHeatmap"
                )


def _check_head(where: str, codec: Node, head: Node) -> None:
    """The codec reads what the head makes, as what the head makes of it, in as many bins."""
    reads = getattr(resolve(codec["type"]), "reads", ())
    outputs = getattr(resolve(head["type"]), "outputs", None)
    missing = [name for name in reads if outputs is not None and name not in outputs]
    if missing:
        raise ConfigError(
            f"{where}: {codec['type']} reads {missing}, but model.head, {head['type']}, gives {list(outputs or ())}"
        )
    made, read = argument(head, "softmax") or False, argument(codec, "probabilities") or False
    if made != read:
        raise ConfigError(f"model.head has softmax={made}, but {where} has probabilities={read}: they must agree")
    for name in ("input_size", "simcc_split_ratio"):
        ours, theirs = argument(codec, name), argument(head, name)
        if None not in (ours, theirs) and _plain(ours) != _plain(theirs):
            raise ConfigError(f"model.head has {name}={theirs}, but {where} has {name}={ours}: they must agree")


def _check_stride(where: str, codec: Node, model: Node) -> None:
    """The codec's cells are the backbone's."""
    backbone = model.get("backbone")
    if backbone is None or not is_node(backbone):
        return
    ours, theirs = argument(codec, "output_stride"), argument(backbone, "output_stride")
    if None not in (ours, theirs) and ours != theirs:
        raise ConfigError(
            f"model.backbone has output_stride={theirs}, but {where} has output_stride={ours}: they must agree"
        )


def _check_labels(where: str, codec: Node, place: str, loss: Node) -> None:
    """Scores compare with what the loss makes of the labels."""
    if argument(loss, "label_softmax") is None:
        return
    taught = float(argument(loss, "label_beta")) if argument(loss, "label_softmax") else None
    known = argument(codec, "label_beta")
    if known != taught:
        raise ConfigError(
            f"{where} has label_beta={known}, but {place}, {loss['type']}, teaches labels with {taught}: scores are "
            f"shares of what an ideal network answers, so write label_beta={taught}"
        )


def _check_loss(place: str, loss: Node, model: Node) -> None:
    """Some head gives what the loss judges, at the same temperature."""
    heads = [model["head"], *(model.get("aux_heads") or ())]
    given = {name: head for head in heads if is_node(head) for name in getattr(resolve(head["type"]), "outputs", ())}
    if any(is_node(head) and not hasattr(resolve(head["type"]), "outputs") for head in heads):
        return
    for name in getattr(resolve(loss["type"]), "reads", ()):
        if name not in given:
            raise ConfigError(f"{place}: {loss['type']} judges {name!r}, but the heads give {sorted(given)}")
        made, judged = argument(given[name], "beta"), argument(loss, "beta")
        if made is not None and judged is not None and made != judged:
            raise ConfigError(
                f"{place}: {loss['type']} has beta={judged}, but {given[name]['type']} has beta={made}: they must agree"
            )


def _check_targets(config: Node, place: str, loss: Node, made: Mapping[str, Node]) -> None:
    """Some codec makes what the loss needs, and PoseCollect hands it on."""
    needs = getattr(resolve(loss["type"]), "needs", ())
    known = {name for codec in made.values() for name in getattr(resolve(codec["type"]), "targets", ())}
    for index, step in enumerate(config.get("train_transforms") or ()):
        if not _collects(step):
            continue
        missing = [name for name in needs if name not in argument(step, "keys")]
        if not missing:
            continue
        hint = f"PoseCollect must name {missing}, which {loss['type']} ({place}) needs"
        absent = sorted(set(missing) & _MADE - known)
        if absent and made:
            kinds = ", ".join(codec["type"] for codec in made.values())
            hint = f"{loss['type']} ({place}) needs {absent}, which {kinds} does not make"
        raise ConfigError(f"train_transforms.{index}: {hint}")


#: Targets that only a codec can make.
_MADE = {
    "heatmaps",
    "heatmap_mask",
    "simcc_x",
    "simcc_y",
    "coordinates",
    "offsets",
    "displacements",
    "displacement_weight",
    "target_weight",
}


def _plain(value: Any) -> Any:
    return tuple(value) if isinstance(value, (list, tuple)) else value
