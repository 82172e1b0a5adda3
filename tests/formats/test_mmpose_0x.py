"""mmpose 0.x's configs for hands.

``golden/mmpose_0x_configs.json`` holds what mmengine reads in three of them (see its maker).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from handkit.errors import ConfigError
from handkit.formats import mmpose_0x, parse_config
from handkit.formats.fields import plain
from handkit.registry import build
from handkit.registry.config import load_config, translated
from handkit.registry.validate import validate

GOLDEN: dict[str, Any] = json.loads(
    (Path(__file__).resolve().parents[1] / "golden" / "mmpose_0x_configs.json").read_text("utf-8")
)
DARK, UDP, REGRESSION = GOLDEN["mmpose_0x_dark"], GOLDEN["mmpose_0x_udp"], GOLDEN["mmpose_0x_regression"]


def changed(config: Any, place: str, value: Any) -> Any:
    """A copy with another value at a dotted place."""
    copy = json.loads(json.dumps(config))
    node, *keys = copy, *place.split(".")
    for key in keys[:-1]:
        node = node[int(key) if isinstance(node, list) else key]
    node[int(keys[-1]) if isinstance(node, list) else keys[-1]] = value
    return copy


def test_what_the_hrnet_becomes() -> None:
    made = mmpose_0x.translate(DARK, gpus=8)
    moves = {step["type"]: step for step in made["train_transforms"]}
    shift = {"shift_factor": 0.16, "shift_prob": 0.3, "distribution": "uniform"}
    assert moves["TopDownRandomShift"] == {"type": "TopDownRandomShift", **shift}
    assert moves["TopDownGetRandomScaleRotation"] == {
        "type": "TopDownGetRandomScaleRotation",
        "scale_factor": (0.7, 1.3),
        "rotate_factor": 180.0,  # two deviations of 90
        "rotate_prob": 0.6,
        "distribution": "clipped_normal",
    }
    assert made["metrics"] == [{"type": "PCK", "threshold": 0.2}, {"type": "AUC", "limit": 30.0}, {"type": "EPE"}]
    assert (made["batch_size"], made["max_epochs"], made["val_interval"]) == (256, 210, 10)
    assert (made["best_metric"], made["best_mode"], made["flip_test"]) == ("AUC", "max", "mmpose")


def test_udp_is_udp_in_crops_maps_and_decoding() -> None:
    made = mmpose_0x.translate(UDP)
    settings = {"sigma": 2.0, "kernel": 11, "max_offset": None}
    sizes = {"input_size": (256, 256), "heatmap_size": (64, 64)}
    assert made["codec"] == {"type": "UDPHeatmap", **sizes, **settings}
    assert made["flip_test"] == "aligned"
    crops = [step for key in ("train", "test") for step in made[f"{key}_transforms"] if step["type"] == "TopDownAffine"]
    assert [(step["use_udp"], step["padding"]) for step in crops] == [(True, 1.25)] * 2


def test_regression_has_coordinates() -> None:
    made = mmpose_0x.translate(REGRESSION)
    assert made["model"]["head"] == {"type": "RegressionHead", "in_channels": 2048, "num_joints": 21}
    assert made["codec"] == {"type": "Regression", "input_size": (256, 256)}
    assert made["train_transforms"][-1]["keys"] == ["img", "coordinates", "target_weight"]


@pytest.mark.parametrize(
    ("kind", "reader"),
    [
        ("Rhd2DDataset", {"type": "RHD", "box": "annotated"}),
        ("FreiHandDataset", {"type": "FreiHAND", "box": "frame"}),
        ("PanopticDataset", {"type": "Panoptic", "box": "annotated"}),
    ],
)
def test_other_data_sets(kind: str, reader: dict[str, str]) -> None:
    made = mmpose_0x.translate(changed(DARK, "data.train.type", kind))["train_dataset"]
    assert {key: made[key] for key in reader} == reader


def test_interhand_is_padded_as_much_less_as_its_boxes_are_larger() -> None:
    config = changed(DARK, "data.train.type", "InterHand2DDataset")
    config["data"]["train"]["ann_file"] = "a/InterHand2.6M_train_data.json"
    config["data"]["train"]["camera_file"] = "a/InterHand2.6M_train_camera.json"
    config["data"]["train"]["joint_file"] = "a/InterHand2.6M_train_joint_3d.json"
    made = mmpose_0x.translate(config)
    (crop,) = [step for step in made["train_transforms"] if step["type"] == "TopDownAffine"]
    assert made["train_dataset"]["type"] == "InterHand26M"
    assert crop["padding"] * 1.15 == pytest.approx(1.25)
    config["data"]["train"]["joint_file"] = "elsewhere.json"
    with pytest.raises(ConfigError, match=r"x\.data\.train: joint_file='elsewhere\.json' has no counterpart"):
        mmpose_0x.translate(config, where="x")


@pytest.mark.parametrize("config", [DARK, UDP, REGRESSION], ids=["dark", "udp", "regression"])
def test_a_translated_config_validates_and_takes_a_step(config: Any) -> None:
    made = mmpose_0x.translate(config)
    validate(made, use="training")
    model, codec = build(made["model"]), build(made["codec"])
    targets = codec.encode(torch.linspace(40, 180, 42).reshape(1, 21, 2), torch.full((1, 21), 2))
    loss = model.eval()(torch.linspace(-2, 2, 3 * 256 * 256).reshape(1, 3, 256, 256), "loss", **targets)["loss"]
    loss.backward()
    gradients = [parameter.grad for parameter in model.parameters() if parameter.grad is not None]
    assert loss > 0
    assert any(gradient.abs().max() > 0 for gradient in gradients)
    assert all(gradient.isfinite().all() for gradient in gradients)


def test_what_is_only_nearly_the_same_is_told() -> None:
    told: list[str] = []
    config = changed(changed(REGRESSION, "evaluation.metric", ["PCKh", "AUC"]), "data.test", {"type": "Own"})
    config = changed(changed(config, "load_from", "a.pth"), "data.val.type", "Rhd2DDataset")
    made = mmpose_0x.translate(config, gpus=8, where="x", decisions=told)
    assert made["metrics"] == [{"type": "AUC", "limit": 30.0}]
    assert [row.partition(": ")[0] for row in told] == [
        *("x.model.pretrained", "x.model.test_cfg.flip_test", "x.data.samples_per_gpu", "x.data.test", "x.data.val"),
        *("x.data", "x.evaluation.metric", "x.load_from"),
    ]
    assert "batch_size=512, for 8 GPUs" in told[2]


@pytest.mark.parametrize(
    ("config", "place", "value", "message"),
    [
        (DARK, "new_key", 1, r"x: new_key=1 is not known"),
        (DARK, "model.new", 1, r"x\.model: new=1 is not known"),
        (DARK, "model.type", "BottomUp", r"x\.model: type='BottomUp' has no counterpart"),
        (DARK, "model.backbone.type", "ViT", r"x\.model\.backbone: type='ViT' has no counterpart"),
        (DARK, "model.keypoint_head.type", "Own", r"x\.model\.keypoint_head: type='Own' has no counterpart"),
        (DARK, "model.keypoint_head.new", 1, r"x\.model\.keypoint_head: new=1 is not known"),
        (DARK, "model.keypoint_head.loss_keypoint.type", "Wing", r"loss_keypoint: type='Wing' has no counterpart"),
        (
            DARK,
            "model.test_cfg.post_process",
            "megvii",
            r"x\.model\.test_cfg: post_process='megvii' has no counterpart",
        ),
        (DARK, "model.test_cfg.shift_heatmap", False, r"test_cfg: shift_heatmap=False has no .*, only True without"),
        (DARK, "model.test_cfg.new", 1, r"x\.model\.test_cfg: new=1 is not known"),
        (DARK, "model.test_cfg.use_udp", True, r"test_cfg: shift_heatmap=True has no .*, only False with use_udp"),
        (UDP, "model.test_cfg.target_type", "CombinedTarget", r"test_cfg: target_type='CombinedTarget' has no"),
        (UDP, "data.train.pipeline.5.use_udp", False, r"pipeline\.5: use_udp=False, and model\.test_cfg has use_udp=T"),
        (UDP, "data.train.pipeline.8.encoding", "MSRA", r"pipeline\.8: encoding='MSRA' has no counterpart"),
        (DARK, "data.new", 1, r"x\.data: new=1 is not known"),
        (DARK, "data.train.new", 1, r"x\.data\.train: new=1 is not known"),
        (DARK, "data.train.type", "Own", r"x\.data\.train: type='Own' has no counterpart"),
        (DARK, "data.train.data_cfg.num_joints", 17, r"x\.data\.train\.data_cfg: num_joints=17 has no counterpart"),
        (DARK, "data.val.data_cfg.image_size", [192, 256], r"x\.data\.val: has other sizes"),
        (DARK, "data.train.pipeline.0.color_type", "grayscale", r"pipeline\.0: color_type='grayscale' has no"),
        (DARK, "data.train.pipeline.1", {"type": "ToTensor"}, r"no TopDownGetBboxCenterScale stands before it"),
        (DARK, "data.train.pipeline.2.new", 1, r"x\.data\.train\.pipeline\.2: new=1 is not known"),
        (
            DARK,
            "data.train.pipeline.3.type",
            "Mosaic",
            r"x\.data\.train\.pipeline\.3: type='Mosaic' has no counterpart",
        ),
        (DARK, "data.train.pipeline.8.type", "Collect", r"x\.data\.train\.pipeline: has no TopDownGenerateTarget"),
        (DARK, "data.train.pipeline.8.type", "TopDownGenerateTargetRegression", r"has no TopDownGenerateTarget"),
        (REGRESSION, "data.train.pipeline.8.type", "TopDownGenerateTarget", r"has no TopDownGenerateTargetRegression"),
        (REGRESSION, "data.train.pipeline.8.new", 1, r"x\.data\.train\.pipeline\.8: new=1 is not known"),
        (REGRESSION, "model.neck.type", "Own", r"x\.model\.neck: type='Own' has no counterpart"),
        (REGRESSION, "model.backbone.num_stages", 3, r"x\.model\.backbone: num_stages=3 has no counterpart"),
        (DARK, "evaluation.metric", ["mAP"], r"x\.evaluation: the metric 'mAP' has no counterpart"),
        (DARK, "evaluation.save_best", "PCKh", r"x\.evaluation: save_best='PCKh' has no counterpart"),
        (DARK, "evaluation.new", 1, r"x\.evaluation: new=1 is not known"),
        (DARK, "lr_config.policy", "poly", r"x\.lr_config: policy='poly' has no counterpart"),
    ],
)
def test_what_is_not_known_is_refused_with_its_place(config: Any, place: str, value: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        mmpose_0x.translate(changed(config, place, value), where="x")


def test_what_is_no_training_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"names no 'data', so it is no training config of mmpose 0\.x"):
        mmpose_0x.translate({"model": {}}, where="x")


def test_a_file_stands_in_the_place_of_handkits_own(tmp_path: Path) -> None:
    """With a variable of a file below in double braces, as mmpose names its data sets' joints."""
    config = json.loads(json.dumps(DARK))
    (tmp_path / "joints.py").write_text("dataset_info = dict(joint_weights=[1.] * 21, sizes={0: [256, 256]})\n")
    lines = [f"{key} = {value!r}\n" for key, value in config.items() if key != "data"]
    data = repr(config["data"]).replace("'type': 'Hand", "'dataset_info': {{_base_.dataset_info}}, 'type': 'Hand")
    path = tmp_path / "theirs.py"
    path.write_text(f"_base_ = ['./joints.py']\n{''.join(lines)}data = {data}\n")
    made = translated(path)
    assert made is not None
    assert made.toolkit == "mmpose 0.x"
    stated = mmpose_0x.translate(DARK)
    assert plain({key: made.config[key] for key in stated}) == plain(stated)
    assert load_config(path, {"max_epochs": 2})["max_epochs"] == 2
    validate(load_config(path), use="pipeline")


def test_variables_of_files_below() -> None:
    below = {"a": {"b": [1, 2]}, "c": 3}
    assert parse_config("x = {{_base_.a.b}}\ny = {{ _base_.c }}", bases=[below]) == {**below, "x": [1, 2], "y": 3}
    assert parse_config("x = [1.0] * 3") == {"x": [1.0] * 3}
    for text in (
        "x = {{_base_.d}}",
        "x = {{a.b}}",
        "x = {{_base_}}",
        "x = {1}",
        "x = {{_base_.a, 1}}",
        "x = [1] * 10**9",
    ):
        with pytest.raises(ConfigError, match=r"line 1: .* is not read"):
            parse_config(text, bases=[below])
    with pytest.raises(ConfigError, match="is not read"):
        parse_config("x = [1] * 100000")
