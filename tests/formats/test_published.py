"""handkit's recipes against the configs that mmpose published: no difference but those named in `EXPLAINED`.

``golden/published_configs.json`` holds what mmengine reads in them (see its maker). HANDKIT_MMPOSE_CONFIGS may name the
folders ``mmpose/.mim`` of the wheels 1.3.2 and 0.29.0, joined by the path separator; then their text is parsed too.
"""

from __future__ import annotations

import importlib.util
import inspect
import json
import os
import runpy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch

from handkit.errors import ConfigError
from handkit.formats import easycv, mmdet, mmpose, mmpose_0x, parse_config
from handkit.formats.fields import plain
from handkit.registry import build, resolve
from handkit.registry.config import load_config
from handkit.registry.keys import TrainingSettings
from handkit.registry.validate import validate

FOLDER = Path(__file__).resolve().parents[1] / "golden"
GOLDEN: dict[str, Any] = json.loads((FOLDER / "published_configs.json").read_text("utf-8"))
EASYCV: dict[str, Any] = json.loads((FOLDER / "easycv_configs.json").read_text("utf-8"))
MMPOSE_0X: dict[str, Any] = json.loads((FOLDER / "mmpose_0x_configs.json").read_text("utf-8"))
HRNET = "hand_2d_keypoints/hrnetv2_w18_dark_coco-wholebody-hand_256x256"
SSDLITE = "hand_detection/ssdlite_mobilenetv2_onehand10k_320x320"
#: Published file, its translator, handkit's recipe. All were made for 8 GPUs.
PAIRS = {
    "hrnet": (mmpose.translate, HRNET),
    "detector": (mmdet.translate, SSDLITE),
    "detector_training": (mmdet.translate, SSDLITE),
    "easycv_hrnet": (easycv.translate, "hand_2d_keypoints/hrnetv2_w18_easycv_coco-wholebody-hand_256x256"),
    "mmpose_0x_dark": (mmpose_0x.translate, HRNET),
    "mmpose_0x_udp": (mmpose_0x.translate, "hand_2d_keypoints/hrnetv2_w18_udp_onehand10k_256x256"),
    **{
        name: (mmpose.translate, f"hand_2d_keypoints/{recipe}_256x256")
        for name, recipe in {
            "coco_hrnet": "hrnetv2_w18_coco-wholebody-hand",
            "coco_litehrnet": "litehrnet18_coco-wholebody-hand",
            "coco_mobilenet": "mobilenetv2_coco-wholebody-hand",
            "coco_resnet": "resnet50_coco-wholebody-hand",
            "coco_rtmpose": "rtmpose-m_coco-wholebody-hand",
            "onehand_hrnet": "hrnetv2_w18_onehand10k",
            "onehand_dark": "hrnetv2_w18_dark_onehand10k",
            "onehand_udp": "hrnetv2_w18_udp_onehand10k",
            "rhd_hrnet": "hrnetv2_w18_rhd",
            "rhd_dark": "hrnetv2_w18_dark_rhd",
            "rhd_udp": "hrnetv2_w18_udp_rhd",
        }.items()
    },
}
#: One of each network besides HRNet's.
STEPPED = (
    *("coco_rtmpose", "coco_litehrnet", "coco_mobilenet", "coco_scnet", "coco_hourglass"),
    *("hand5", "freihand_resnet", "onehand_regression"),
)
MOVES = ("TopDownRandom", "TopDownGetRandom")
#: What mmpose 1.x changed in its recipes, and mmcv's warm-up.
_OF_0X = [
    ".schedule.warmup_iters: 500.0 here, 501.0 published",
    ".train_transforms.1.distribution: 'truncnorm' here, 'clipped_normal' published",
    ".train_transforms.3.distribution: 'truncnorm' here, 'uniform' published",
]
#: Differences that the recipe states and gives reasons for.
EXPLAINED = {
    "coco_rtmpose": [".flip_test: 'aligned' here, 'mmpose' published"],
    "mmpose_0x_dark": _OF_0X,
    "mmpose_0x_udp": [*_OF_0X, ".val_batch_size: None here, 32.0 published"],
}
#: What a recipe must share with the published one, where that states it.
TRAINED = {"model", "train_dataset", "train_transforms", "batch_size", "lr_base_batch", "max_epochs"} | {
    *("optimizer", "schedule", "clip_grad_norm", "val_interval", "val_dataset", "test_transforms", "task")
}


def completed(value: Any) -> Any:
    """A node with its constructor's defaults; tuples as lists, numbers as floats."""
    if isinstance(value, Mapping):
        node = dict(value)
        if "type" in node:
            parameters = inspect.signature(resolve(node["type"])).parameters
            defaults = {name: p.default for name, p in parameters.items() if p.default is not p.empty}
            node = {**defaults, **node}
        return {key: completed(item) for key, item in node.items()}
    if isinstance(value, (list, tuple)):
        return [completed(item) for item in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def differences(ours: Any, theirs: Any, where: str = "") -> list[str]:
    """Places where two completed values differ."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        keys = sorted({*ours, *theirs})
        return [row for key in keys for row in differences(ours.get(key), theirs.get(key), f"{where}.{key}")]
    if isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        pairs = enumerate(zip(ours, theirs, strict=True))
        return [row for index, (a, b) in pairs for row in differences(a, b, f"{where}.{index}")]
    return [] if ours == theirs else [f"{where}: {ours!r} here, {theirs!r} published"]


def translated(name: str, config: Mapping[str, Any]) -> dict[str, Any]:
    """By the translator of that golden config."""
    return (mmdet.translate if name.startswith("detector") else mmpose.translate)(config, gpus=8)


def compared(name: str, config: Mapping[str, Any]) -> list[str]:
    """All differences in the keys that the published config states."""
    translate, recipe = PAIRS[name]
    published, ours = translate(config, gpus=8, where=name), load_config(recipe)
    settings = TrainingSettings.of(ours)
    stated = {key: ours.get(key, getattr(settings, key, None)) for key in published}
    both = (completed({**values, "model": without_defaults(values["model"])}) for values in (stated, published))
    rows = differences(*(moves_in_order({k: v for k, v in values.items() if k != "metrics"}) for values in both))
    return [row for row in rows if not (name.startswith("detector") and row.startswith(".best"))]


def moves_in_order(config: dict[str, Any]) -> dict[str, Any]:
    """Random moves sorted by name: they only note what TopDownAffine does later, so their order means nothing."""
    steps = config.get("train_transforms", [])
    moves = [step for step in steps if step["type"].startswith(MOVES)]
    rest = [step for step in steps if step not in moves]
    return {**config, "train_transforms": [*rest[:1], *sorted(moves, key=lambda step: str(step["type"])), *rest[1:]]}


def without_defaults(node: Mapping[str, Any]) -> dict[str, Any]:
    """The model's node without parts that are None."""
    return {key: value for key, value in node.items() if value is not None}


@pytest.mark.parametrize("name", PAIRS)
def test_our_recipe_is_the_published_one(name: str) -> None:
    assert compared(name, {**GOLDEN, **EASYCV, **MMPOSE_0X}[name]) == EXPLAINED.get(name, [])


def test_the_comparison_covers_a_whole_training() -> None:
    assert set(mmpose.translate(GOLDEN["hrnet"])) >= TRAINED | {"codec", "flip_test", "metrics", "best_metric"}
    assert set(easycv.translate(EASYCV["easycv_hrnet"])) >= TRAINED - {"lr_base_batch"} | {"codec", "metrics"}
    assert set(mmdet.translate(GOLDEN["detector_training"])) >= TRAINED
    assert set(mmdet.translate(GOLDEN["detector"])) >= TRAINED - {"train_dataset", "train_transforms", "batch_size"}


@pytest.mark.parametrize(
    ("name", "place", "value", "found"),
    [
        ("hrnet", "optim_wrapper.optimizer.lr", 1e-3, ".optimizer.lr: 0.0005 here, 0.001 published"),
        ("hrnet", "param_scheduler.1.milestones", [90, 200], ".schedule.milestones.0: 170.0 here, 90.0 published"),
        ("hrnet", "train_dataloader.batch_size", 64, ".batch_size: 256.0 here, 512.0 published"),
        ("hrnet", "train_dataloader.dataset.pipeline.2.rotate_factor", 90, ".train_transforms.1.rotate_factor: 180.0"),
        ("hrnet", "model.backbone.extra.upsample.mode", "nearest", ".model.backbone.upsample: 'bilinear' here"),
        ("detector_training", "lr_config.warmup_iters", 499, ".schedule.warmup_iters: 501.0 here, 500.0 published"),
        ("detector_training", "data.train.times", 1, ".train_dataset"),
        ("detector_training", "model.test_cfg.nms.iou_threshold", 0.5, ".model.selection.nms_iou: 0.45 here"),
    ],
)
def test_a_difference_would_be_seen(name: str, place: str, value: Any, found: str) -> None:
    assert any(row.startswith(found) for row in compared(name, changed(GOLDEN[name], place, value)))


def changed(config: Any, place: str, value: Any) -> Any:
    """A copy with another value at a dotted place."""
    copy = json.loads(json.dumps(config))
    node, *keys = copy, *place.split(".")
    for key in keys[:-1]:
        node = node[int(key) if isinstance(node, list) else key]
    node[keys[-1]] = value
    return copy


def test_metrics_are_ours_too() -> None:
    ours = completed(load_config(HRNET)["metrics"])
    assert all(node in ours for node in completed(mmpose.translate(GOLDEN["hrnet"])["metrics"]))
    theirs = easycv.translate(EASYCV["easycv_hrnet"])["metrics"]
    assert completed(load_config(PAIRS["easycv_hrnet"][1])["metrics"]) == completed(theirs)


def test_a_translated_config_is_a_config() -> None:
    seen: list[Any] = []
    for name, published in GOLDEN.items():
        made = translated(name, published)
        if "train_dataset" in made:
            metrics = [dict(type="DetectionRecall" if name.startswith("detector") else "PCK")]
            validate({**made, "metrics": metrics}, use="training")
        if made["model"] not in seen:
            build(made["model"])
            seen.append(made["model"])


@pytest.mark.slow
@pytest.mark.parametrize("name", STEPPED)
def test_a_translated_config_takes_a_step(name: str) -> None:
    """On the targets that its own codec makes of joints amid the picture."""
    made = mmpose.translate(GOLDEN[name])
    model, codec = build(made["model"]), build(made["codec"])
    keypoints = torch.linspace(40, 180, 2 * 21 * 2).reshape(2, 21, 2)
    targets = codec.encode(keypoints, torch.full((2, 21), 2))
    width, height = made["codec"]["input_size"]
    loss = model(torch.linspace(-2, 2, 2 * 3 * height * width).reshape(2, 3, height, width), "loss", **targets)["loss"]
    loss.backward()
    assert loss > 0
    gradients = [parameter.grad for parameter in model.parameters() if parameter.grad is not None]
    assert any(gradient.abs().max() > 0 for gradient in gradients)
    assert all(gradient.isfinite().all() for gradient in gradients)
    model.eval()
    with torch.no_grad():
        decoded, _ = codec.decode(model(torch.zeros(1, 3, height, width)))
    assert decoded.shape == (1, 21, 2)


def test_data_sets_are_put_together() -> None:
    told: list[str] = []
    made = mmpose.translate(GOLDEN["hand5"], where="x", decisions=told)
    kinds = ["CocoWholeBodyHand", "OneHand10K", "FreiHAND", "RHD"]
    for split in ("train", "val"):
        assert made[f"{split}_dataset"]["type"] == "WeightedConcat"
        assert [node["type"] for node in made[f"{split}_dataset"]["datasets"]] == kinds
    assert [row for row in told if "Halpe" in row] == [
        f"x.{split}_dataloader.dataset.datasets.4: left out, since mmpose names HalpeHandDataset but has none"
        for split in ("train", "val")
    ]
    place = "train_dataloader.dataset.datasets.3.pipeline.0.num_keypoints"
    with pytest.raises(ConfigError, match=r"datasets\.3\.pipeline: has no counterpart"):
        mmpose.translate(changed(GOLDEN["hand5"], place, 20))


def test_what_is_only_nearly_the_same_is_told() -> None:
    told: list[str] = []
    made = mmpose.translate(GOLDEN["coco_rtmpose"], where="x", decisions=told)
    assert made["ema_decay"] == pytest.approx(0.9998)
    assert [row.partition(": ")[0] for row in told] == [
        *("x.custom_hooks.0", "x.custom_hooks.1", "x.train_dataloader.dataset.pipeline.5"),
        *(f"x.train_dataloader.dataset.pipeline.6.transforms.{index}" for index in range(3)),
    ]
    told = []
    made = mmpose.translate(GOLDEN["rhd_udp"], where="x", decisions=told)
    assert ["use_udp=True" in row for row in told] == [False, True, False, True]
    assert made["train_transforms"][4]["use_udp"] is True
    told = []
    mmpose.translate(GOLDEN["rhd_dark"], where="x", decisions=told)
    order = "joints run from the wrist to the tips; in mmpose's weights fingers run from tip to base"
    assert told == [f"x.{split}_dataloader.dataset: {order}" for split in ("train", "val")]


def test_freihand_is_cropped_out_of_the_whole_picture() -> None:
    made = mmpose.translate(GOLDEN["freihand_resnet"], gpus=8)
    assert made["val_dataset"] == {
        "type": "FreiHAND",
        "box": "frame",
        "ann_file": "data/freihand/annotations/freihand_val.json",
        "image_root": "data/freihand",
    }
    crops = [step for key in ("train", "test") for step in made[f"{key}_transforms"] if step["type"] == "TopDownAffine"]
    assert [(step["padding"], tuple(step["input_size"])) for step in crops] == [(0.8, (224, 224))] * 2
    assert (made["batch_size"], made["max_epochs"], made["schedule"]["milestones"]) == (512, 100, [50, 70])


def test_regression_has_coordinates() -> None:
    made = mmpose.translate(GOLDEN["rhd_regression"])
    assert made["model"]["head"] == {"type": "RegressionHead", "in_channels": 2048, "num_joints": 21}
    assert made["codec"] == {"type": "Regression", "input_size": [256, 256]}
    assert made["train_transforms"][-1]["keys"] == ["img", "coordinates", "target_weight"]
    assert made["flip_test"] == "aligned"


@pytest.mark.parametrize("name", GOLDEN)
def test_the_text_of_the_wheel_says_the_same(name: str) -> None:
    maker = runpy.run_path(str(FOLDER / "make_config_golden.py"))
    folders = [Path(folder) for folder in os.environ.get("HANDKIT_MMPOSE_CONFIGS", "").split(os.pathsep) if folder]
    if not folders and (spec := importlib.util.find_spec("mmpose")) is not None and spec.origin is not None:
        folders = [Path(spec.origin).parent / ".mim"]
    texts = [path.read_text("utf-8") for folder in folders if (path := folder / maker["FILES"][name]).is_file()]
    texts = [text for text in texts if ("train_pipeline" in text) == (name != "detector")]
    if not texts:
        pytest.skip("HANDKIT_MMPOSE_CONFIGS names no folder mmpose/.mim that holds this config")
    base = {} if name.startswith("detector") else {"train_cfg": {"by_epoch": True}}
    config = parse_config(texts[0], name, [base])
    assert plain(translated(name, config)) == plain(translated(name, GOLDEN[name]))


@pytest.mark.parametrize(
    ("name", "place", "value", "message"),
    [
        ("hrnet", "model.backbone.type", "ViT", r"x\.model\.backbone: type='ViT' has no counterpart"),
        ("hrnet", "model.head.decoder.type", "SimCCLabel", r"x\.model\.head\.decoder: type='SimCCLabel' has no"),
        ("hrnet", "model.head.deconv_out_channels", [256], r"x\.model\.head: deconv_out_channels=\[256\] has no"),
        ("hrnet", "model.test_cfg.shift_heatmap", False, r"x\.model\.test_cfg: shift_heatmap=False has no"),
        ("hrnet", "model.new_part", {}, r"x\.model: new_part=\{\} is not known"),
        ("hrnet", "train_dataloader.dataset.pipeline.3.type", "Mosaic", r"pipeline\.3: type='Mosaic' has no"),
        ("hrnet", "train_dataloader.dataset.pipeline.5.encoder.sigma", 3, "makes other targets than the head's"),
        ("hrnet", "train_dataloader.dataset.type", "Own", r"dataset: type='Own' has no counterpart"),
        ("hrnet", "param_scheduler.1.type", "PolyLR", r"x\.param_scheduler\.1: type='PolyLR' has no counterpart"),
        ("hrnet", "optim_wrapper.optimizer.type", "Lion", r"optim_wrapper\.optimizer: type='Lion' has no"),
        ("hrnet", "model", None, r"x\.model: expected a dict, got None"),
        ("rhd_udp", "model.head.decoder.heatmap_type", "combined", r"decoder: heatmap_type='combined' has no"),
        ("rhd_udp", "model.test_cfg.shift_heatmap", True, r"test_cfg: shift_heatmap=True has no"),
        ("rhd_resnet", "model.backbone.type", "ResNeXt", r"x\.model\.backbone: type='ResNeXt' has no counterpart"),
        ("rhd_resnet", "model.backbone.frozen_stages", 1, r"x\.model\.backbone: frozen_stages=1 has no"),
        ("rhd_resnet", "model.head.new", 1, r"x\.model\.head: new=1 is not known"),
        ("rhd_mobilenet", "model.backbone.act_cfg", {"type": "SiLU"}, r"backbone: act_cfg=\{'type': 'SiLU'\} has no"),
        ("coco_litehrnet", "model.backbone.extra.with_head", False, r"backbone\.extra: with_head=False has no"),
        ("coco_litehrnet", "model.backbone.extra.stages_spec.num_blocks", [2, 2, 3], r"num_blocks=\[2, 2, 3\] has no"),
        ("coco_litehrnet", "model.backbone.extra.stages_spec.module_type", ["NAIVE"] * 3, "module_type=.* has no"),
        ("coco_rtmpose", "model.head.gau_cfg.pos_enc", True, r"x\.model\.head\.gau_cfg: pos_enc=True has no"),
        ("coco_rtmpose", "model.head.input_size", [256, 192], r"x\.model\.head: input_size=\[256, 192\] has no"),
        ("coco_rtmpose", "custom_hooks.0.type", "Own", r"x\.custom_hooks\.0: type='Own' has no counterpart"),
        ("coco_rtmpose", "optim_wrapper.paramwise_cfg.bias_decay_mult", 2, r"paramwise_cfg: bias_decay_mult=2 has no"),
        ("coco_rtmpose", "optim_wrapper.optimizer.type", "Adam", r"paramwise_cfg: Adam decays all parameters alike"),
        ("coco_rtmpose", "param_scheduler.1.T_max", 9, r"x\.param_scheduler\.1: T_max=9 has no"),
        (
            "coco_rtmpose",
            "train_dataloader.dataset.pipeline.6.transforms.2.max_width",
            9,
            r"transforms\.2: sides of hol",
        ),
        ("coco_rtmpose", "train_dataloader.dataset.pipeline.6.transforms.0.type", "Fog", r"transforms\.0: type='Fog'"),
        ("rhd_regression", "model.neck.type", "Own", r"x\.model\.neck: type='Own' has no counterpart"),
        ("rhd_regression", "model.head.loss.type", "RLELoss", r"x\.model\.head\.loss: type='RLELoss' has no"),
        ("detector_training", "model.bbox_head.num_classes", 80, r"bbox_head: num_classes=80 has no counterpart"),
        ("detector_training", "model.type", "FasterRCNN", r"x\.model: type='FasterRCNN' has no counterpart"),
        ("detector_training", "lr_config.policy", "poly", r"x\.lr_config: policy='poly' has no counterpart"),
        ("detector_training", "data.train.dataset.pipeline.4.keep_ratio", True, "keep_ratio=True has no counterpart"),
        ("detector_training", "data.train.dataset.pipeline.8.size_divisor", 333, "padding to a multiple of 333"),
    ],
)
def test_what_is_not_known_is_refused_with_its_place(name: str, place: str, value: Any, message: str) -> None:
    translate = mmdet.translate if name.startswith("detector") else mmpose.translate
    with pytest.raises(ConfigError, match=message):
        translate(changed(GOLDEN[name], place, value), where="x")


def test_what_is_no_training_is_refused() -> None:
    with pytest.raises(ConfigError, match="names no 'train_dataloader', so it is no training config of mmpose"):
        mmpose.translate({"model": {}}, where="x")
    with pytest.raises(ConfigError, match="names no 'model', so it is no config of mmdet"):
        mmdet.translate({})
