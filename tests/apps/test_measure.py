"""`handkit test` on the tiny recipe with random weights, and on the default pipeline: rows, files and mistakes."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from handkit.apps.cli.main import main
from handkit.checkpoints import save_weights
from handkit.datasets.reader import HandReader
from handkit.demo_image import demo_image
from handkit.engine import measure, testing
from handkit.errors import CheckpointError, ConfigError, DataError
from handkit.files import sha256_of
from handkit.metrics import score_log
from handkit.pipelines import pipeline
from handkit.registry import build
from handkit.registry.config import load_config
from handkit.transforms import TopDownAffine

MEDIAPIPE = "pipelines/hand_2d_keypoints_mediapipe"
TINY = "hand_2d_keypoints/hrnetv2_w18_dark_tiny"
FEW = {"val_dataset.count": 5, "workers": 0}


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "random.safetensors"
    save_weights(build(load_config(TINY)["model"]), path)
    return path


def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: object) -> list[list[str]]:
    """The words of every row."""
    monkeypatch.setattr(sys, "argv", ["handkit", "test", *map(str, arguments)])
    with pytest.raises(SystemExit) as stop:
        main()
    shown = capsys.readouterr()
    assert not stop.value.code, shown.err
    return [line.split(maxsplit=2) for line in shown.out.splitlines()]


def labels_of_demo(folder: Path, joints: np.ndarray) -> Path:
    """The demo picture with these joints (N, 21, 2) as its labels."""
    (folder / "hand.png").write_bytes(demo_image().read_bytes())
    width, height = Image.open(demo_image()).size
    annotations = [
        {"id": row, "image_id": 0, "keypoints": np.column_stack([points, np.full(21, 2)]).ravel().tolist()}
        for row, points in enumerate(joints.astype(float))
    ]
    image = {"id": 0, "file_name": "hand.png", "width": width, "height": height}
    path = folder / "labels.json"
    path.write_text(json.dumps({"images": [image], "annotations": annotations}))
    return path


def test_one_row_per_number(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "predictions.json"
    options = [f"--cfg-options={key}={value}" for key, value in FEW.items()]
    rows = {row[0]: row[1] for row in run(monkeypatch, capsys, TINY, weights, "--out", out, *options)}
    assert {"PCK@0.2", "AUC", "AUC_closed", "EPE", "NME"} <= set(rows)
    written = json.loads(out.read_text("utf-8"))
    assert float(rows["PCK@0.2"]) == pytest.approx(written["metrics"]["PCK@0.2"], abs=1e-4)
    assert len(written["samples"]) == 5
    assert np.shape(written["samples"][0]["keypoints"]) == (21, 2)
    assert np.shape(written["samples"][0]["box"]) == (4,)
    assert rows["hands"] == "5"


def test_the_mean_pose_stands_beside_the_score(
    weights: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    options = [f"--cfg-options={key}={value}" for key, value in {**FEW, "val_dataset.count": 60}.items()]
    rows = {row[0]: row[1:] for row in run(monkeypatch, capsys, TINY, weights, "--baseline", *options)}
    value, words = rows["PCK@0.2"]
    mean_pose = float(words.removeprefix("(mean pose ").removesuffix(")"))
    assert float(value) < mean_pose
    assert 0.4 < mean_pose <= 0.5


def test_a_baseline_needs_labelled_hands(weights: Path) -> None:
    with pytest.raises(ConfigError, match="names no 'train_dataset'"):
        measure(TINY, weights, cfg_options={**FEW, "train_dataset": None}, baseline=True)
    no_hands = {"type": "NegativeImages", "folder": str(demo_image().parent), "_delete_": True}
    with pytest.raises(DataError, match="of this NegativeImages has no keypoints"):
        measure(TINY, weights, cfg_options={**FEW, "train_dataset": no_hands}, baseline=True)


def test_any_labelled_file_with_intervals(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    joints = np.random.default_rng(0).uniform(200, 400, (2, 21, 2))
    data = labels_of_demo(tmp_path, joints)
    rows = run(monkeypatch, capsys, TINY, weights, "--data", data, "--bootstrap", 20, "--cfg-options=workers=0")
    assert rows[0] == ["model", f"sha256:{sha256_of(weights)}"]
    assert rows[1:3] == [["images", "1"], ["hands", "2"]]  # two hands of one photograph: one image
    value, interval = next(row[1:] for row in rows if row[0] == "PCK@0.2")
    assert interval == f"[{value}, {value}]"


def test_turned_hands_and_the_log(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "logs" / "choice.jsonl"
    options = [f"--cfg-options={key}={value}" for key, value in FEW.items()]
    scores = []
    for angle in (0, 90):
        rows = run(monkeypatch, capsys, TINY, weights, "--rotate", angle, "--log", log, *options)
        scores.append(next(row[1] for row in rows if row[:1] == ["EPE"]))
    assert scores[0] != scores[1]
    entries = [json.loads(line) for line in log.read_text("utf-8").splitlines()]
    assert [entry["settings"].get("rotate", 0) for entry in entries] == [0, 90]
    assert [entry["settings"]["workers"] for entry in entries] == [0, 0]
    assert {entry["weights"]["model"] for entry in entries} == {sha256_of(weights)}
    table = score_log.rows(log)
    assert len(table) == 4
    assert sha256_of(weights)[:12] in table[3]
    assert f" {scores[1]} " in table[3]
    for wrong in ("{}", '["metrics"]', '{"metrics": 1, "weights": {}, "settings": {}}'):
        log.write_text(f"{wrong}\n")
        with pytest.raises(DataError, match="line 1: is no measurement"):
            score_log.rows(log)
    log.write_bytes(b"\xff\xd8")
    with pytest.raises(DataError, match="it is no text"):
        score_log.rows(log)


def test_a_turned_crop_is_the_crop_of_the_turned_photograph() -> None:
    img = np.random.default_rng(0).integers(0, 255, (60, 80, 3), np.uint8)
    box, points = np.array([20, 10, 50, 34], np.float32), np.array([[22, 12], [45, 30]], np.float32)
    turned = {
        "img": np.ascontiguousarray(np.rot90(img, -1)),
        "box": np.array([59 - 34, 20, 59 - 10, 50], np.float32),
        "keypoints": np.stack([59 - points[:, 1], points[:, 0]], 1),
    }
    affine = TopDownAffine((32, 32))
    expected = affine(turned)
    found = affine(testing._Turn(90)({"img": img, "box": box, "keypoints": points}))
    np.testing.assert_allclose(found["keypoints"], expected["keypoints"], atol=1e-3)
    assert np.abs(found["img"].astype(int) - expected["img"]).max() <= 1


def test_a_whole_pipeline(
    mediapipe_files: dict[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    data = labels_of_demo(tmp_path, pipeline("hand_2d_keypoints", MEDIAPIPE)(demo_image()).keypoints)
    rooms = tmp_path / "rooms"
    rooms.mkdir()
    Image.new("RGB", (64, 64)).save(rooms / "black.png")
    out = tmp_path / "predictions.json"
    rows = run(
        monkeypatch,
        capsys,
        MEDIAPIPE,
        "--detector",
        "--data",
        data,
        "--negatives",
        rooms,
        "--bootstrap",
        5,
        "--out",
        out,
    )
    values = {row[0]: row[1:] for row in rows}
    assert values["PCK@0.05"] == ["1.0000", "[1.0000, 1.0000]"]
    assert values["box_AP50"][0] == values["recall"][0] == "1.0000"
    assert values["false_hands_per_negative_image"][0] == "0.0000"
    written = json.loads(out.read_text("utf-8"))
    assert np.shape(written["photographs"][0]["keypoints"]) == (1, 21, 3)


def test_a_report_of_a_network_and_its_comparison(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    options = [f"--cfg-options={key}={value}" for key, value in FEW.items()]
    rows = {row[0]: row[1] for row in run(monkeypatch, capsys, TINY, weights, "--report", tmp_path / "one", *options)}
    record = json.loads((tmp_path / "one" / "report.json").read_text("utf-8"))
    assert record["metrics"]["PCK@0.2"] == pytest.approx(float(rows["PCK@0.2"]), abs=1e-4)
    assert record["weights"]["model"] == sha256_of(weights)
    assert len(record["hand_errors"]) == 5
    against = ("--report-against", tmp_path / "one", "--rotate", 90)
    run(monkeypatch, capsys, TINY, weights, "--report", tmp_path / "two", *against, *options)
    text = (tmp_path / "two" / "report.html").read_text("utf-8")
    assert "5 hands are in both" in text
    worst = text[text.index("Worst 5 hands</h2>") :]
    assert worst.count("data:image/jpeg;base64,") == 5


def test_a_report_of_a_pipeline(
    mediapipe_files: dict[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    joints = pipeline("hand_2d_keypoints", MEDIAPIPE)(demo_image()).keypoints
    joints = np.concatenate([joints, joints[:1] * 0.2])  # a hand where there is none: it is missed
    arguments = ("--detector", "--data", labels_of_demo(tmp_path, joints), "--rotate", 90, "--report", tmp_path)
    run(monkeypatch, capsys, MEDIAPIPE, *arguments)
    record = json.loads((tmp_path / "report.json").read_text("utf-8"))
    found = [error for error in record["hand_errors"].values() if error < 0.5]
    assert len(found) == len(joints) - 1
    assert "hand.png#0" in record["hand_errors"]
    assert record["findings"][0]["title"].endswith("of the hands are missed")
    assert "Missed hands, 1 of them" in (tmp_path / "report.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((TINY, "--report-against", "old.json"), "name its folder by --report DIR"),
        ((TINY, "--report", "new", "--report-against", "absent.json"), "absent.json: cannot be read"),
        ((MEDIAPIPE, "--detector", "--negatives", ".", "--report", "new"), "a report is about labelled joints"),
        ((TINY, "--detector"), "names no 'detector'"),
        ((TINY, "--limit", "5"), "add --detector"),
        ((TINY, "--negatives", "rooms"), "add --detector"),
        ((TINY, "--good-only"), "--good-only judges the labels of --data"),
        ((TINY, "--detector", "--negatives-count", "5"), "of --negatives: name their folder"),
        ((TINY, "--bootstrap", "-5"), "--bootstrap takes a number"),
        ((TINY, "--out", "."), "--out . is a folder"),
        ((TINY, "--log", "."), "--log . is a folder"),
        ((TINY, "--out", f"{__file__}/out.json"), "test_measure.py is a file and no folder"),
        ((TINY, "--report", f"{__file__}/report"), "test_measure.py is a file and no folder"),
        ((TINY, "--log", __file__), "test_measure.py, line 1: is no measurement"),
        ((TINY, "--data", "absent.json"), "absent.json: cannot be read"),
        ((TINY,), "name a file as checkpoint="),
        ((MEDIAPIPE, "--detector"), "names no 'val_dataset'"),
        ((MEDIAPIPE, "--detector", "--negatives", "absent"), "absent: no folder with pictures"),
        ((TINY, "--cfg-options", "metrics.0.threshold=0"), "PCK needs threshold > 0"),
        ((TINY, "--cfg-options", "metrics.0.over=found"), "metrics.0.over"),
    ],
)
def test_mistakes_end_in_one_line(
    arguments: tuple[str, ...], message: str, weights: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    if arguments[0] == TINY and len(arguments) > 1:
        arguments = (TINY, str(weights), *arguments[1:])
    monkeypatch.setattr(sys, "argv", ["handkit", "test", *arguments])
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line


def test_an_empty_annotation_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.json").write_text('{"images": [], "annotations": []}')
    with pytest.raises(DataError, match=r"empty\.json: no usable hand"):
        HandReader.of_file(tmp_path / "empty.json")


def test_the_flip_test_is_part_of_the_measurement(weights: Path) -> None:
    plain = measure(TINY, weights, "cpu", FEW)
    assert plain == measure(TINY, weights, "cpu", FEW)
    assert measure(TINY, weights, "cpu", {**FEW, "flip_test": "aligned"})["EPE"] != plain["EPE"]


def test_what_is_missing_is_named(weights: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="names no 'val_dataset'"):
        measure(TINY, weights, "cpu", {"val_dataset": None})
    (tmp_path / "cut.safetensors").write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(CheckpointError, match=r"cut\.safetensors"):
        measure(TINY, tmp_path / "cut.safetensors", "cpu", FEW)
    with pytest.raises(CheckpointError, match=r"random\.safetensors does not fit the TopDownEstimator.*misshaped"):
        measure(TINY, weights, "cpu", {**FEW, "model.head.out_channels": 17})
