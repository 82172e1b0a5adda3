"""All hands of whole images from a folder of shards to a pipeline: training, measurement, and what the weights find."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from handkit import pipeline
from handkit.checkpoints import save_weights
from handkit.datasets import HandShards, ImageBoxes
from handkit.datasets.checking.check import check_data
from handkit.engine import build_runner, measure
from handkit.engine.loading import Failure, stack
from handkit.engine.measuring import image_samples
from handkit.errors import ConfigError, DataError
from handkit.geometry import Crop
from handkit.hands import Hands
from handkit.metrics import OKSAP, PCK, DetectionRecall, FalseHandsPerImage
from handkit.pipelines.measuring import measure_pipeline
from handkit.registry import MODELS, build
from handkit.registry.config import load_config, with_options
from handkit.reports.browse import browse

RECIPE = "hand_2d_keypoints/posenet_mobilenetv2_s16_multihand_handsynth_321x321"
SHARDS = Path(__file__).parents[1] / "datasets" / "files" / "shards"
SIZE = (97, 97)


@pytest.fixture
def config(tmp_path: Path) -> dict[str, Any]:
    """The recipe with a narrow net at 97 pixels, on the pictures in the repository."""
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (60, 80, 3), np.uint8)).save(tmp_path / "room.png")
    shards = dict(type="ImageBoxes", dataset=dict(type="HandShards", folder=str(SHARDS)))
    made = with_options(
        load_config(RECIPE),
        {
            "model.backbone.widen_factor": 0.25,
            "model.head.in_channels": 80,
            "codec.input_size": SIZE,
            "test_transforms.1.input_size": SIZE,
            "backbone_from": None,
            "batch_size": 2,
            "max_epochs": 1,
            "workers": 0,
            "log_interval": 1,
        },
    )
    for step in made["train_transforms"]:
        step.update({"codec": made["codec"]} if "codec" in step else {})
        step.update({"folder": str(tmp_path), "skip": 0} if "folder" in step else {})
        step.update({"input_size": SIZE, "least_side": 5.0} if step["type"] == "RandomView" else {})
        if step["type"] == "PasteHands":
            step.update(pictures=shards, view=dict(type="RandomView", input_size=SIZE), prob=1.0)
    rooms = dict(type="NegativeImages", folder=str(tmp_path))
    made["train_dataset"].update(datasets=[shards, rooms], weights=(0.7, 0.3), length=4)
    return {**made, "val_dataset": shards}


def test_trains_is_measured_and_its_weights_are_a_pipeline(config: dict[str, Any], tmp_path: Path) -> None:
    folder = tmp_path / "work"
    runner = build_runner(config, folder)
    runner.train()
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert {"loss_heatmaps", "loss_offsets", "loss_displacements", "loss"} <= lines[0].keys()
    results = next(csv.DictReader(io.StringIO((folder / "results.csv").read_text())))
    assert float(results["recall"]) == 0  # two steps find nothing
    assert all(Image.open(folder / name).size[0] >= 97 for name in ("first_batch.png", "predictions.png"))
    weights = folder / "best.safetensors"
    # Where every cell may be a joint there are hands to follow from the network to the numbers.
    config["codec"].update(joint_threshold=0.0, score_threshold=0.0, max_hands=2)
    path = tmp_path / "out.json"
    scores = measure(config, weights, "cpu", out=path)
    assert {"recall", "false_hands_per_image", "OKS_AP50", "PCK@0.2", "PCK@0.2_matched"} <= scores.values.keys()
    answers = json.loads(path.read_text())["samples"]
    images = ImageBoxes(HandShards(SHARDS))
    file = tmp_path / "config.json"
    file.write_text(json.dumps(config))
    found = pipeline(model=file, checkpoint=weights, device="cpu")([images[row]["source"] for row in range(3)])
    for hands, answer in zip(found, answers, strict=True):
        assert isinstance(hands, Hands)
        assert 1 <= len(hands) <= 2
        np.testing.assert_allclose(hands.keypoints, np.array(answer["keypoints"])[..., :2], atol=0.05)
        np.testing.assert_allclose(hands.boxes, answer["boxes"], atol=0.05)
    whole = measure_pipeline(file, weights, "cpu", negatives=tmp_path, negatives_count=1)
    for name in ("recall", "false_hands_per_image", "OKS_AP50", "PCK@0.2"):
        assert whole[name] == pytest.approx(scores[name], abs=1e-3)
    assert whole["false_hands_per_negative_image"] >= 1


def test_the_loss_of_a_batch_falls_when_it_is_learnt(config: dict[str, Any], tmp_path: Path) -> None:
    runner = build_runner({**config, "schedule": None}, tmp_path / "work")
    batch = next(iter(runner.train_dataloader))
    losses = [runner.model.train_step(batch, runner.optim_wrapper)["loss"] for _ in range(8)]
    assert losses[-1] < losses[0] * 0.9


def test_the_data_of_the_recipe_can_be_checked_and_looked_at(config: dict[str, Any], tmp_path: Path) -> None:
    report = check_data(config, augmented=3)
    kinds = {finding.kind for finding in report.findings}
    assert not kinds & {"no_hands", "failing_transforms", "unusable_dataset", "zero_target_weights"}
    assert browse(config, tmp_path / "sheet.html", count=3) == 0


def test_joints_of_a_batch_are_filled_up_with_nan() -> None:
    rows = [{"boxes": np.ones((n, 4)), "box_points": np.full((n, 21, 2), n, np.float32)} for n in (2, 0, 1)]
    batch = stack(rows)
    assert not isinstance(batch, Failure)
    assert batch["box_points"].shape == (3, 2, 21, 2)
    assert batch["counts"].tolist() == [2, 0, 1]
    assert batch["box_points"].isfinite().all(-1).all(-1).tolist() == [[True, True], [False, False], [True, False]]


def test_hands_are_matched_in_pixels_of_the_image() -> None:
    """Two images of 200 x 100 in an input of 101 x 101: one hand found, one missed, one false, one ignored."""
    rng = np.random.default_rng(0)
    hands = rng.uniform(0, 40, (4, 21, 2)) + np.array([[10, 10], [120, 40], [20, 50], [140, 10]])[:, None]
    boxes = np.concatenate([hands.min(1), hands.max(1)], -1)
    nothing = np.zeros((0, 4))
    labels = [
        {"boxes": boxes[:2], "box_points": hands[:2], "ignored_boxes": nothing, "image_size": (200, 100)},
        {"boxes": nothing, "box_points": hands[:0], "ignored_boxes": boxes[2:3], "image_size": (200, 100)},
    ]
    crops = [Crop.from_box(np.array([0, 0, 199, 99]), (101, 101), 1.0, udp=True)] * 2
    answers = np.stack([[hands[0], hands[0]], [hands[2], hands[3]]])
    scores = np.ones((2, 2, 21)) * np.array([[0.9, 0.0], [0.8, 0.7]])[..., None]
    outputs = {"keypoints": crops[0].apply_points(answers), "scores": scores, "hand_scores": scores.mean(-1)}
    samples = image_samples(outputs, crops, labels)
    assert samples.found.tolist() == [True, False]
    assert samples.unmatched.tolist() == [0, 1]
    assert DetectionRecall().compute(samples)["recall"] == 0.5
    assert FalseHandsPerImage().compute(samples)["false_hands_per_image"] == 0.5
    assert PCK().compute(samples)["PCK@0.2"] == 0.5
    assert PCK(over="matched").compute(samples)["PCK@0.2_matched"] == 1
    assert OKSAP().compute(samples)["OKS_AP50"] == pytest.approx(51 / 101)
    with pytest.raises(DataError, match="wrap a reader in ImageBoxes"):
        image_samples(outputs, crops, [{"keypoints": 1}] * 2)


def test_whole_images_are_not_turned_hand_by_hand(config: dict[str, Any], tmp_path: Path) -> None:
    save_weights(build(config["model"], MODELS), tmp_path / "net.safetensors")
    with pytest.raises(ConfigError, match="rotate turns single hands"):
        measure(config, tmp_path / "net.safetensors", "cpu", rotate=90)
