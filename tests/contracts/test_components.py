"""What every registered component must keep, whoever wrote it."""

from __future__ import annotations

import inspect
import pickle
import typing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from handkit.checkpoints import load_weights, save_weights
from handkit.errors import ConfigError
from handkit.models.heads import Head
from handkit.models.losses import Loss
from handkit.registry import ALL, CODECS, build, registered
from handkit.registry.config import load_config

COMPONENTS = [(kind, name) for kind, registry in ALL.items() for name in registered(registry)]
ESTIMATOR = load_config("pipelines/hand_2d_keypoints_hrnetv2_w18_dark")["model"]
DETECTOR = load_config("pipelines/hand_2d_keypoints_hrnetv2_w18_dark")["detector"]
RTMDET = load_config("pipelines/hand_2d_keypoints_rtmdet_nano")["detector"]
PALM = load_config("pipelines/hand_detection_mediapipe")["detector"]
FILES = Path(__file__).resolve().parents[1] / "datasets" / "files"


def inside(node: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in node.items() if key != "type"}


#: Arguments that decoding alone reads, none at its default.
DECODING: dict[str, Any] = {
    **{"dark": False, "kernel": 5, "max_offset": None, "blur": 2.0, "use_dark": True},
    **{"joint_threshold": 0.1, "score_threshold": 0.1, "nms_radius": 5.0, "max_hands": 2},
}
GESTURES = {"classes": ("one", "two")}
#: What a component needs to be built, where it has arguments without defaults.
MS_ROWS = [
    {
        "image": str(FILES / "images" / "one.png"),
        "keypoints": [10.0, 10.0, 2] + [20.0, 30.0, 2] * 20,
        "bbox": [5, 5, 20, 30],
    }
]
BOTTOM_UP: dict[str, Any] = dict(
    backbone=dict(type="MobileNetV2", widen_factor=0.25, output_stride=16),
    head=dict(type="HandOffsetHead", in_channels=1280),
    losses=[dict(type=name) for name in ("HeatmapBCELoss", "OffsetLoss", "DisplacementLoss")],
)
ARGUMENTS: dict[str, dict[str, Any]] = {
    "GestureMLP": GESTURES,
    "RenderedGestures": {**GESTURES, "source": "capsule", "count": 1},
    "GestureHands": {**GESTURES, "ann_file": str(FILES / "gestures.json")},
    "BottomUpEstimator": BOTTOM_UP,
    "FlipTest": {"model": ESTIMATOR},
    "TopDownEstimator": inside(ESTIMATOR),
    "RTMDet": inside(RTMDET["net"]),
    "CSPNeXtPAFPN": inside(RTMDET["net"]["neck"]),
    "RTMDetSepBNHead": inside(RTMDET["net"]["bbox_head"]),
    "SSDLite": inside(DETECTOR["net"]),
    "SSDNeck": inside(DETECTOR["net"]["neck"]),
    "SSDHead": inside(DETECTOR["net"]["bbox_head"]),
    "SSDAnchors": inside(DETECTOR["net"]["bbox_head"]["anchors"]),
    "BoxSelection": {"score_threshold": 0.02, "nms_iou": 0.45, "max_detections": 200},
    "Resize": {"input_size": (320, 320)},
    "MultiStepSchedule": {"milestones": (2, 3)},
    "Regression": {"input_size": (224, 224)},
    "TopDownAffine": {"input_size": (256, 256)},
    "TopDownGenerateTarget": {"codec": {"type": "GaussianHeatmap"}},
    "BottomUpGenerateTarget": {"codec": {"type": "HandOffsets"}},
    "BottomUpResize": {"input_size": (321, 321)},
    "BackgroundPaste": {"folder": str(Path(__file__).resolve().parents[2] / "demo")},
    "ResNet": {"depth": 18},
    "GivenBoxes": {"boxes": [[0, 0, 9, 9]]},
    "CocoHands": {"ann_file": str(FILES / "coco.json")},
    "HandPhotos": {"ann_file": str(FILES / "handphotos.json")},
    "MsDataset": {"dataset": MS_ROWS},
    "CocoWholeBodyHand": {"ann_file": str(FILES / "coco_wholebody.json")},
    "FreiHAND": {"ann_file": str(FILES / "freihand" / "evaluation_xyz.json")},
    "InterHand26M": {"ann_file": str(FILES / "interhand" / "tiny_data.json")},
    "OneHand10K": {"ann_file": str(FILES / "onehand10k.json")},
    "Panoptic": {"ann_file": str(FILES / "panoptic.json")},
    "RHD": {"ann_file": str(FILES / "rhd" / "anno_training.pickle")},
    "WFLW": {"ann_file": str(FILES / "wflw" / "list.txt"), "image_root": str(FILES / "wflw" / "WFLW_images")},
    "HandShards": {"folder": str(FILES / "shards")},
    "NegativePhotos": {"folder": str(FILES / "images")},
    "NegativeImages": {"folder": str(FILES / "images")},
    "RandomView": {"input_size": (320, 320)},
    "PasteHands": {
        "pictures": {"type": "ImageBoxes", "dataset": {"type": "HandShards", "folder": str(FILES / "shards")}},
        "view": {"type": "RandomView", "input_size": (320, 320)},
    },
    "LargestHand": {"dataset": {"type": "CocoHands", "ann_file": str(FILES / "coco.json")}},
    "ImageBoxes": {"dataset": {"type": "CocoHands", "ann_file": str(FILES / "coco.json")}},
    "RepeatDataset": {"dataset": {"type": "NegativePhotos", "folder": str(FILES / "images")}, "times": 2},
    "WeightedConcat": {"datasets": [{"type": "NegativePhotos", "folder": str(FILES / "images")}]},
    "SquaresBesideHands": {
        "dataset": {"type": "ImageBoxes", "dataset": {"type": "CocoHands", "ann_file": str(FILES / "coco.json")}},
        "min_side": 2,
    },
    "FalseDetections": {
        "dataset": {"type": "NegativeImages", "folder": str(FILES / "images")},
        "detections": str(FILES / "detections.json"),
    },
    "SourceBalance": {"dataset": {"type": "HandPhotos", "ann_file": str(FILES / "handphotos.json")}},
}
_SMALL = dict(type="HRNet", width=4, num_modules=(1, 1, 1), num_blocks=(1, 1, 1, 1), stage1_channels=4)
#: Networks that can be trained: arguments, and targets for two images of 320 x 320, one without a hand, or two hands.
TRAINED: dict[str, tuple[dict[str, Any], dict[str, torch.Tensor]]] = {
    "TopDownEstimator": (
        dict(
            backbone=_SMALL,
            head=dict(type="HRNetV2Head", in_channels=(4, 8, 16, 32), softmax=True),
            aux_heads=[dict(type="PresenceHead", in_channels=32), dict(type="HandednessHead", in_channels=32)],
            losses=[dict(type=name) for name in ("SpatialCrossEntropyLoss", "PresenceLoss", "HandednessLoss")],
        ),
        dict(
            heatmaps=torch.rand(2, 21, 80, 80, generator=torch.Generator().manual_seed(0)),
            target_weight=torch.ones(2, 21),
            right=torch.tensor([1.0, torch.nan]),
            hand=torch.tensor([1.0, 0.0]),
        ),
    ),
    "BottomUpEstimator": (
        BOTTOM_UP,
        dict(
            heatmaps=torch.ones(2, 21, 20, 20) * torch.tensor([1.0, 0.0])[:, None, None, None],
            heatmap_mask=torch.ones(2, 21, 20, 20),
            offsets=torch.rand(2, 21, 2, 20, 20, generator=torch.Generator().manual_seed(0)),
            displacements=torch.rand(2, 40, 2, 20, 20, generator=torch.Generator().manual_seed(1)),
            displacement_weight=torch.ones(2, 40, 20, 20),
            target_weight=torch.ones(2, 21),
        ),
    ),
    "GestureMLP": (GESTURES, dict(gesture=torch.tensor([0, 1]), class_weight=torch.tensor([0.5, 1.5]))),
    "SSDLite": (
        inside(DETECTOR["net"]),
        dict(boxes=torch.tensor([[[20.0, 30.0, 120.0, 160.0]], [[0.0] * 4]]), counts=torch.tensor([1, 0])),
    ),
}
#: Detectors open their weights when they are built.
WITH_WEIGHTS = {
    "HandSegDetector": inside(load_config("_base_/detectors/handsegnet")["detector"]),
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


@pytest.mark.parametrize("name", [name for name in registered(CODECS) if hasattr(CODECS.get(name), "encode")])
def test_what_only_decoding_reads_changes_no_target(name: str) -> None:
    kind, arguments = CODECS.get(name), ARGUMENTS.get(name, {})
    changed = {argument: DECODING[argument] for argument in kind.decoding}
    joints = np.random.default_rng(3).uniform(20, 200, (1, 1, 21, 2)), np.ones((1, 1, 21))
    ours, theirs = kind(**arguments).encode(*joints), kind(**{**arguments, **changed}).encode(*joints)
    assert all(np.array_equal(ours[target], theirs[target]) for target in kind.targets)


def test_losses_are_named_and_judge_what_a_head_gives() -> None:
    made = [build(dict(type=name, **ARGUMENTS.get(name, {})), ALL["models"]) for name in registered(ALL["models"])]
    outputs = {(name, part.activation_of(name)) for part in made if isinstance(part, Head) for name in part.outputs}
    outputs.add(("heatmaps", "softmax"))  # HRNetV2Head with softmax=True
    losses = [part for part in made if isinstance(part, Loss)]
    assert len(losses) >= 4
    for loss in losses:
        assert loss.name.startswith("loss_")
        for name in loss.reads:
            assert (name, loss.activation) in outputs, f"no head gives what {type(loss).__name__} judges"
        assert not loss.state_dict()


@pytest.mark.parametrize("name", TRAINED)
def test_networks_that_train_have_three_modes(name: str) -> None:
    arguments, targets = TRAINED[name]
    torch.manual_seed(0)
    model = build(dict(type=name, **arguments), ALL["models"])
    images = torch.randn({"img": (2, 3, 320, 320), "features": (2, 55)}[getattr(model, "input_name", "img")])
    with torch.autocast("cpu", torch.bfloat16):
        losses = model(images, mode="loss", **targets)
    assert set(losses) > {"loss"}
    for key, value in losses.items():
        assert key.startswith("loss"), key
        assert value.shape == ()
        assert value.dtype == torch.float32
        assert value.isfinite()
    losses["loss"].backward()
    assert all(weight.grad is not None and weight.grad.isfinite().all() for weight in model.parameters())
    with torch.inference_mode():
        usual, predicted = model.eval()(images), model(images, mode="predict")
        assert all(torch.equal(value, predicted[key]) for key, value in usual.items())
        assert all(len(value) == 2 for value in model(images, mode="tensor").values())
    with pytest.raises(ConfigError, match="no mode 'training'"):
        model(images, mode="training")


@pytest.mark.parametrize("name", ["OneHandDetector", "HandSegDetector"])
def test_detectors_refuse_to_run_without_weights(name: str) -> None:
    arguments = {**WITH_WEIGHTS[name], "checkpoint": None}
    with pytest.raises(ConfigError, match="name a file as checkpoint="):
        build(dict(type=name, **arguments))


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
    assert {*ARGUMENTS, *TRAINED, *WITH_WEIGHTS} <= {name for _, name in COMPONENTS}
