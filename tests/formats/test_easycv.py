"""EasyCV's configs for hands, and files of other toolkits in the place of handkit's.

``golden/easycv_configs.json`` holds what mmengine reads in EasyCV's two files (see its maker).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from handkit.errors import ConfigError
from handkit.formats import easycv
from handkit.formats.fields import plain
from handkit.hub import bundle_path, resolve
from handkit.registry import build
from handkit.registry.bundles import load_bundle
from handkit.registry.config import load_config, translated
from handkit.registry.copying import copy_config
from handkit.registry.validate import validate

FOLDER = Path(__file__).resolve().parents[1] / "golden"
GOLDEN: dict[str, Any] = json.loads((FOLDER / "easycv_configs.json").read_text("utf-8"))
MMPOSE: dict[str, Any] = json.loads((FOLDER / "published_configs.json").read_text("utf-8"))


def written(path: Path, config: dict[str, Any]) -> Path:
    """A config file that assigns these variables."""
    path.write_text("".join(f"{key} = {value!r}\n" for key, value in config.items()), encoding="utf-8")
    return path


def changed(place: str, value: Any, name: str = "easycv_hrnet") -> Any:
    """A copy of a golden config with another value at a dotted place."""
    copy = json.loads(json.dumps(GOLDEN[name]))
    node, *keys = copy, *place.split(".")
    for key in keys[:-1]:
        node = node[int(key) if isinstance(node, list) else key]
    node[keys[-1]] = value
    return copy


def test_what_the_hrnet_becomes() -> None:
    made = easycv.translate(GOLDEN["easycv_hrnet"])
    moves = {step["type"]: step for step in made["train_transforms"]}
    assert moves["TopDownRandomShift"]["shift_factor"] == pytest.approx(0.16)  # a fifth of the box, 1.25 x as large
    assert moves["TopDownGetRandomScaleRotation"] == {
        "type": "TopDownGetRandomScaleRotation",
        "scale_factor": (0.75, 1.25),
        "rotate_factor": 60.0,  # two deviations of 30
        "rotate_prob": 0.6,
        "distribution": "clipped_normal",
    }
    codec = {"sigma": 3.0, "unbiased": False, "dark": True, "kernel": 11, "max_offset": None}
    assert made["codec"] == {
        "type": "GaussianHeatmap",
        "input_size": (256, 256),
        "heatmap_size": (64, 64),
        **codec,
    }
    assert (made["batch_size"], made["schedule"]["warmup_iters"], made["best_metric"]) == (32, 501, "PCK@0.2")


def test_what_the_litehrnet_becomes() -> None:
    made = easycv.translate(GOLDEN["easycv_litehrnet"])
    assert made["model"]["backbone"]["num_modules"] == [3, 8, 3]
    assert made["model"]["head"]["deconv_out_channels"] == ()
    assert made["codec"]["dark"] is False


@pytest.mark.parametrize("name", GOLDEN)
def test_a_translated_config_validates_and_takes_a_step(name: str) -> None:
    made = easycv.translate(GOLDEN[name])
    validate(made, use="training")
    model, codec = build(made["model"]), build(made["codec"])
    keypoints = torch.linspace(40, 180, 21 * 2).reshape(1, 21, 2).repeat(2, 1, 1)
    targets = codec.encode(keypoints, torch.full((2, 21), 2))
    loss = model(torch.linspace(-2, 2, 2 * 3 * 256 * 256).reshape(2, 3, 256, 256), "loss", **targets)["loss"]
    loss.backward()
    gradients = [parameter.grad for parameter in model.parameters() if parameter.grad is not None]
    assert loss > 0
    assert any(gradient.abs().max() > 0 for gradient in gradients)


def test_every_decision_is_told() -> None:
    told: list[str] = []
    easycv.translate(changed("load_from", "weights.pth"), gpus=8, where="x", decisions=told)
    assert [row.partition(": ")[0] for row in told] == [
        "x.model.test_cfg.shift_heatmap",
        "x.data.imgs_per_gpu",
        "x.data.train.pipeline",
        "x.data",
        "x.eval_pipelines.0.evaluators.0",
        "x.load_from",
    ]
    assert "batch_size=256, for 8 GPUs" in told[1]
    assert "EasyCV's NME divides by 1" in told[4]


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        ("new_key", 1, r"x: new_key=1 is not known"),
        ("model.new", 1, r"x\.model: new=1 is not known"),
        ("model.type", "BottomUp", r"x\.model: type='BottomUp' has no counterpart"),
        ("model.backbone.type", "ViT", r"x\.model\.backbone: type='ViT' has no counterpart"),
        ("model.keypoint_head.type", "Own", r"x\.model\.keypoint_head: type='Own' has no counterpart"),
        ("model.keypoint_head.in_channels", [1, 2, 3, 4], r"keypoint_head: in_channels=\[1, 2, 3, 4\] has no"),
        ("model.keypoint_head.new", 1, r"x\.model\.keypoint_head: new=1 is not known"),
        ("model.test_cfg.post_process", "megvii", r"x\.model\.test_cfg: post_process='megvii' has no counterpart"),
        ("model.test_cfg.shift_heatmap", False, r"x\.model\.test_cfg: shift_heatmap=False has no counterpart"),
        ("data.new", 1, r"x\.data: new=1 is not known"),
        ("data.train.type", "Own", r"x\.data\.train: type='Own' has no counterpart"),
        ("data.train.data_source.type", "Own", r"x\.data\.train\.data_source: type='Own' has no counterpart"),
        ("data.train.data_source.data_cfg.num_joints", 17, r"data_cfg: num_joints=17 has no counterpart"),
        ("data.train.pipeline.0.type", "Mosaic", r"x\.data\.train\.pipeline\.0: type='Mosaic' has no counterpart"),
        ("data.train.pipeline.1.new", 1, r"x\.data\.train\.pipeline\.1: new=1 is not known"),
        ("data.train.pipeline.5.encoding", "UDP", r"pipeline\.5: encoding='UDP' has no counterpart"),
        ("data.train.pipeline.5.type", "PoseCollect", r"x\.data\.train\.pipeline: has no TopDownGenerateTarget"),
        ("data.val.data_source.data_cfg.image_size", [192, 256], r"x\.data\.val: has other sizes"),
        ("eval_pipelines.0.evaluators.0.metric_names", ["PCKh"], r"the metric 'PCKh' has no counterpart"),
        ("eval_config.save_best", "mAP", r"x\.eval_config: save_best='mAP' has no counterpart"),
        ("eval_config.new", 1, r"x\.eval_config: new=1 is not known"),
        ("lr_config.policy", "poly", r"x\.lr_config: policy='poly' has no counterpart"),
        ("optimizer.type", "Lion", r"x\.optimizer: type='Lion' has no counterpart"),
        ("predict.model", "m", r"x\.predict: model='m' is not known"),
    ],
)
def test_what_is_not_known_is_refused_with_its_place(place: str, value: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        easycv.translate(changed(place, value), where="x")


def test_a_file_stands_in_the_place_of_handkits_own(tmp_path: Path) -> None:
    path = written(tmp_path / "theirs.py", GOLDEN["easycv_hrnet"])
    made = load_config(path, {"max_epochs": 2})
    assert plain({key: made[key] for key in easycv.translate(GOLDEN["easycv_hrnet"])}) == plain(
        {**easycv.translate(GOLDEN["easycv_hrnet"]), "max_epochs": 2}
    )
    shipped = load_bundle(bundle_path("hand_detection"))
    assert made["box_threshold"] == shipped["box_threshold"]
    assert resolve(made["detector"]["checkpoint"]) == Path(shipped["detector"]["checkpoint"])
    validate(made, use="pipeline")
    (copy,) = copy_config(path, tmp_path / "copy", flat=True)
    assert translated(copy) is None  # handkit's own now
    assert plain(load_config(copy)) == plain(load_config(path))


def test_a_file_is_read_above_its_bases(tmp_path: Path) -> None:
    written(tmp_path / "base.py", GOLDEN["easycv_hrnet"])
    (tmp_path / "mine.py").write_text("_base_ = './base.py'\ntotal_epochs = 3\noptimizer = dict(lr=1e-3)\n")
    made = translated(tmp_path / "mine.py")
    assert made is not None
    assert (made.toolkit, made.config["max_epochs"], made.config["optimizer"]["lr"]) == ("EasyCV", 3, 1e-3)


def test_a_file_of_mmpose_stands_there_too(tmp_path: Path) -> None:
    made = translated(written(tmp_path / "theirs.py", MMPOSE["hrnet"]))
    assert made is not None
    assert (made.toolkit, made.config["max_epochs"]) == ("mmpose 1.x", 210)


def test_handkits_own_is_no_foreign_file() -> None:
    assert translated("hand_2d_keypoints/hrnetv2_w18_easycv_coco-wholebody-hand_256x256") is None


def test_nothing_is_executed(tmp_path: Path) -> None:
    target = tmp_path / "made"
    path = written(tmp_path / "theirs.py", GOLDEN["easycv_hrnet"])
    path.write_text(path.read_text() + f"data_root = open({str(target)!r}, 'w')\n")
    with pytest.raises(ConfigError, match=r"theirs\.py, line \d+: .*open.* is not read"):
        load_config(path)
    assert not target.exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("model = dict(type='FasterRCNN')\ndata = dict()\n", "another toolkit whose model, 'FasterRCNN', handkit does"),
        ("data = dict()\n", "another toolkit whose model, None, handkit does not translate"),
        ("_base_ = './gone.py'\nmodel = dict()\ndata = dict()\n", r"gone\.py: cannot be read as a config"),
        ("_base_ = './theirs.py'\nmodel = dict()\ndata = dict()\n", r"theirs\.py: is based on itself"),
    ],
)
def test_other_files_are_one_error(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "theirs.py").write_text(text)
    with pytest.raises(ConfigError, match=message):
        load_config(tmp_path / "theirs.py")
