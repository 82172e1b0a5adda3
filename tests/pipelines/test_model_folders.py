"""ModelScope's model folders of EasyCV: read as they stand, in the channel order and with the boxes that are right."""

from __future__ import annotations

import json
import os
import pickle
import runpy
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

import handkit
from handkit.checkpoints import load_weights
from handkit.demo_image import demo_image
from handkit.errors import CheckpointError, ConfigError, UnsafePickleError
from handkit.formats.modelscope import plain_values, translate
from handkit.registry import build
from handkit.registry.bundles import load_bundle
from handkit.registry.config import load_config

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
RULE = SimpleNamespace(**runpy.run_path(str(GOLDEN / "easycv_folder_rule.py")))
OURS = "pipelines/hand_2d_keypoints_hrnetv2_w18_dark"
BOX = np.array([[180.0, 80.0, 460.0, 420.0]])


def photo() -> np.ndarray[Any, Any]:
    """(H, W, 3) uint8 RGB."""
    image = cv2.imread(str(demo_image()))
    assert image is not None
    return np.ascontiguousarray(image[..., ::-1])


def backbone_shapes() -> dict[str, tuple[int, ...]]:
    backbone: Any = build(load_config(OURS)["model"]["backbone"])
    return {key: tuple(value.shape) for key, value in backbone.state_dict().items()}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made: Path = RULE.write(tmp_path_factory.mktemp("hub") / "hand", backbone_shapes())
    return made


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    """A copy to be spoilt; its weights are links within it or the originals' bytes."""
    return Path(shutil.copytree(whole, tmp_path / "hand", copy_function=os.link))


def rewrite(folder: Path, change: Callable[[dict[str, Any]], Any]) -> Path:
    path = folder / "configuration.json"
    content = json.loads(path.read_text("utf-8"))
    change(content)
    path.unlink()  # a link to the file of other tests
    path.write_text(json.dumps(content))
    return folder


def test_it_is_the_pipeline_of_its_parts(whole: Path) -> None:
    """The same joints as handkit's own config with the same weights, whatever the kind of input."""
    read = handkit.pipeline("hand-2d-keypoints", model=whole)
    options = {"detector.checkpoint": str(whole / "detection" / "detection_model.pth")}
    ours = handkit.pipeline(model=OURS, checkpoint=whole / "pytorch_model.pt", cfg_options=options)
    wanted = ours(demo_image(), boxes=BOX)
    hands = read(demo_image(), boxes=BOX)
    np.testing.assert_array_equal(hands.keypoints, wanted.keypoints)
    np.testing.assert_array_equal(hands.scores, wanted.scores)
    assert np.ptp(hands.keypoints[0], axis=0).min() > 20


def test_its_detector_is_the_one_of_its_config(whole: Path) -> None:
    """What the folder says and handkit's own config find the same boxes, at a threshold that lets some pass."""
    detector, ours = load_bundle(whole)["detector"], load_config(OURS)["detector"]
    assert (detector["score_threshold"], detector["checkpoint"]) == (0.5, f"{whole}/detection/detection_model.pth")
    changed = {"score_threshold": 0.02, "checkpoint": detector["checkpoint"]}
    image = photo()
    first, second = (build({**node, **changed}).detect([image])[0] for node in (detector, ours))
    assert len(first) > 0
    np.testing.assert_array_equal(first.boxes, second.boxes)
    np.testing.assert_array_equal(first.scores, second.scores)


SIDE = 64


@pytest.fixture
def small(folder: Path) -> Path:
    """The folder with an input of `SIDE` pixels."""

    def shrink(content: dict[str, Any]) -> None:
        content["data_cfg"] = {"image_size": [SIDE, SIDE], "heatmap_size": [SIDE // 4, SIDE // 4], "num_joints": 21}

    return rewrite(folder, shrink)


def by_hand(
    config: dict[str, Any], model: Any, image: np.ndarray[Any, Any], box: np.ndarray[Any, Any]
) -> np.ndarray[Any, Any]:
    """Joints (21, 2) of one RGB image and xyxy box: the crop, and the network's maps decoded, without a pipeline."""
    left, top, right, bottom = box
    scale = SIDE / (1.25 * max(right - left, bottom - top))
    shift = SIDE / 2 - scale * np.array([left + right, top + bottom]) / 2
    crop = cv2.warpAffine(image, np.array([[scale, 0, shift[0]], [0, scale, shift[1]]]), (SIDE, SIDE))
    pixels = (crop / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    with torch.no_grad():
        maps = model(torch.from_numpy(pixels.transpose(2, 0, 1)[None].astype(np.float32)))
    keypoints, _ = build(config["codec"]).decode(maps)
    joints: np.ndarray[Any, Any] = (keypoints[0].numpy() - shift) / scale
    return joints


def test_rgb_as_trained_and_corners_as_corners(small: Path, tmp_path: Path) -> None:
    """EasyCV's predictor fed BGR, and read corners as corner and size; here neither happens."""
    config = load_bundle(small)
    model: Any = build(config["model"])
    load_weights(model.eval(), small / "pytorch_model.pt")
    rgb = np.random.default_rng(0).integers(0, 256, (20, 24, 3), np.uint8).repeat(20, axis=0).repeat(20, axis=1)
    box = np.array([30.0, 100.0, 230.0, 330.0])
    wanted = by_hand(config, model, rgb, box)
    read = handkit.pipeline(model=small, cfg_options={"flip_test": None, "test_transforms.1.antialias": False})
    Image.fromarray(rgb).save(tmp_path / "hand.png")
    for source in (str(tmp_path / "hand.png"), Image.fromarray(rgb), rgb[..., ::-1]):
        np.testing.assert_allclose(read(source, boxes=box[None]).keypoints[0], wanted, rtol=0, atol=0.05)
    swapped = by_hand(config, model, np.ascontiguousarray(rgb[..., ::-1]), box)
    moved = by_hand(config, model, rgb, np.array([box[0], box[1], box[0] + box[2], box[1] + box[3]]))
    for wrong in (swapped, moved):
        assert np.abs(wrong - wanted).max() > 1


@pytest.mark.parametrize("mode", ["BGR", "RGB"])
def test_the_predictors_mode_changes_nothing(mode: str) -> None:
    content, detection = parsed()
    plain = translate(content, detection)
    content["pipeline"]["predictor_config"]["mode"] = mode
    assert translate(content, detection) == plain


def parsed() -> tuple[dict[str, Any], dict[str, Any]]:
    """The two configs of the folder."""
    from handkit.formats import parse_config

    text = (GOLDEN / "easycv_folder" / "detection" / "config.py").read_text("utf-8")
    content = json.loads((GOLDEN / "easycv_folder" / "configuration.json").read_text("utf-8"))
    return plain_values(content), parse_config(text)


def test_its_reserved_keys_come_first(folder: Path) -> None:
    def reserve(content: dict[str, Any]) -> None:
        value = content["dataset"]["val"]
        content["data_cfg"] = value["data_source"].pop("data_cfg")
        content["test_pipeline"] = value.pop("pipeline")
        content["__easycv_meta__"] = {"reserved_keys": ["data_cfg", "test_pipeline"]}

    assert load_bundle(rewrite(folder, reserve)) == {**load_bundle(folder)}
    rewrite(folder, lambda content: content["data_cfg"].update(image_size=[128, 128]))
    assert load_bundle(folder)["codec"]["input_size"] == [128, 128]


def test_litehrnet_is_read_too() -> None:
    content, detection = parsed()
    content["model"]["backbone"] = {
        "type": "LiteHRNet",
        "in_channels": 3,
        "extra": {
            "stem": {"stem_channels": 32, "out_channels": 32, "expand_ratio": 1},
            "num_stages": 3,
            "stages_spec": {
                "num_modules": [3, 8, 3],
                "num_branches": [2, 3, 4],
                "num_blocks": [2, 2, 2],
                "module_type": ["LITE", "LITE", "LITE"],
                "with_fuse": [True, True, True],
                "reduce_ratios": [8, 8, 8],
                "num_channels": [[40, 80], [40, 80, 160], [40, 80, 160, 320]],
            },
            "with_head": True,
        },
    }
    content["model"]["keypoint_head"] = {
        "type": "TopdownHeatmapSimpleHead",
        "in_channels": 40,
        "out_channels": 21,
        "num_deconv_layers": 0,
        "extra": {"final_conv_kernel": 1},
        "loss_keypoint": {"type": "JointsMSELoss", "use_target_weight": True},
    }
    content["model"]["test_cfg"]["post_process"] = "default"
    made = translate(content, detection)
    assert made["model"]["backbone"]["num_modules"] == [3, 8, 3]
    assert not made["codec"]["dark"]
    model: Any = build(made["model"])
    with torch.no_grad():
        assert model.eval()(torch.zeros(1, 3, 64, 64))["heatmaps"].shape == (1, 21, 16, 16)


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        ("task", "hand-detection", "answers task 'hand-detection'; handkit reads folders for 'hand-2d-keypoints'"),
        ("model", {"type": "bert"}, "neither the key 'handkit' .* nor a 'model' with EasyCV's"),
        ("model.__easycv_arch__", {"type": "YOLOX"}, "type='YOLOX' has no counterpart"),
        ("model.keypoint_head.out_channels", 17, "out_channels is 17; a hand has 21 joints"),
        ("data_cfg", {"image_size": [9, 9], "heatmap_size": [9, 9], "num_joints": 42}, "num_joints is 42; a hand"),
        ("data_cfg", {"image_size": 256, "heatmap_size": [9, 9]}, r"expected \[width, height\], got 256"),
        ("model.backbone.extra.stage2.num_branches", 3, "num_branches=3 has no counterpart"),
        ("model.backbone.with_cp", True, "with_cp=True is not known"),
        ("model.test_cfg.post_process", "megvii", "post_process='megvii' has no counterpart"),
        ("model.keypoint_head.type", "DeepposeRegressionHead", "has no counterpart"),
        ("dataset.val.pipeline.0.type", "TopDownTurn", "type='TopDownTurn' has no counterpart"),
        (
            "test_pipeline",
            [{"type": "MMToTensor"}],
            "expected the steps TopDownAffine, MMToTensor, NormalizeTensor, PoseCollect in",
        ),
        ("DETECTION", None, "names no 'DETECTION'"),
        ("DETECTION.model_path", "../outside.pth", "checkpoint '../outside.pth' lies outside the folder"),
        ("DETECTION.config_file", "/etc/hostname", "config '/etc/hostname' lies outside the folder"),
        ("DETECTION.config_file", "detection/gone.py", "config 'detection/gone.py' is missing"),
        ("DETECTION.type", "TorchYoloXPredictor", "type='TorchYoloXPredictor' has no counterpart"),
        ("DETECTION.pipelines", [], r"pipelines=\[\] is not known"),
        ("train.optimizer", {"__class__": "os.system", "__value__": ["id"]}, "class 'os.system' is not read"),
        ("handkit", "x", "'handkit' must hold the pipeline config"),
    ],
)
def test_a_configuration_that_is_not_read(folder: Path, place: str, value: Any, message: str) -> None:
    def spoil(content: Any) -> None:
        *keys, last = place.split(".")
        for key in keys:
            content = content[int(key) if isinstance(content, list) else key]
        content[last] = value

    with pytest.raises(ConfigError, match=message):
        handkit.pipeline(model=rewrite(folder, spoil))


def test_a_folder_without_a_configuration(folder: Path) -> None:
    (folder / "configuration.json").unlink()
    with pytest.raises(ConfigError, match=r"hand: no folder of a model: it holds no configuration\.json"):
        handkit.pipeline(model=folder)
    for text in ("{", "[1]", "\xff\xfe"):
        (folder / "configuration.json").write_text(text, encoding="latin-1")
        with pytest.raises(ConfigError, match=r"configuration\.json: (cannot be read|expected a JSON object)"):
            handkit.pipeline(model=folder)


def test_one_weight_file_and_no_other(folder: Path) -> None:
    spare = folder / "pytorch_model.bin"
    os.link(folder / "pytorch_model.pt", spare)
    with pytest.raises(ConfigError, match=r"several weight files, pytorch_model\.bin, pytorch_model\.pt; keep one"):
        handkit.pipeline(model=folder)
    assert handkit.pipeline(model=folder, checkpoint=spare).config["checkpoint"] == str(spare)
    spare.unlink()
    (folder / "pytorch_model.pt").unlink()
    with pytest.raises(ConfigError, match=r"holds no weights; expected pytorch_model\.pt"):
        handkit.pipeline(model=folder)


class Evil:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("name", ["pytorch_model.pt", "detection/detection_model.pth"])
def test_a_pickle_that_would_run_code(folder: Path, name: str, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    (folder / name).unlink()
    torch.save({"state_dict": {}, "meta": Evil(ran)}, folder / name)
    with pytest.raises(UnsafePickleError, match="could run code"):
        handkit.pipeline(model=folder)
    assert not ran.exists()
    (folder / name).write_bytes(pickle.dumps(Evil(ran), protocol=2))
    with pytest.raises(CheckpointError):
        handkit.pipeline(model=folder)
    assert not ran.exists()
    pickle.loads((folder / name).read_bytes())
    assert ran.exists(), "the file would have run, had it been unpickled"


@pytest.mark.parametrize(
    "code", ["import os", "model = open({ran!r}, 'w')", "x = __import__('pathlib').Path({ran!r}).touch()"]
)
def test_a_config_with_code_in_it(folder: Path, code: str, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    path = folder / "detection" / "config.py"
    text = path.read_text("utf-8")
    path.unlink()
    path.write_text(f"{text}\n{code.format(ran=str(ran))}\n")
    with pytest.raises(ConfigError, match=rf"config\.py, line {len(text.splitlines()) + 2}: .* is not read"):
        handkit.pipeline(model=folder)
    assert not ran.exists()


def test_weights_of_another_number_of_joints(folder: Path) -> None:
    state = RULE.network_state(backbone_shapes())
    tensors = {key: torch.from_numpy(np.asarray(value)) for key, value in state.items()}
    for name in ("weight", "bias"):
        key = f"keypoint_head.final_layer.3.{name}"
        tensors[key] = tensors[key][:17]
    (folder / "pytorch_model.pt").unlink()
    torch.save(tensors, folder / "pytorch_model.pt")
    with pytest.raises(CheckpointError, match=r"2 misshaped: head\.final_layer\.weight float32 \(17, 270, 1, 1\)"):
        handkit.pipeline(model=folder)
