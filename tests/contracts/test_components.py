"""What every registered component must keep, whoever wrote it."""

from __future__ import annotations

import inspect
import pickle
import typing
from pathlib import Path
from typing import Any

import pytest
import torch

from handkit.checkpoints import load_weights, save_weights
from handkit.errors import ConfigError
from handkit.registry import ALL, build, registered
from handkit.registry.config import load_config

COMPONENTS = [(kind, name) for kind, registry in ALL.items() for name in registered(registry)]
ESTIMATOR = load_config("pipelines/hand_2d_keypoints_hrnetv2_w18_dark")["model"]
DETECTOR = load_config("pipelines/hand_2d_keypoints_hrnetv2_w18_dark")["detector"]
PALM = load_config("pipelines/hand_detection_mediapipe")["detector"]


def inside(node: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in node.items() if key != "type"}


#: What a component needs to be built, where it has arguments without defaults.
ARGUMENTS: dict[str, dict[str, Any]] = {
    "FlipTest": {"model": ESTIMATOR},
    "TopDownEstimator": inside(ESTIMATOR),
    "SSDLite": inside(DETECTOR["net"]),
    "SSDNeck": inside(DETECTOR["net"]["neck"]),
    "SSDHead": inside(DETECTOR["net"]["bbox_head"]),
    "SSDAnchors": inside(DETECTOR["net"]["bbox_head"]["anchors"]),
    "Regression": {"input_size": (224, 224)},
    "TopDownAffine": {"input_size": (256, 256)},
    "GivenBoxes": {"boxes": [[0, 0, 9, 9]]},
}
#: Detectors open their weights when they are built.
WITH_WEIGHTS = {
    "OneHandDetector": inside(DETECTOR),
    "PalmDetector": {**inside(PALM), "score_threshold": 0.5, "nms_iou": 0.3},
}


def component(kind: str, name: str) -> type:
    return ALL[kind].module_dict[name]


@pytest.mark.parametrize(("kind", "name"), COMPONENTS)
def test_constructors_are_explicit_and_typed(kind: str, name: str) -> None:
    cls = component(kind, name)
    for parameter in inspect.signature(cls).parameters.values():
        assert parameter.kind not in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL), f"{name} takes {parameter}"
    hints = typing.get_type_hints(cls.__init__)
    assert set(inspect.signature(cls).parameters) <= set(hints), f"{name} has untyped arguments"


@pytest.mark.parametrize(("kind", "name"), COMPONENTS)
def test_every_argument_is_documented(kind: str, name: str) -> None:
    cls = component(kind, name)
    doc = inspect.getdoc(cls) or ""
    assert cls.__doc__ is not None
    assert len(doc.split("\n")[0]) > 10
    for argument in inspect.signature(cls).parameters:
        assert f"{argument}:" in doc or f"{argument}," in doc, f"{name}'s docstring does not explain {argument}"


@pytest.mark.parametrize(("kind", "name"), [row for row in COMPONENTS if row[1] not in WITH_WEIGHTS])
def test_builds_and_pickles(kind: str, name: str) -> None:
    made = build(dict(type=name, **ARGUMENTS.get(name, {})), ALL[kind])
    assert type(made) is component(kind, name)
    assert type(pickle.loads(pickle.dumps(made))) is type(made)


def test_detectors_refuse_to_run_without_weights() -> None:
    arguments = {**WITH_WEIGHTS["OneHandDetector"], "checkpoint": None}
    with pytest.raises(ConfigError, match="name a file as checkpoint="):
        build(dict(type="OneHandDetector", **arguments))


def test_palm_detector_builds(mediapipe_files: dict[str, Path]) -> None:
    build(dict(type="PalmDetector", **WITH_WEIGHTS["PalmDetector"]), ALL["detectors"])


def test_models_keep_their_state_through_a_round_trip(tmp_path: Path) -> None:
    model, other = build(ESTIMATOR), build(ESTIMATOR)
    save_weights(model, tmp_path / "weights.safetensors")
    load_weights(other, tmp_path / "weights.safetensors")
    ours, theirs = model.state_dict(), other.state_dict()
    assert list(ours) == list(theirs)
    assert all(torch.equal(ours[key], theirs[key]) for key in ours)


def test_the_tables_name_components_only() -> None:
    assert {*ARGUMENTS, *WITH_WEIGHTS} <= {name for _, name in COMPONENTS}
