"""From labels and a pipeline to the table, with a pipeline that cheats."""

from __future__ import annotations

import io
import json
import runpy
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

import handkit
from handkit.datasets.labels import HandLabels, read_hand_labels
from handkit.errors import DataError
from handkit.hands import Hands
from handkit.images import read_image
from handkit.metrics.evaluate import (
    evaluate_images,
    evaluate_negatives,
    first_pictures,
    json_values,
    measured_images,
    summary,
    table,
)

TOOL = Path(__file__).parents[2] / "tools" / "evaluate_pipeline.py"
SIZE = (64, 48)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Five pictures, each with its own colour; the first two show a hand, the third two, the fourth a bad label."""
    rng = np.random.default_rng(0)
    images, annotations = [], []
    for index, good in enumerate(([1], [1], [1, 1], [0], [])):
        name = f"{index}.png"
        Image.new("RGB", SIZE, (index * 40, 0, 0)).save(tmp_path / name)
        images.append({"id": index, "file_name": name, "width": SIZE[0], "height": SIZE[1]})
        for place, is_good in enumerate(good):
            points = np.column_stack([rng.uniform(2, 28, (21, 2)) + np.array([place * 30, 0]), np.full(21, 2)])
            annotations.append({
                "id": len(annotations),
                "image_id": index,
                "keypoints": points.ravel().tolist(),
                "hand_side": ("left", "right")[place],
                "flip_disagreement": 0.0 if is_good else 0.5,
            })  # fmt: skip
    path = tmp_path / "photos.json"
    path.write_text(json.dumps({"images": images, "annotations": annotations}))
    return path


class Cheat:
    """Looks the labels up by the picture's colour and size; misses the hands of some pictures, sees one too many."""

    def __init__(self, labels: list[HandLabels], blind: tuple[int, ...] = (), extra: bool = False) -> None:
        self.labels, self.blind, self.extra = labels, blind, extra
        self.calls: list[int] = []

    def __call__(self, items: list[Any]) -> list[Hands]:
        self.calls.append(len(items))
        return [self.one(read_image(item)) for item in items]

    def one(self, image: np.ndarray) -> Hands:
        index = int(image[0, 0, 0]) // 40
        labels = self.labels[index].rotated(0 if image.shape[1] == SIZE[0] else 1)
        points = np.zeros((0, 21, 2)) if index in self.blind else labels.keypoints
        if self.extra:
            points = np.concatenate([points, np.full((1, 21, 2), 1.0)])
        count = len(points)
        boxes = np.zeros((count, 4))
        sides = (*labels.handedness, None)[:count]
        scores = np.ones((count, 21))
        return Hands(points, scores, boxes, np.ones(count), sides, np.ones(count), labels.image_size)


def read(path: Path) -> list[HandLabels]:
    return read_hand_labels(path, "coco")


@pytest.mark.parametrize("turns", [0, 1])
def test_a_pipeline_that_knows_the_labels_is_perfect(photos: Path, turns: int) -> None:
    labels = read(photos)
    values = summary(evaluate_images(measured_images(labels), Cheat(labels), turns=turns))
    assert (values["images"], values["hands"], values["recall"]) == (4, 5, 1)
    for name in ("PCK@0.2", "PCK@0.1", "PCK@0.05"):
        assert values[name] == values[f"{name}_matched"] == 1
    assert values["EPE_matched"] == pytest.approx(0, abs=1e-4)
    assert values["handedness_accuracy"] == 1
    assert values["false_hands_per_image"] == 0


def test_missed_and_superfluous_hands_show(photos: Path) -> None:
    labels = read(photos)
    cheat = Cheat(labels, blind=(2,), extra=True)
    values = summary(evaluate_images(measured_images(labels), cheat), evaluate_negatives([labels[4].path] * 3, cheat))
    assert values["recall"] == pytest.approx(3 / 5)
    assert values["PCK@0.2"] == pytest.approx(3 / 5)
    assert values["PCK@0.2_matched"] == 1
    assert values["false_hands_per_image"] == 1
    assert (values["negative_images"], values["false_hands"], values["false_hands_per_negative_image"]) == (3, 3, 1)


def test_doubtful_labels_and_unlabelled_pictures_are_left_out_when_asked(photos: Path) -> None:
    labels = read(photos)
    assert [image.path.name for image in measured_images(labels)] == ["0.png", "1.png", "2.png", "3.png"]
    good = measured_images(labels, good_only=True)
    assert [image.path.name for image in good] == ["0.png", "1.png", "2.png"]
    assert len(evaluate_images(good, Cheat(labels), good_only=True)) == 4
    doubtful = replace(labels[2], good=np.array([True, False]))
    samples = evaluate_images([doubtful], Cheat(labels), good_only=True)
    assert (len(samples), samples.unmatched.tolist()) == (1, [0])


def test_a_limit_spreads_over_the_file(photos: Path) -> None:
    names = [image.path.name for image in measured_images(read(photos), limit=2)]
    assert names == ["0.png", "3.png"]
    assert len(measured_images(read(photos), limit=99)) == 4


def test_pictures_go_in_batches(photos: Path) -> None:
    labels = read(photos)
    cheat = Cheat(labels)
    evaluate_images([labels[0]] * 20, cheat)
    assert sum(cheat.calls) == 20
    assert len(cheat.calls) < 20


def test_labels_of_another_size_are_refused(photos: Path) -> None:
    labels = read(photos)
    wrong = replace(labels[0], image_size=(48, 64))
    with pytest.raises(DataError, match=r"0\.png: labelled as \(48, 64\)"):
        evaluate_images([wrong], Cheat(labels))


def test_first_pictures(photos: Path) -> None:
    assert [path.name for path in first_pictures(photos.parent, 2)] == ["0.png", "1.png"]
    with pytest.raises(DataError, match="no folder with pictures"):
        first_pictures(photos.parent / "absent", 2)


def test_nothing_found_prints_dashes_and_json_holds_null(photos: Path) -> None:
    labels = read(photos)
    values = summary(evaluate_images(measured_images(labels), Cheat(labels, blind=(0, 1, 2, 3))))
    assert values["PCK@0.2"] == 0
    assert np.isnan(values["EPE_matched"])
    printed = io.StringIO()
    Console(file=printed, width=100).print(table(values, "nothing"))
    epe = next(line for line in printed.getvalue().splitlines() if "EPE" in line)
    assert "-" in epe
    assert "nan" not in printed.getvalue()
    assert json.loads(json.dumps(json_values(values), allow_nan=False))["EPE_matched"] is None


def run_tool(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> None:
    monkeypatch.setattr(sys, "argv", [str(TOOL), *map(str, arguments)])
    runpy.run_path(str(TOOL), run_name="__main__")


def test_the_tool_prints_a_table_and_writes_the_numbers(
    photos: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cheat = Cheat(read(photos), blind=(0,))
    monkeypatch.setitem(vars(handkit), "pipeline", lambda task, model=None: cheat)
    out = photos.parent / "numbers.json"
    rooms = ("--rooms", photos.parent, "--rooms-count", 2)
    run_tool(monkeypatch, photos, "--format", "coco", "--rotate", 90, "--good-only", "--out", out, *rooms)
    written = json.loads(out.read_text())
    assert written["metrics"]["recall"] == pytest.approx(3 / 4)
    assert written["metrics"]["negative_images"] == 2
    assert written["options"]["rotate"] == 90
    printed = capsys.readouterr().out
    assert "0.7500" in printed
    assert "PCK@0.05" in printed


def test_the_tool_says_what_is_wrong_in_one_line(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SystemExit, match=r"error: .*absent\.json: cannot be read"):
        run_tool(monkeypatch, photos.parent / "absent.json")
