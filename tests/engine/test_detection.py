"""A detector from an annotation file to boxes: training, measurement, and the weights it leaves."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from handkit.checkpoints import save_weights
from handkit.detections import Detections
from handkit.engine import build_runner, measure
from handkit.engine.loading import Failure, stack
from handkit.engine.measuring import box_samples
from handkit.errors import ConfigError, DataError, TrainingError
from handkit.metrics import BoxAP, DetectionRecall, FalseHandsPerImage
from handkit.registry import DETECTORS, MODELS, build
from handkit.registry.config import load_config, with_options
from handkit.registry.validate import validate

RECIPE = "hand_detection/ssdlite_mobilenetv2_onehand10k_320x320"
SIZE = (128, 128)


@pytest.fixture
def config(tmp_path: Path) -> dict[str, Any]:
    """The published recipe on four pictures of 96 x 80 with one or two bright squares, at 128 pixels."""
    rng = np.random.default_rng(0)
    images, annotations = [], []
    for number in range(4):
        picture = rng.integers(0, 60, (80, 96, 3)).astype(np.uint8)
        for _ in range(1 + number % 2):
            x, y = rng.integers(2, 40, 2).tolist()
            picture[y : y + 36, x : x + 40] = 220
            joints = np.column_stack([rng.uniform(x, x + 40, 21), rng.uniform(y, y + 36, 21), np.full(21, 2)])
            row = dict(id=len(annotations), image_id=number, keypoints=joints.ravel().tolist(), bbox=[x, y, 40, 36])
            annotations.append(row)
        Image.fromarray(picture).save(tmp_path / f"{number}.png")
        images.append(dict(id=number, file_name=f"{number}.png", width=96, height=80))
    labels = tmp_path / "labels.json"
    labels.write_text(json.dumps({"images": images, "annotations": annotations}))
    made = load_config(RECIPE)
    for node in (made["train_dataset"]["dataset"]["dataset"], made["val_dataset"]["dataset"]):
        node.update(ann_file=str(labels), image_root=None)
    for key in ("train_transforms", "test_transforms"):
        for node in made[key]:
            node.update({"input_size": SIZE} if node["type"] == "Resize" else {})
    made["detector"]["input_size"] = SIZE
    made["train_dataset"]["times"] = 1
    return {**made, "batch_size": 2, "lr_base_batch": 2, "max_epochs": 1, "workers": 0, "log_interval": 1}


def test_trains_is_measured_and_its_weights_find_boxes(config: dict[str, Any], tmp_path: Path) -> None:
    torch.manual_seed(0)
    folder = tmp_path / "work"
    runner = build_runner(config, folder)
    runner.train()
    rows = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert {"loss_cls", "loss_bbox", "loss"} <= rows[0].keys()
    assert [row["iteration"] for row in rows if row["kind"] == "train"] == [1, 2]
    results = next(csv.DictReader(io.StringIO((folder / "results.csv").read_text())))
    assert 0 <= float(results["box_AP"]) <= float(results["box_recall50"]) <= 1
    for name in ("first_batch.png", "predictions.png"):
        assert Image.open(folder / name).size[1] >= SIZE[1]
    weights = str(folder / "best.safetensors")
    detector = build({**config["detector"], "checkpoint": weights, "score_threshold": 0.02}, DETECTORS)
    picture = np.asarray(Image.open(tmp_path / "0.png"))
    found = detector.detect([picture])[0]
    assert isinstance(found, Detections)
    path = tmp_path / "config.json"
    options = {"val_dataset.dataset.ann_file": str(tmp_path / "labels.json"), "val_dataset.dataset.image_root": None}
    sized = {"test_transforms.1.input_size": SIZE, "detector.input_size": SIZE, "train_transforms.3.input_size": SIZE}
    values = measure(RECIPE, weights, "cpu", {**options, **sized, "workers": 0, "batch_size": 3}, path)
    assert values["box_recall50"] == pytest.approx(float(results["box_recall50"]), abs=1e-6)
    answers = json.loads(path.read_text())["samples"]
    np.testing.assert_allclose(np.reshape(answers[0]["boxes"], (-1, 4)), found.boxes, atol=1e-3)


def test_what_the_network_learns_it_finds(config: dict[str, Any], tmp_path: Path) -> None:
    """The loss on one batch falls when the same batch is learnt."""
    runner = build_runner({**config, "optimizer": dict(type="SGD", lr=0.05), "schedule": None}, tmp_path / "work")
    module = runner.model
    batch = next(iter(runner.train_dataloader))
    losses = [module.train_step(batch, runner.optim_wrapper)["loss"] for _ in range(6)]
    assert losses[-1] < losses[0] * 0.9


def test_boxes_of_a_batch_are_filled_up_and_counted() -> None:
    rows = [np.full((count, 4), count, np.float32) for count in (2, 0, 3)]
    batch = stack([{"boxes": boxes, "img": np.zeros((2, 2, 3), np.uint8), "sample_id": "a"} for boxes in rows])
    assert not isinstance(batch, Failure)
    assert batch["boxes"].shape == (3, 3, 4)
    assert batch["counts"].tolist() == [2, 0, 3]
    assert batch["boxes"][0, :, 0].tolist() == [2, 2, 0]
    assert batch["boxes"][1].eq(0).all()
    none = stack([{"boxes": np.zeros((0, 4), np.float32)}])
    assert not isinstance(none, Failure)
    assert none["boxes"].shape == (1, 0, 4)


def test_ignored_boxes_are_filled_up_and_reach_the_loss() -> None:
    """Where all background is ignored, the hand alone is left of the loss."""
    samples = [
        {"boxes": np.array([[20.0, 20, 90, 90]]), "ignored_boxes": np.zeros((rows, 4), np.float32)} for rows in (0, 2)
    ]
    samples[1]["ignored_boxes"][0] = [-900, -900, 900, 900]
    batch = stack(samples)
    assert not isinstance(batch, Failure)
    assert batch["ignored_boxes"].shape == (2, 2, 4)
    assert batch["ignored_counts"].tolist() == [0, 2]
    net = build(load_config(RECIPE)["model"], MODELS).eval()
    keys = ("boxes", "counts", "ignored_boxes", "ignored_counts")
    losses = [
        net(torch.zeros(1, 3, 128, 128), "loss", **{key: batch[key][row : row + 1] for key in keys}) for row in (0, 1)
    ]
    assert losses[0]["loss_bbox"] == losses[1]["loss_bbox"]
    assert losses[1]["loss_cls"] < losses[0]["loss_cls"] * 0.5


@pytest.mark.parametrize("whole", [False, True])
def test_a_backbone_begins_with_given_weights(config: dict[str, Any], tmp_path: Path, whole: bool) -> None:
    """Of its own file, or of that of a whole network, of which nothing else is taken."""
    network = build(config["model"], MODELS)
    backbone = network.backbone
    for part in (network.neck, network.bbox_head):
        for weight in part.parameters():
            torch.nn.init.constant_(weight, 7)
    path = tmp_path / "backbone.safetensors"
    save_weights(network if whole else backbone, path)
    runner = build_runner({**config, "backbone_from": str(path)}, tmp_path / "work")
    own = runner.model.module.backbone.state_dict()
    assert all(torch.equal(value, own[key]) for key, value in backbone.state_dict().items())
    assert all((weight != 7).any() for weight in runner.model.module.bbox_head.parameters())


def outputs(boxes: list[list[list[float]]], scores: list[list[float]]) -> dict[str, Any]:
    """Answers of the network, filled up."""
    most = max(map(len, boxes))
    made = {"boxes": np.zeros((len(boxes), most, 4)), "scores": np.zeros((len(boxes), most))}
    for row, (own, own_scores) in enumerate(zip(boxes, scores, strict=True)):
        made["boxes"][row, : len(own)], made["scores"][row, : len(own)] = np.reshape(own, (-1, 4)), own_scores
    return {**made, "counts": np.array(list(map(len, boxes)))}


def test_boxes_are_measured_in_pixels_of_the_image() -> None:
    """The input is 100 x 100, the image 200 x 50: a box is stretched back before it is compared."""
    labels = [
        {"boxes": np.array([[20.0, 10, 60, 30], [100, 10, 140, 40]]), "image_size": (200, 50)},
        {"boxes": np.zeros((0, 4)), "image_size": (100, 100), "ignored_boxes": np.array([[0.0, 0, 50, 50]])},
    ]
    answers = outputs(
        [[[10, 20, 30, 60], [80, 0, 90, 10]], [[0, 0, 50, 50], [60, 60, 90, 90]]], [[0.9, 0.8], [0.9, 0.3]]
    )
    samples = box_samples(answers, labels, (100, 100))
    assert samples.found.tolist() == [True, False]
    assert samples.unmatched.tolist() == [1, 1]
    assert DetectionRecall().compute(samples)["recall"] == 0.5
    assert FalseHandsPerImage().compute(samples)["false_hands_per_image"] == 1
    np.testing.assert_array_equal(samples.boxes, labels[0]["boxes"])
    values = BoxAP().compute(samples)
    assert values["box_recall50"] == 0.5
    assert values["box_AP50"] == pytest.approx(51 / 101)


def test_what_cannot_be_measured_is_named() -> None:
    with pytest.raises(DataError, match="wrap a reader in ImageBoxes"):
        box_samples(outputs([[]], [[]]), [{"keypoints": 1}], (9, 9))
    with pytest.raises(ConfigError, match=r"the model answers \['deltas', 'logits'\].*BoxSelection"):
        box_samples({"logits": 1, "deltas": 2}, [], (9, 9))  # type: ignore[dict-item]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"train_transforms.3.input_size": (300, 300)}, r"train_transforms\.3: .*\(300, 300\) do not fit detector"),
        ({"test_transforms.1.input_size": (300, 300)}, r"test_transforms\.1: .*\(300, 300\) do not fit detector"),
        ({"metrics": []}, "measured through 'metrics', which is missing"),
    ],
)
def test_parts_that_disagree_are_refused(options: dict[str, Any], message: str) -> None:
    config = load_config(RECIPE)
    validate(config)
    with pytest.raises(ConfigError, match=message):
        validate(with_options(config, options))


def test_crops_of_hands_are_no_whole_images(config: dict[str, Any], tmp_path: Path) -> None:
    config["train_dataset"] = config["train_dataset"]["dataset"]["dataset"]
    runner = build_runner(config, tmp_path / "work")
    with pytest.raises(
        (DataError, TrainingError), match="has no 'boxes': whole images come from a data set like ImageBoxes"
    ):
        runner.train()
