"""Bundles: written whole, read by the pipeline, with the weights that went in."""

from __future__ import annotations

import json
import runpy
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
import torch

import handkit
from handkit.apps.cli.main import main
from handkit.checkpoints import load_weights, read_state_dict, save_tensors, save_weights
from handkit.demo_image import demo_image
from handkit.engine.bundling import write_bundle
from handkit.errors import CheckpointError, ConfigError
from handkit.files import sha256_of
from handkit.formats.fields import plain
from handkit.formats.modelscope import plain_values
from handkit.hub import bundle_path
from handkit.hub.bundle_card import BundleCard
from handkit.hub.schema import Score
from handkit.registry import build
from handkit.registry.bundles import load_bundle, shipped_detector
from handkit.registry.config import load_config

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "easycv_folder"
RULE = SimpleNamespace(**runpy.run_path(str(GOLDEN.parent / "easycv_folder_rule.py")))
CONFIG = "pipelines/hand_2d_keypoints_hrnetv2_w18_dark"
CARD = BundleCard(
    title="Random weights",
    licence="Apache-2.0",
    training_data="None.",
    command="none",
    scores=(Score("PCK@0.2", 0.1, "nothing", "none"),),
    limits=("They find nothing.",),
)
TRAINED = "hand_2d_keypoints/hrnetv2_w18_dark_handphotos_hard_192x192"
BOX = [[180.0, 80.0, 460.0, 420.0]]


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("weights")
    config = load_config(CONFIG)
    torch.manual_seed(0)
    paths = {"checkpoint": folder / "hrnet.safetensors", "detector_checkpoint": folder / "ssd.safetensors"}
    save_weights(build(config["model"]), paths["checkpoint"])
    save_weights(build(config["detector"]["net"]), paths["detector_checkpoint"])
    return paths


@pytest.fixture(scope="module")
def bundle(weights: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("bundles") / "random"
    return write_bundle(out, CONFIG, card=CARD, cfg_options={"presence_threshold": 0.25}, **weights)


def test_what_it_holds(bundle: Path, weights: dict[str, Path]) -> None:
    names = {path.relative_to(bundle).as_posix() for path in bundle.rglob("*") if path.is_file()}
    weight_files = {"model.safetensors", "detection/model.safetensors"}
    assert names == {"configuration.json", "card.json", "README.md", *weight_files}
    assert sum(path.stat().st_size for path in bundle.rglob("*")) < 0.55 * sum(
        path.stat().st_size for path in weights.values()
    )
    configuration = json.loads((bundle / "configuration.json").read_text("utf-8"))
    assert configuration["framework"] == "pytorch"
    assert configuration["task"] == "hand-2d-keypoints"
    card = json.loads((bundle / "card.json").read_text("utf-8"))
    assert {file["name"]: file["sha256"] for file in card["files"]} == {
        name: sha256_of(bundle / name) for name in weight_files
    }
    assert card["thresholds"] == {"presence_threshold": 0.25, "box_threshold": 0.5, "nms_iou": 0.45}
    assert BundleCard.read(bundle / "card.json") == CARD
    text = (bundle / "README.md").read_text("utf-8")
    assert "They find nothing." in text
    assert sha256_of(bundle / "model.safetensors") in text


def test_norms_stay_precise(bundle: Path, weights: dict[str, Path]) -> None:
    stored, whole = read_state_dict(bundle / "model.safetensors"), read_state_dict(weights["checkpoint"])
    assert stored.keys() == whole.keys()
    for key, value in whole.items():
        if value.ndim < 2:
            assert torch.equal(stored[key], value)
        else:
            assert stored[key].dtype == torch.float16
            assert torch.equal(stored[key], value.half())


def test_a_pipeline_reads_it(bundle: Path, weights: dict[str, Path]) -> None:
    hands = handkit.pipeline(model=bundle)(demo_image(), boxes=BOX)
    options = {"detector.checkpoint": str(weights["detector_checkpoint"])}
    whole = handkit.pipeline(model=CONFIG, checkpoint=weights["checkpoint"], cfg_options=options)
    np.testing.assert_allclose(hands.scores, whole(demo_image(), boxes=BOX).scores, atol=2e-3)


@pytest.fixture(scope="module")
def hub_layout(weights: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("bundles") / "hub"
    return write_bundle(out, CONFIG, card=CARD, half=False, layout="modelscope", **weights)


def test_the_hubs_layout_is_the_one_of_the_hub(hub_layout: Path) -> None:
    """Files, names of weights and sections are those of the folder that is written by hand."""
    names = {path.relative_to(hub_layout).as_posix() for path in hub_layout.rglob("*") if path.is_file()}
    by_hand = {path.relative_to(GOLDEN).as_posix() for path in GOLDEN.rglob("*") if path.is_file()}
    weight_files = {"pytorch_model.pt", "detection/detection_model.pth"}
    assert names == {*by_hand, *weight_files, "card.json", "README.md"}
    ours, theirs = (
        plain_values(json.loads((f / "configuration.json").read_text("utf-8"))) for f in (hub_layout, GOLDEN)
    )
    for key in ("task", "framework", "model", "pipeline", "DETECTION"):
        assert ours[key] == theirs[key], key
    stored = torch.load(hub_layout / "pytorch_model.pt", weights_only=True)["state_dict"]
    heads = {key for key in stored if not key.startswith("backbone.")}
    assert heads == {key for key in RULE.network_state({}) if not key.startswith("backbone.")}
    detector = torch.load(hub_layout / "detection" / "detection_model.pth", weights_only=True)["state_dict"]
    assert detector.keys() == RULE.detector_state().keys()
    written, published = (runpy.run_path(str(f / "detection" / "config.py"))["model"] for f in (hub_layout, GOLDEN))
    for part in ("backbone", "neck", "bbox_head"):
        node = {key: value for key, value in published[part].items() if key != "init_cfg"}
        assert plain({key: written[part][key] for key in node}) == plain(node)


def test_easycvs_sections_alone_give_the_same_joints(hub_layout: Path, tmp_path: Path) -> None:
    whole = handkit.pipeline(model=hub_layout)
    folder = Path(shutil.copytree(hub_layout, tmp_path / "copy"))
    content = json.loads((folder / "configuration.json").read_text("utf-8"))
    del content["handkit"]
    (folder / "configuration.json").write_text(json.dumps(content))
    alone = handkit.pipeline(model=folder)
    first, second = (read(demo_image(), boxes=BOX) for read in (whole, alone))
    np.testing.assert_array_equal(first.keypoints, second.keypoints)
    image = cv2.imread(str(demo_image()))
    found = [read.finder.detector.detect([image])[0] for read in (whole, alone)]
    np.testing.assert_array_equal(found[0].boxes, found[1].boxes)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"presence_threshold": 0.25}, "config: presence_threshold=0.25"),
        ({"codec.blur": 2.5}, "config.codec: blur=2.5"),
        ({"second_look": True}, "config: second_look=True"),
        ({"detector.tile": 0.6}, "detector: tile=0.6 has no counterpart in EasyCV"),
    ],
)
def test_what_easycv_lacks_is_told(
    weights: dict[str, Path], tmp_path: Path, caplog: pytest.LogCaptureFixture, options: dict[str, float], told: str
) -> None:
    folder = write_bundle(tmp_path / "b", CONFIG, card=CARD, layout="modelscope", cfg_options=options, **weights)
    assert f"only handkit can run it, since EasyCV lacks a part: {told}" in caplog.text
    content = json.loads((folder / "configuration.json").read_text("utf-8"))
    assert content.keys() == {"framework", "task", "pipeline", "handkit"}
    assert load_bundle(folder)["checkpoint"] == str(folder / "pytorch_model.pt")
    assert load_weights(build(load_bundle(folder)["model"]), folder / "pytorch_model.pt") == []


def test_it_appears_whole_or_not_at_all(weights: dict[str, Path], tmp_path: Path) -> None:
    wrong = {**weights, "detector_checkpoint": weights["checkpoint"]}
    with pytest.raises(CheckpointError, match="does not fit"):
        write_bundle(tmp_path / "b", CONFIG, card=CARD, **wrong)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "b").mkdir()
    with pytest.raises(ConfigError, match="is there already"):
        write_bundle(tmp_path / "b", CONFIG, card=CARD, **weights)
    with pytest.raises(ConfigError, match="names no 'detector'"):
        write_bundle(tmp_path / "c", "hand_2d_keypoints/hrnetv2_w18_dark_tiny", weights["checkpoint"], CARD)


def test_only_a_bundle_is_replaced(weights: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    (photos / "family.jpg").touch()
    with pytest.raises(ConfigError, match=r"photos is no bundle \(configuration.json\), so it is not overwritten"):
        write_bundle(photos, CONFIG, card=CARD, overwrite=True, **weights)
    monkeypatch.chdir(photos)
    with pytest.raises(ConfigError, match="is the current folder"):
        write_bundle(".", CONFIG, card=CARD, overwrite=True, **weights)
    assert [path.name for path in tmp_path.rglob("*")] == ["photos", "family.jpg"]
    for _ in range(2):
        folder = write_bundle(tmp_path / "model", CONFIG, card=CARD, overwrite=True, **weights)
    assert (folder / "configuration.json").is_file()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model", "photos"]


def test_the_detector_of_a_bundle_in_the_package_is_referred_to(weights: dict[str, Path], tmp_path: Path) -> None:
    recipe = "hand_2d_keypoints/hrnetv2_w18_dark_coco-wholebody-hand_256x256"
    folder = write_bundle(tmp_path / "b", recipe, weights["checkpoint"], CARD, "hand_2d_keypoints")
    assert not (folder / "detection").exists()
    made = load_bundle(folder)
    assert made["detector"]["checkpoint"] == "bundle:hand_2d_keypoints/detection/model.safetensors"
    referring = shipped_detector(bundle_path("hand_3d_keypoints"))
    assert referring["detector"]["checkpoint"] == made["detector"]["checkpoint"]
    assert made["box_threshold"] == load_bundle(bundle_path("hand_detection"))["box_threshold"]
    assert json.loads((folder / "card.json").read_text("utf-8"))["thresholds"]["box_threshold"] == made["box_threshold"]
    found = [handkit.pipeline("hand_detection", name)(demo_image()) for name in (folder, "hand_2d_keypoints")]
    np.testing.assert_array_equal(found[0].boxes, found[1].boxes)


def test_a_network_that_marks_pixels_is_a_detector(tmp_path: Path) -> None:
    recipes = "hand_3d_keypoints/poseprior_handsynth_256x256", "hand_segmentation/handsegnet_handsynth_256x256"
    prior, segmenter = tmp_path / "prior.safetensors", tmp_path / "segmenter.safetensors"
    for recipe, path in zip(recipes, (prior, segmenter), strict=True):
        save_weights(build(load_config(recipe)["model"]), path)
    folder = write_bundle(tmp_path / "b", recipes[0], prior, CARD, recipes[1], segmenter)
    made = load_bundle(folder)["detector"]
    assert (made["type"], made["input_size"]) == ("HandSegDetector", [320, 320])
    stored = read_state_dict(made["checkpoint"])
    for key, value in read_state_dict(segmenter).items():
        torch.testing.assert_close(stored[key].float(), value.float(), rtol=1e-3, atol=1e-4)
    pipe = handkit.pipeline("hand_3d_keypoints", folder, box_threshold=0.0)
    assert pipe(demo_image()).masks.shape[1:] == (480, 640)


def test_a_network_for_whole_images_needs_no_detector(tmp_path: Path) -> None:
    recipe = "hand_2d_keypoints/posenet_mobilenetv2_s16_multihand_handsynth_321x321"
    save_weights(build(load_config(recipe)["model"]), tmp_path / "posenet.safetensors")
    folder = write_bundle(tmp_path / "b", recipe, tmp_path / "posenet.safetensors", CARD)
    assert "detector" not in load_bundle(folder)
    assert handkit.pipeline(model=folder)(demo_image()).image_size == (640, 480)
    with pytest.raises(ConfigError, match="detector"):
        write_bundle(tmp_path / "c", recipe, tmp_path / "posenet.safetensors", CARD, "hand_2d_keypoints")


def test_a_task_that_modelscope_does_not_know_names_no_pipeline_of_its(tmp_path: Path) -> None:
    recipe = "hand_3d_keypoints/hrnetv2_w18_lifting_handsynth_192x192"
    save_weights(build(load_config(recipe)["model"]), tmp_path / "lifting.safetensors")
    folder = write_bundle(tmp_path / "b", recipe, tmp_path / "lifting.safetensors", CARD, "hand_2d_keypoints")
    content = json.loads((folder / "configuration.json").read_text("utf-8"))
    assert (content["task"], "pipeline" in content) == ("hand-3d-keypoints", False)
    hands = handkit.pipeline("hand_3d_keypoints", folder)(demo_image(), boxes=BOX)
    assert hands.xyz_root is not None
    np.testing.assert_array_equal(handkit.pipeline(model=folder)(demo_image(), boxes=BOX).keypoints, hands.keypoints)


def test_the_command(
    weights: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*arguments: Any) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["handkit", "export", "bundle", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            main()
        return stop.value.code or 0, *capsys.readouterr()  # type: ignore[return-value]

    card = tmp_path / "card.json"
    card.write_text(json.dumps({"title": "t", "licence": "Apache-2.0", "command": "c", "training_data": "d"}))
    out = tmp_path / "out"
    common = (CONFIG, weights["checkpoint"], "--out", out, "--card", card)
    assert run(*common, "--layout", "onnx")[2].endswith("layout='onnx' is none of handkit, modelscope\n")
    code, shown, _ = run(*common, "--detector-checkpoint", weights["detector_checkpoint"])
    assert code == 0
    assert shown.startswith(f"{out}: ")
    assert (out / "detection" / "detection_model.pth").is_file()
    card.write_text(json.dumps({"title": "t"}))
    code, _, error = run(*common, "--overwrite")
    assert (code, "'licence' is missing" in error) == (2, True)


def test_a_bundle_on_a_base_holds_the_rest(tmp_path: Path) -> None:
    base, file = "bundle:hand_2d_keypoints/model.safetensors", bundle_path("hand_2d_keypoints") / "model.safetensors"
    other = read_state_dict(file)
    changed = [key for key in other if key.startswith("aux_heads.handedness.fc")]
    own = tmp_path / "own.safetensors"
    save_tensors({**other, **{key: other[key] + 1 for key in changed}}, own)
    given: dict[str, Any] = dict(config=TRAINED, checkpoint=own, card=CARD, detector="hand_2d_keypoints")
    made = write_bundle(tmp_path / "made", base=base, **given)
    assert list(read_state_dict(made / "model.safetensors")) == changed
    card = json.loads((made / "card.json").read_text("utf-8"))
    assert card["base"] == {"name": base, "sha256": sha256_of(file), "size": file.stat().st_size}
    assert BundleCard.read(made / "card.json") == CARD
    whole = write_bundle(tmp_path / "whole", **given)
    found = [handkit.pipeline(model=folder)(demo_image(), boxes=BOX) for folder in (made, whole)]
    np.testing.assert_array_equal(found[0].keypoints, found[1].keypoints)
    np.testing.assert_array_equal(found[0].handedness_scores, found[1].handedness_scores)


@pytest.mark.parametrize(
    ("base", "layout", "message"),
    [
        ("bundle:hand_2d_keypoints/detection/model.safetensors", "handkit", "no tensor of the network is the same"),
        ("bundle:hand_2d_keypoints/model.safetensors", "modelscope", "of the layout 'handkit'"),
        ("model.safetensors", "handkit", "others would not have it"),
    ],
)
def test_a_base_that_is_none(base: str, layout: str, message: str, weights: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=message):
        write_bundle(tmp_path / "a", CONFIG, card=CARD, base=base, layout=layout, **weights)
    assert not list(tmp_path.iterdir())
