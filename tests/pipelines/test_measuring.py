"""From labels and a pipeline to numbers, with a pipeline that cheats."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from handkit.apps.cli.main import main
from handkit.datasets.labels import HandLabels, read_hand_labels
from handkit.detections import Detections
from handkit.engine.processes import Processes
from handkit.errors import ConfigError, DataError, HandkitError
from handkit.files import sha256_of
from handkit.hands import Hands
from handkit.images import read_image
from handkit.metrics.evaluate import match_images, measured_images, predict_pictures
from handkit.metrics.scores import Scores, names_of
from handkit.pipelines import measuring
from handkit.pipelines.measuring import _predicted, measure_pipeline

MEDIAPIPE = "pipelines/hand_2d_keypoints_mediapipe"
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

    def __init__(
        self, labels: list[HandLabels], blind: tuple[int, ...] = (), extra: bool = False, boxes_only: bool = False
    ) -> None:
        self.labels, self.blind, self.extra, self.boxes_only = labels, blind, extra, boxes_only
        self.calls: list[int] = []

    def __call__(self, items: list[Any]) -> list[Any]:
        self.calls.append(len(items))
        found = [self.one(read_image(item)) for item in items]
        return [Detections(one.boxes, one.box_scores) for one in found] if self.boxes_only else found

    def one(self, image: np.ndarray) -> Hands:
        index = int(image[0, 0, 0]) // 40
        labels = self.labels[index].rotated(0 if image.shape[1] == SIZE[0] else 1)
        points, boxes = labels.keypoints, labels.boxes
        if index in self.blind:
            points, boxes = np.zeros((0, 21, 2)), np.zeros((0, 4))
        if self.extra:
            points = np.concatenate([points, np.full((1, 21, 2), 1.0)])
            boxes = np.concatenate([boxes, np.zeros((1, 4))])
        count = len(points)
        sides = (*labels.handedness, None)[:count]
        scores = np.ones((count, 21))
        return Hands(points, scores, boxes, np.ones(count), sides, np.ones(count), labels.image_size)


@pytest.fixture
def labels(photos: Path) -> list[HandLabels]:
    return read_hand_labels(photos, "coco")


def measure(monkeypatch: pytest.MonkeyPatch, cheat: Cheat, model: str = MEDIAPIPE, **options: Any) -> Scores:
    monkeypatch.setattr(measuring, "pipeline", lambda *args, **kwargs: cheat)
    return measure_pipeline(model, **options)


@pytest.mark.parametrize("rotate", [0, 90])
def test_a_pipeline_that_knows_the_labels_is_perfect(
    photos: Path, labels: list[HandLabels], monkeypatch: pytest.MonkeyPatch, rotate: int
) -> None:
    scores = measure(monkeypatch, Cheat(labels), data=photos_as_coco(photos), rotate=rotate)
    assert scores.counts == {"images": 4, "hands": 5}
    for name in ("recall", "box_AP", "box_AP50", "box_recall50", "handedness_accuracy"):
        assert scores[name] == 1
    for name in ("PCK@0.2", "PCK@0.1", "PCK@0.05"):
        assert scores[name] == scores[f"{name}_matched"] == 1
    assert scores["EPE_matched"] == pytest.approx(0, abs=1e-4)
    assert scores["false_hands_per_image"] == 0


SHARDS = Path(__file__).parents[1] / "datasets" / "files" / "shards"


class InSpace:
    """Knows the joints of the shards, and all in space but the tip of the thumb, which it takes for 21 mm too near."""

    def __init__(self) -> None:
        self.labels = iter(read_hand_labels(SHARDS / "hands.json"))

    def __call__(self, items: list[Any]) -> list[Any]:
        return [self.one(next(self.labels)) for _ in items]

    def one(self, of: HandLabels) -> Hands:
        assert of.xyz_cam is not None
        root = of.xyz_cam - of.xyz_cam[:, :1]
        root[:, 4, 2] -= 0.021
        scores = np.ones((len(of), 21))
        known = (of.keypoints, scores, of.boxes, scores[:, 0], of.handedness, scores[:, 0], of.image_size)
        return Hands(*known, xyz_root=root)


@pytest.mark.parametrize("by_file", [True, False])
def test_a_pipeline_is_measured_in_space(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], by_file: bool
) -> None:
    monkeypatch.setattr(measuring, "pipeline", lambda *args, **kwargs: InSpace())
    node = {"type": "LargestHand", "dataset": {"type": "HandShards", "folder": str(SHARDS)}}
    where = ["--data", str(SHARDS / "hands.json")] if by_file else ["--cfg-options", f"val_dataset={node}"]
    monkeypatch.setattr(sys, "argv", ["handkit", "test", "hand_3d_keypoints", "--detector", *where])
    with pytest.raises(SystemExit):
        main()
    values = dict(line.split()[:2] for line in capsys.readouterr().out.splitlines() if line.startswith(("M", "PA")))
    assert values["MPJPE_mm_matched"] == "1.0000"
    assert 0 < float(values["PA_MPJPE_mm_matched"]) < 10


def test_without_labels_in_space_nothing_is_measured_there(
    photos: Path, labels: list[HandLabels], monkeypatch: pytest.MonkeyPatch
) -> None:
    scores = measure(monkeypatch, Cheat(labels), "hand_3d_keypoints", data=photos_as_coco(photos))
    assert not [name for name in scores.values if "MPJPE" in name]


def photos_as_coco(photos: Path) -> Path:
    """The same file without the field that tells handphotos."""
    document = json.loads(photos.read_text("utf-8"))
    for row in document["annotations"]:
        del row["flip_disagreement"]
    path = photos.with_name("coco.json")
    path.write_text(json.dumps(document))
    return path


def test_missed_and_superfluous_hands_show(
    photos: Path, labels: list[HandLabels], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    rooms = tmp_path / "rooms"
    rooms.mkdir()
    for name in "abcd":
        Image.new("RGB", SIZE, (160, 0, 0)).save(rooms / f"{name}.png")
    cheat = Cheat(labels, blind=(2,), extra=True)
    scores = measure(
        monkeypatch, cheat, data=photos_as_coco(photos), negatives=rooms, negatives_count=3, bootstrap=20, limit=9
    )
    assert scores["recall"] == pytest.approx(3 / 5)
    assert scores["PCK@0.2"] == pytest.approx(3 / 5)
    assert scores["PCK@0.2_matched"] == 1
    assert scores["box_recall50"] == pytest.approx(3 / 5)
    assert scores["false_hands_per_image"] == scores["false_hands_per_negative_image"] == 1
    assert scores.counts == {"images": 4, "hands": 5, "negative_images": 3}
    assert set(scores.intervals) == set(scores.values)


def test_negatives_alone(labels: list[HandLabels], monkeypatch: pytest.MonkeyPatch, photos: Path) -> None:
    scores = measure(monkeypatch, Cheat(labels, blind=(0, 1), extra=True), negatives=photos.parent, negatives_count=2)
    assert set(scores.weights) == {"detector", "retry_detector", "model"}
    assert scores.rows()[3:] == ["negative_images 2", "false_hands_per_negative_image 1.0000"]


def test_a_detector_is_measured_by_its_boxes(
    photos: Path, labels: list[HandLabels], monkeypatch: pytest.MonkeyPatch
) -> None:
    cheat = Cheat(labels, blind=(0,), boxes_only=True)
    scores = measure(monkeypatch, cheat, "pipelines/hand_detection_mediapipe", data=photos_as_coco(photos))
    assert list(scores.values) == ["recall", "false_hands_per_image", "box_AP", "box_AP50", "box_recall50"]
    assert scores["recall"] == scores["box_recall50"] == pytest.approx(4 / 5)


def test_doubtful_labels_and_unlabelled_pictures_are_left_out_when_asked(labels: list[HandLabels]) -> None:
    assert [image.path.name for image in measured_images(labels)] == ["0.png", "1.png", "2.png", "3.png"]
    good = measured_images(labels, good_only=True)
    assert [image.path.name for image in good] == ["0.png", "1.png", "2.png"]
    assert len(match_images(good, Cheat(labels)([image.path for image in good]), good_only=True)) == 4
    doubtful = replace(labels[2], good=np.array([True, False]))
    samples = match_images([doubtful], Cheat(labels)([doubtful.path]), good_only=True)
    assert (len(samples), samples.unmatched.tolist()) == (1, [0])


def test_no_masks_of_all_pictures_are_kept(labels: list[HandLabels]) -> None:
    one = Detections([[0, 0, 3, 3]], [0.5], masks=np.ones((1, 9, 9), bool))
    found = predict_pictures([labels[0].path] * 3, lambda pictures: [one for _ in pictures])
    assert [(len(answer), answer.masks) for answer in found] == [(1, None)] * 3


def test_a_limit_spreads_over_the_file(labels: list[HandLabels]) -> None:
    assert [image.path.name for image in measured_images(labels, limit=2)] == ["0.png", "3.png"]
    assert len(measured_images(labels, limit=99)) == 4


def test_pictures_go_in_batches(labels: list[HandLabels]) -> None:
    cheat = Cheat(labels)
    predict_pictures([labels[0].path] * 20, cheat)
    assert sum(cheat.calls) == 20
    assert len(cheat.calls) < 20


def test_a_metric_of_the_config_takes_the_place_of_a_usual_one() -> None:
    own = [dict(type="PCK", average="macro"), dict(type="AUC")]
    names = names_of(measuring._metrics({"metrics": own}, joints=True))
    assert len(names) == len(set(names)) == len(names_of(measuring._metrics({}, joints=True))) + 2  # AUC gives two
    with pytest.raises(ConfigError, match="two of them give the number 'AUC'"):
        names_of(measuring._metrics({"metrics": [*own, dict(type="AUC", limit=20)]}, joints=True))


def test_labels_of_another_size_are_refused(labels: list[HandLabels]) -> None:
    wrong = replace(labels[0], image_size=(48, 64))
    with pytest.raises(DataError, match=r"0\.png: labelled as \(48, 64\)"):
        match_images([wrong], Cheat(labels)([wrong.path]))


def test_the_val_dataset_of_a_config_is_measured_by_its_samples(
    photos: Path, labels: list[HandLabels], monkeypatch: pytest.MonkeyPatch
) -> None:
    node = {"type": "HandPhotos", "ann_file": str(photos), "image_root": str(photos.parent)}
    scores = measure(monkeypatch, Cheat(labels), cfg_options={"val_dataset": node, "metrics": [{"type": "AUC"}]})
    assert scores.counts == {"images": 3, "hands": 4}  # the doubtful one is no sample
    assert scores["AUC"] == pytest.approx(0.95)
    assert scores["false_hands_per_image"] == 0


def test_predictions_are_written(
    photos: Path, labels: list[HandLabels], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    out = tmp_path / "new" / "predictions.json"
    data = photos_as_coco(photos)
    scores = measure(monkeypatch, Cheat(labels, blind=(0, 1, 2, 3)), data=data, out=out)
    assert scores["PCK@0.2"] == 0
    assert np.isnan(scores["EPE_matched"])
    written = json.loads(out.read_text("utf-8"), parse_constant=pytest.fail)
    assert written["metrics"]["EPE_matched"] is None
    assert written["options"]["data"] == str(data)
    measure(monkeypatch, Cheat(labels), data=data, out=out, negatives=photos.parent, negatives_count=1)
    written = json.loads(out.read_text("utf-8"))
    photo = written["photographs"][2]
    assert photo["image"] == str(photos.with_name("2.png"))
    assert np.shape(photo["keypoints"]) == (2, 21, 3)
    assert np.shape(photo["boxes"]) == (2, 4)
    assert photo["handedness"] == ["left", "right"]
    assert len(written["negatives"]) == 1


def test_a_failure_leaves_the_old_predictions(
    photos: Path, labels: list[HandLabels], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    out = tmp_path / "predictions.json"
    out.write_text("old")
    photos.with_name("3.png").unlink()
    with pytest.raises(HandkitError, match=r"3\.png"):
        measure(monkeypatch, Cheat(labels), data=photos_as_coco(photos), out=out)
    assert out.read_text() == "old"
    assert [path.name for path in tmp_path.glob("*.part")] == []


EMPTY = {"images": [], "annotations": []}
UNLABELLED = {"images": [{"id": 0, "file_name": "0.png", "width": 64, "height": 48}], "annotations": []}
TINY = "hand_2d_keypoints/hrnetv2_w18_dark_tiny"


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"model": TINY}, ConfigError, "tiny: names no 'detector'"),
        ({}, ConfigError, "names no 'val_dataset'.*name data or negatives"),
        ({"data": EMPTY}, DataError, r"labels\.json: shows no labelled hand"),
        ({"data": UNLABELLED}, DataError, r"labels\.json: shows no labelled hand"),
        ({"data": UNLABELLED, "good_only": True}, DataError, "shows no well labelled hand"),
        ({"data": "absent.json"}, DataError, r"absent\.json: cannot be read"),
        ({"negatives": "absent"}, DataError, "absent: no folder with pictures"),
        ({"good_only": True}, ConfigError, "good_only judges the labels of data"),
        ({"negatives": ".", "rotate": 45}, ConfigError, "rotate must be 0, 90, 180 or 270.*45"),
        ({"negatives": ".", "limit": 0}, ConfigError, "limit and negatives_count 1 or more"),
        ({"negatives": ".", "negatives_count": 0}, ConfigError, "limit and negatives_count 1 or more"),
        (
            {"cfg_options": {"val_dataset": {"type": "HandSynth", "source": "capsule"}}},
            ConfigError,
            "a HandSynth, which",
        ),
        ({"cfg_options": {"metrics": [{"type": "PCK", "treshold": 1}]}}, ConfigError, "threshold"),
        ({"cfg_options": {"metrics": [{"type": "PCKK"}]}}, ConfigError, "did you mean 'PCK'"),
    ],
)
def test_mistakes_are_named_before_anything_runs(
    options: dict[str, Any], error: type[Exception], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measuring, "pipeline", lambda *args, **kwargs: pytest.fail("the pipeline was built"))
    given = dict(options)
    if isinstance(given.get("data"), dict):
        path = tmp_path / "labels.json"
        path.write_text(json.dumps(given["data"]))
        given["data"] = path
    with pytest.raises(error, match=message):
        measure_pipeline(**{"model": MEDIAPIPE, **given})


def test_a_detector_is_measured_on_boxes_that_people_drew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two photographs with a drawn box, found and missed; the two rooms give one false hand."""
    images = []
    for index in range(3):
        Image.new("RGB", SIZE, (index * 40, 0, 0)).save(tmp_path / f"{index}.png")
        images.append({"id": index, "file_name": f"{index}.png", "width": SIZE[0], "height": SIZE[1]})
    images[0]["human_boxes"] = images[1]["human_boxes"] = [[10, 10, 20, 20]]
    row = {"id": 0, "image_id": 2, "keypoints": [9.0, 9, 2, 30, 30, 2] + [12.0, 12, 2] * 19, "flip_disagreement": 0.0}
    path = tmp_path / "drawn.json"
    path.write_text(json.dumps({"images": images, "annotations": [row]}))
    (tmp_path / "rooms").mkdir()
    for index in (3, 4):
        Image.new("RGB", SIZE, (index * 40, 0, 0)).save(tmp_path / "rooms" / f"{index}.png")

    def detect(items: list[Any]) -> list[Detections]:
        colours = [int(read_image(item)[0, 0, 0]) // 40 for item in items]
        box = np.array([[11.0, 10, 30, 30]])
        return [Detections(box, np.ones(1)) if colour in (0, 2, 3) else Detections.empty() for colour in colours]

    monkeypatch.setattr(measuring, "pipeline", lambda *args, **options: detect)
    reader = {"type": "HandPhotos", "ann_file": str(path), "image_root": str(tmp_path)}
    options = {"val_dataset.dataset": reader, "val_dataset.drawn": "only", "val_dataset.min_size": 0}
    recipe = "hand_detection/ssdlite_mobilenetv2_handphotos_320x320"
    weights = tmp_path / "weights.safetensors"
    weights.write_bytes(b"named by position")
    scores = measure_pipeline(recipe, weights, cfg_options=options, negatives=tmp_path / "rooms")
    assert scores.weights == {"detector": sha256_of(weights)}
    assert scores.counts["hands"] == 2
    assert scores["box_recall50"] == 0.5
    assert scores["false_hands_per_negative_image"] == 0.5


def test_processes_look_at_whole_batches_once_each() -> None:
    paths = [Path(f"{number}.png") for number in range(37)]
    told: list[Any] = []
    sizes: list[int] = []

    class Half(Processes):
        """One of two processes; the other one's answers are told by hand."""

        def largest(self, number: int = 0) -> int:
            return number

        def _objects(self, value: Any) -> list[Any]:
            told.append(value)
            return told

    def predict(batch: list[Any]) -> list[Any]:
        sizes.append(len(batch))
        return [Hands.empty((int(path.stem), 1)) for path in batch]

    assert _predicted(paths, predict, 0, "pictures", Half(1, 2)) == []
    assert sizes == [16]
    found = _predicted(paths, predict, 0, "pictures", Half(0, 2))
    assert [one.image_size for one in found] == [(number, 1) for number in range(37)]
    assert sizes == [16, 16, 5]
