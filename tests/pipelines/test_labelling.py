"""Photographs to labels, by a pipeline that reads its joints off coloured pixels, and by the default one."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from handkit.datasets import CocoHands, HandPhotos
from handkit.datasets.labels import read_hand_labels
from handkit.demo_image import demo_image
from handkit.errors import ConfigError, DataError, HandkitError, ImageError
from handkit.hands import Hands
from handkit.pipelines import agreement, labelling
from handkit.pipelines.labelling import label_photographs
from handkit.transforms import LoadImage

SIZE = (64, 48)


def joints(seed: int) -> np.ndarray:
    """21 different pixels (x, y)."""
    places = np.random.default_rng(seed).choice(40 * 30, 21, replace=False)
    return np.column_stack([places % 40 + 12, places // 40 + 9]).astype(float)


def paint(path: Path, points: np.ndarray | None) -> Path:
    """A black picture in which joint k is the pixel of red 10 (k + 1)."""
    pixels = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    if points is not None:
        x, y = points.astype(int).T
        pixels[y, x, 0] = 10 * np.arange(1, 22)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path


class Stub:
    """Finds the coloured pixels; its x is off by `error` pixels wherever the picture looks mirrored."""

    def __init__(self, error: float = 0.0, stop_after: int | None = None, version: int = 1) -> None:
        self.error, self.stop_after, self.photos = error, stop_after, 0
        self.config = {"task": "hand_2d_keypoints", "detector": {"type": "FullImage"}, "max_hands": version}
        self.load = LoadImage()

    def __call__(self, images: list[np.ndarray], channel_order: str) -> list[Hands]:
        assert channel_order == "rgb"
        if self.photos == self.stop_after:
            raise KeyboardInterrupt
        self.photos += 1
        return [self.find(image) for image in images]

    def find(self, image: np.ndarray) -> Hands:
        size = (image.shape[1], image.shape[0])
        if not image.any():
            return Hands.empty(size)
        points = np.array([np.argwhere(image[..., 0] == 10 * k)[0][::-1] for k in range(1, 22)], float)
        (a, b), (c, d) = points[5] - points[0], points[17] - points[0]
        right = a * d - b * c > 0
        boxes = np.array([[*points.min(0), *points.max(0)]])
        if not right:
            points[:, 0] += self.error
        return Hands(points[None], np.ones((1, 21)), boxes, [0.9], ("right" if right else "left",), [0.8], size)


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Stub]:
    def install(**options: Any) -> Stub:
        made = Stub(**options)
        monkeypatch.setattr(labelling, "pipeline", lambda *args, **kwargs: made)
        return made

    return install


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Two photographs with a hand, one of them in a subfolder, and one without."""
    paint(tmp_path / "photos" / "a.png", joints(1))
    paint(tmp_path / "photos" / "kitchen" / "b.png", joints(2))
    paint(tmp_path / "photos" / "empty.png", None)
    return tmp_path / "photos"


def document(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text("utf-8"))


def test_every_reader_gets_the_very_pixels(photos: Path, tmp_path: Path, stub: Callable[..., Stub]) -> None:
    stub()
    out = tmp_path / "labels" / "mine.json"
    done = label_photographs([photos], out)
    assert (done.photographs, done.without_hand, done.hands, done.good) == (3, 1, 2, 2)
    for reader in (CocoHands(out), HandPhotos(out)):
        assert len(reader) == 2
        for sample, seed in zip((reader[0], reader[1]), (1, 2), strict=True):
            np.testing.assert_allclose(sample["keypoints"], joints(seed), atol=1e-3)
            assert (sample["visible"] == 2).all()
            assert Path(sample["source"]).is_file()
        assert set(reader.groups()) == {"photos", "kitchen"}
    for layout in (None, "coco", "handphotos"):
        read = read_hand_labels(out, layout)  # type: ignore[arg-type]
        assert [len(image) for image in read] == [1, 0, 1]
        np.testing.assert_allclose(read[0].keypoints[0], joints(1), atol=1e-3)
    found = Stub().find(np.asarray(Image.open(photos / "a.png")))
    assert CocoHands(out)[0]["right"] == (found.handedness == ("right",))
    first = document(out)["annotations"][0]
    assert (first["quality"], first["agreeing_views"], first["iscrowd"]) == (1, 5, 0)
    assert first["presence"] == pytest.approx(0.9)
    assert first["hand_side_score"] == pytest.approx(0.8)
    assert not list(out.parent.glob("*.partial"))


def test_a_hand_in_doubt_is_no_sample_and_no_background(
    photos: Path, tmp_path: Path, stub: Callable[..., Stub]
) -> None:
    stub(error=4.0)
    out = tmp_path / "mine.json"
    size = np.ptp(joints(1), axis=0).max()
    with pytest.raises(DataError, match=r"of 2 hands none reaches min_quality 0.95.*mine\.json\.partial keeps"):
        label_photographs([photos], out, turns=())
    assert not out.exists()
    done = label_photographs([photos], tmp_path / "all.json", min_quality=0, turns=())
    rows = document(tmp_path / "all.json")["annotations"]
    assert done.good == 2
    assert "turn_disagreement" not in rows[0]
    assert rows[0]["flip_disagreement"] == pytest.approx(4 / size, abs=1e-3)
    worse, better = sorted(row["quality"] for row in rows)
    assert worse < better
    done = label_photographs([photos], out, min_quality=better, turns=())
    assert (done.hands, done.good) == (2, 1)
    assert len(CocoHands(out)) == len(HandPhotos(out, max_disagreement=None)) == 1
    assert sum(image.ignored.sum() for image in read_hand_labels(out)) == 1


def test_joints_outside_the_frame_keep_the_box(tmp_path: Path) -> None:
    from handkit.pipelines.agreement import agree

    points = joints(1)
    points[:3] = [[-5, 20], [30, 60], [70, 5]]
    one = Hands(points[None], np.ones((1, 21)), np.zeros((1, 4)), [1], (None,), [0], SIZE)
    (record,) = labelling._records(agree(one, one))
    rows = np.array(record["keypoints"]).reshape(21, 3)
    assert rows[:4, 2].tolist() == [1, 1, 1, 2]
    assert record["num_keypoints"] == 18
    assert "hand_side" not in record
    gone = Hands(points[None] + 500, np.ones((1, 21)), np.zeros((1, 4)), [1], (None,), [0], SIZE)
    assert labelling._records(agree(gone, gone)) == []


def test_a_stopped_run_goes_on(photos: Path, tmp_path: Path, stub: Callable[..., Stub]) -> None:
    whole, out = tmp_path / "whole.json", tmp_path / "mine.json"
    stub()
    label_photographs([photos], whole)
    stub(stop_after=2)
    with pytest.raises(KeyboardInterrupt):
        label_photographs([photos], out)
    partial = tmp_path / "mine.json.partial"
    assert not out.exists()
    partial.write_text(partial.read_text() + '["torn')
    second = stub()
    label_photographs([photos], out)
    assert second.photos == 1
    assert out.read_bytes() == whole.read_bytes()
    assert not partial.exists()


def test_other_settings_and_changed_photographs_begin_anew(
    photos: Path, tmp_path: Path, stub: Callable[..., Stub]
) -> None:
    out = tmp_path / "mine.json"
    stub(stop_after=2)
    with pytest.raises(KeyboardInterrupt):
        label_photographs([photos], out)
    stub(version=2)
    with pytest.raises(DataError, match=r"mine\.json\.partial: holds photographs labelled by another model"):
        label_photographs([photos], out)
    stub()
    with pytest.raises(DataError, match="or with other turns"):
        label_photographs([photos], out, turns=(90,))
    paint(photos / "a.png", joints(7))
    again = stub()
    label_photographs([photos], out)
    assert again.photos == 2
    np.testing.assert_allclose(CocoHands(out)[0]["keypoints"], joints(7), atol=1e-3)
    with pytest.raises(DataError, match=r"mine\.json: exists"):
        label_photographs([photos], out)
    fresh = stub(version=2)
    label_photographs([photos], out, overwrite=True)
    assert fresh.photos == 3


def test_a_turned_canvas_is_kept_within_the_pipelines_limit(
    photos: Path, tmp_path: Path, stub: Callable[..., Stub], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = stub()
    size = Image.open(photos / "a.png").size
    made.load = LoadImage(max_pixels=size[0] * size[1])
    seen: list[tuple[int, int]] = []

    def find(image: np.ndarray) -> Hands:
        seen.append(image.shape[:2])
        return Hands.empty((image.shape[1], image.shape[0]))

    monkeypatch.setattr(made, "find", find)
    with pytest.raises(DataError, match="no hand is found"):
        label_photographs([photos / "a.png"], tmp_path / "mine.json", turns=(45,))
    assert len(seen) == 3
    assert max(height * width for height, width in seen) <= size[0] * size[1]
    view = agreement.View.turned(size, 45, size[0] * size[1])
    np.testing.assert_allclose(view.crop.inverse_points(view.crop.apply_points(np.array([[5.0, 9.0]]))), [[5, 9]])


def test_unreadable_photographs(photos: Path, tmp_path: Path, stub: Callable[..., Stub]) -> None:
    stub()
    (photos / "broken.png").write_bytes((photos / "a.png").read_bytes()[:40])
    with pytest.raises(ImageError, match=r"broken\.png"):
        label_photographs([photos], tmp_path / "mine.json")
    done = label_photographs([photos], tmp_path / "mine.json", on_error="skip")
    assert list(done.skipped) == [str(photos / "broken.png")]
    assert len(document(tmp_path / "mine.json")["images"]) == done.photographs == 3


@pytest.mark.parametrize(
    ("names", "options", "error", "message"),
    [
        (["nothing"], {}, DataError, "nothing: no such file or folder"),
        (["bare"], {}, DataError, "bare: no folder with pictures"),
        (["photos/empty.png"], {}, DataError, "no hand is found in any of 1 photographs"),
        (
            ["bad.png"],
            {"on_error": "skip"},
            DataError,
            "none of the photographs can be read; the first, .*bad.png: zero bytes",
        ),
        (["photos"], {"min_quality": 1.5}, ConfigError, r"min_quality must lie in \[0, 1\]"),
        (["photos"], {"turns": (360,)}, ConfigError, "a turn of 360 degrees"),
        (["photos"], {"turns": (90, 20, -270)}, ConfigError, "turns of 90, 20, -270 degrees: one .* twice"),
        (["photos"], {"on_error": "ignore"}, ConfigError, "on_error must be 'raise' or 'skip'"),
        ([], {}, DataError, "no photograph is named"),
    ],
)
def test_mistakes(
    names: list[str],
    options: dict[str, Any],
    error: type[HandkitError],
    message: str,
    photos: Path,
    tmp_path: Path,
    stub: Callable[..., Stub],
) -> None:
    stub()
    (tmp_path / "bare").mkdir()
    (tmp_path / "bad.png").write_bytes(b"")
    with pytest.raises(error, match=message):
        label_photographs([tmp_path / name for name in names], tmp_path / "out" / "mine.json", **options)
    assert not list((tmp_path / "out").glob("*"))


def test_a_full_disk_leaves_the_old_file_and_names_the_new(
    photos: Path, tmp_path: Path, stub: Callable[..., Stub], disk_of: Callable[[int], AbstractContextManager[None]]
) -> None:
    stub()
    out = tmp_path / "mine.json"
    out.write_text("old")
    with pytest.raises(OSError, match=r"mine\.json\.partial"), disk_of(600):
        label_photographs([photos], out, overwrite=True)
    assert out.read_text() == "old"
    assert label_photographs([photos], out, overwrite=True).good == 2


def test_the_default_pipeline_on_the_demo_hand(tmp_path: Path) -> None:
    picture = np.asarray(Image.open(demo_image()).convert("RGB"))
    (tmp_path / "photos").mkdir()
    for name, pixels in (("a", picture), ("mirrored", picture[:, ::-1]), ("turned", np.rot90(picture, -1))):
        Image.fromarray(np.ascontiguousarray(pixels)).save(tmp_path / "photos" / f"{name}.png")
    done = label_photographs([tmp_path / "photos"], tmp_path / "mine.json")
    assert (done.photographs, done.good) == (3, 3)
    reader = CocoHands(tmp_path / "mine.json")
    plain, mirrored, turned = (reader[index] for index in range(3))
    height, width = picture.shape[:2]
    size = np.ptp(plain["keypoints"], axis=0).max()
    flipped = np.stack([width - 1 - mirrored["keypoints"][:, 0], mirrored["keypoints"][:, 1]], -1)
    upright = np.stack([turned["keypoints"][:, 1], height - 1 - turned["keypoints"][:, 0]], -1)
    for other in (flipped, upright):
        assert np.linalg.norm(other - plain["keypoints"], axis=-1).mean() < 0.01 * size
    assert (plain["right"], mirrored["right"], turned["right"]) == (1, 0, 1)
    info = document(tmp_path / "mine.json")["info"]
    assert [net["part"] for net in info["nets"]] == ["detector", "model"]
    assert all(len(net["sha256"]) == 64 for net in info["nets"])
