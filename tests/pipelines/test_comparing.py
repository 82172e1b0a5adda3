"""Pipelines side by side: the table's numbers are those of `measure_pipeline`, and say what was compared."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from handkit.datasets.labels import HandLabels, read_hand_labels
from handkit.errors import ConfigError, DataError
from handkit.hands import Hands
from handkit.images import read_image
from handkit.pipelines import comparing, measuring
from handkit.pipelines.comparing import compare_pipelines, markdown

SIZE = (64, 48)
CONFIG = """task = 'hand_2d_keypoints'
test_transforms = [dict(type='LoadImage')]
detector = dict(type='FullImage')
box_threshold = {threshold}
"""


class Knows:
    """Answers a picture by the label of its colour; misses the hands of `blind` pictures and of all turned ones."""

    def __init__(self, labels: list[HandLabels], blind: tuple[int, ...] = (), upright_only: bool = False) -> None:
        self.labels, self.blind, self.upright_only = labels, blind, upright_only

    def __call__(self, items: Any, channel_order: str = "bgr") -> Any:
        return [self.one(read_image(item)) for item in items] if isinstance(items, list) else self.one(items)

    def one(self, image: np.ndarray) -> Hands:
        index, size = int(image[0, 0, 0]) // 40, (image.shape[1], image.shape[0])
        corners = [image[y, x, 1] == 200 for y, x in ((0, 0), (0, -1), (-1, -1), (-1, 0))]
        turns = corners.index(True) if any(corners) else 0
        if index in self.blind or index >= len(self.labels) or (turns and self.upright_only):
            return Hands.empty(size)
        labels = self.labels[index].rotated(turns)
        count = len(labels)
        return Hands(
            labels.keypoints,
            np.ones((count, 21)),
            labels.boxes,
            np.ones(count),
            labels.handedness,
            np.ones(count),
            size,
        )


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Three pictures with a hand each; a green pixel marks the corner at the top left."""
    rng = np.random.default_rng(0)
    images, annotations = [], []
    for index in range(3):
        picture = Image.new("RGB", SIZE, (index * 40, 0, 0))
        picture.putpixel((0, 0), (index * 40, 200, 0))
        picture.save(tmp_path / f"{index}.png")
        images.append({"id": index, "file_name": f"{index}.png", "width": SIZE[0], "height": SIZE[1]})
        points = np.column_stack([rng.uniform(2, 40, (21, 2)), np.full(21, 2)])
        row = {"id": index, "image_id": index, "keypoints": points.ravel().tolist(), "hand_side": "left"}
        annotations.append(row)
    path = tmp_path / "labels.json"
    path.write_text(json.dumps({"images": images, "annotations": annotations}))
    return path


@pytest.fixture
def models(tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Two configs: the first knows every hand, the second not the first picture's and none that is turned."""
    labels = read_hand_labels(data)
    names = []
    for name, threshold in (("good", 0.5), ("poor", 0.25)):
        path = tmp_path / f"{name}.py"
        path.write_text(CONFIG.format(threshold=threshold))
        names.append(str(path))
    pipes = dict(zip(names, (Knows(labels), Knows(labels, blind=(0,), upright_only=True)), strict=True))
    for module in (comparing, measuring):
        monkeypatch.setattr(module, "pipeline", lambda task, model, *args, **kwargs: pipes[str(model)])
    return names


def test_numbers_by_pipeline_and_turn(models: list[str], data: Path, tmp_path: Path) -> None:
    rooms = tmp_path / "rooms"
    rooms.mkdir()
    for index, red in enumerate((0, 200)):  # the first looks like picture 0, of which one pipeline knows a hand
        Image.new("RGB", SIZE, (red, 0, 0)).save(rooms / f"{index}.png")
    good, poor = compare_pipelines(models, data, rooms, timed=2)
    assert [good.scores[turn]["PCK@0.1"] for turn in (0, 90, 180, 270)] == [1, 1, 1, 1]
    assert [poor.scores[turn]["recall"] for turn in (0, 90)] == [pytest.approx(2 / 3), 0]
    assert math.isnan(poor.scores[90]["handedness_accuracy"])
    assert (good.false_per_negative, poor.false_per_negative) == (0.5, 0)
    assert good.milliseconds > 0
    assert (good.thresholds, poor.thresholds) == ({"box": 0.5}, {"box": 0.25})
    table = markdown([good, poor], "labels.json", "rooms").splitlines()
    assert table[0].startswith("3 hands in 3 photographs of labels.json")
    assert f"| 0° | {models[1]} | 0.667 | 0.667 | 0.667 | 1.000 | 0.000 |" in table
    assert f"| 90° | {models[1]} | 0.000 | 0.000 | 0.000 | - | 0.000 |" in table
    widths = [line.count("|") for line in table if line.startswith("|")]
    assert widths == [8] * 10 + [6] * 4
    record = json.loads(json.dumps(poor.to_dict()), parse_constant=pytest.fail)
    assert record["turned"]["0"]["metrics"]["recall"] == pytest.approx(2 / 3)
    assert record["turned"]["90"]["metrics"]["handedness_accuracy"] is None


def test_what_is_not_asked_for_is_not_measured(models: list[str], data: Path) -> None:
    (row,) = compare_pipelines(models[:1], data, turns=(180,), limit=1, timed=0)
    assert list(row.scores) == [180]
    assert row.scores[180].counts == {"images": 1, "hands": 1}
    assert math.isnan(row.false_per_negative)
    assert math.isnan(row.milliseconds)
    assert row.to_dict()["milliseconds"] is None


def test_a_pipeline_is_named_by_its_nets(mediapipe_files: dict[str, Path], data: Path) -> None:
    (row,) = compare_pipelines(["pipelines/hand_2d_keypoints_mediapipe"], data, turns=(0,), timed=1)
    assert [net for net, _ in row.nets] == ["detector MediaPipePalm", "model MediaPipeHandLandmarks"]
    assert row.thresholds["presence"] == 0.5
    assert row.milliseconds > 0
    assert all(sha256 in markdown([row], "labels.json") for _, sha256 in row.nets if sha256)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"models": []}, ConfigError, "different models, one or more"),
        ({"models": ["a.py", "a.py"]}, ConfigError, "different models"),
        ({"models": ["pipelines/nothing"]}, ConfigError, "no config 'pipelines/nothing'"),
        ({"turns": (45,)}, ConfigError, r"turns some of \(0, 90, 180, 270\)"),
        ({"turns": ()}, ConfigError, "turns some of"),
        ({"timed": -1}, ConfigError, "timed must be 0 or more"),
        ({"limit": 0}, ConfigError, "limit and negatives_count must be 1 or more"),
        ({"negatives_count": 0}, ConfigError, "limit and negatives_count must be 1 or more"),
        ({"data": "absent.json"}, DataError, "absent.json: cannot be read"),
        ({"negatives": "absent"}, DataError, "absent: no folder with pictures"),
    ],
)
def test_mistakes(options: dict[str, Any], error: type[Exception], message: str, models: list[str], data: Path) -> None:
    with pytest.raises(error, match=message):
        compare_pipelines(**{"models": models, "data": data, **options})
