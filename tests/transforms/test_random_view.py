"""Views of whole images, and hands pasted into them: every box stays on its pixels."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from handkit.errors import ConfigError, DataError
from handkit.geometry import Crop, box_iou
from handkit.transforms import PasteHands, RandomView
from handkit.transforms.random_view import turned_boxes

SIZE = (128, 128)
NAN = np.full((1, 21, 2), np.nan, np.float32)


def disc(seed: int = 0, **changes: Any) -> dict[str, Any]:
    """A green ellipse in a grey picture of 200 x 150, with its box."""
    y, x = np.mgrid[:150, :200]
    inside = ((x - 90) / 40) ** 2 + ((y - 70) / 25) ** 2 <= 1
    img = np.full((150, 200, 3), 90, np.uint8)
    img[inside] = (0, 255, 0)
    boxes = np.array([[50, 45, 130, 95]], np.float32)
    return {
        "img": img,
        "boxes": boxes,
        "box_points": NAN,
        "ignored_boxes": boxes + 1,
        "mask": inside.astype(np.uint8),
        "rng": np.random.default_rng(seed),
        "sample_id": "disc",
        **changes,
    }


def green(img: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The tight box of the green pixels."""
    rows, columns = np.nonzero((img[..., 1] > 150) & (img[..., 0] < 60))
    return np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1], np.float32)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_a_box_stays_on_its_pixels(seed: int) -> None:
    """Of a hand without joints the inscribed ellipse is turned, which for an ellipse is exact."""
    done = RandomView(SIZE, hand_size=(0.3, 0.9), turn_prob=1.0)(disc(seed))
    assert done["img"].shape == (128, 128, 3)
    assert done["box_points"].shape == (len(done["boxes"]), 21, 2)
    assert done["boxes"].dtype == done["ignored_boxes"].dtype == np.float32
    if len(done["boxes"]):
        assert np.abs(done["boxes"][0] - green(done["img"])).max() <= 3
        assert np.abs(done["boxes"] - green(done["mask"][..., None] * np.array([0, 255, 0]))).max() <= 3
    else:
        assert len(done["ignored_boxes"])
    again = RandomView(SIZE, hand_size=(0.3, 0.9), turn_prob=1.0)(disc(seed))
    np.testing.assert_array_equal(done["img"], again["img"])


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_joints_stay_on_their_pixels(seed: int) -> None:
    """A red spot in the ellipse is where its joint says; the joints of what is cut off or too small go with its box."""
    one = disc(seed)
    one["box_points"] = np.full((1, 21, 2), np.nan, np.float32)
    one["box_points"][0, :2] = [[80, 60], [110, 75]]
    cv2.circle(one["img"], (80, 60), 7, (255, 0, 0), -1)
    done = RandomView(SIZE, hand_size=(0.3, 1.5), least_seen=0.3)(one)
    assert done["box_points"].shape == (len(done["boxes"]), 21, 2)
    if not len(done["boxes"]):
        return
    assert np.isnan(done["box_points"][0, 2:]).all()
    spot = done["box_points"][0, 0]
    if (spot < 0).any() or (spot > 127).any():
        return
    assert done["img"][tuple(np.rint(spot).astype(int)[::-1])][1] < 110
    rows, columns = np.nonzero((done["img"][..., 0] > 150) & (done["img"][..., 1] < 100))
    if min(rows.min(), columns.min()) > 0 and max(rows.max(), columns.max()) < 127:
        np.testing.assert_allclose(spot, [columns.mean(), rows.mean()], atol=1)


def test_a_turned_hand_gets_the_box_of_its_turned_joints() -> None:
    """Joints along a diagonal: turned by 45 degrees they lie in a row, with the margin they had."""
    points = np.stack([np.linspace(20, 60, 21), np.linspace(30, 70, 21)], -1)[None]
    box = np.array([[15.0, 25, 65, 75]])
    crop = Crop((40, 50), (128, 128), SIZE, np.pi / 4)
    length = 40 * np.sqrt(2)
    turned = turned_boxes(crop, box, points)
    expected = np.array([64 - length / 2 - 5, 64 - 5, 64 + length / 2 + 5, 64 + 5])
    np.testing.assert_allclose(turned[0], expected, atol=1e-6)
    assert turned_boxes(crop, box, NAN)[0][3] - turned_boxes(crop, box, NAN)[0][1] == pytest.approx(50)
    partly = np.where(np.arange(21)[:, None] % 20 == 0, points[0], np.nan)[None]
    np.testing.assert_allclose(turned_boxes(crop, box, partly), turned, atol=1e-6)
    upright = Crop((40, 50), (64, 128), SIZE)
    np.testing.assert_allclose(turned_boxes(upright, box, points), turned_boxes(upright, box, NAN))


def test_hands_of_all_sizes_come_of_it() -> None:
    sides = []
    for seed in range(120):
        done = RandomView(SIZE, hand_size=(0.2, 1.0), least_seen=0.9)(disc(seed))
        sides += [max(box[2] - box[0], box[3] - box[1]) / 128 for box in done["boxes"]]
    assert len(sides) > 60
    assert 0.15 < min(sides) < 0.3
    assert 0.8 < max(sides) <= 1
    assert 0.3 < np.median(sides) < 0.65


def test_what_is_cut_or_too_small_is_ignored() -> None:
    view = RandomView(SIZE, hand_size=(0.1, 0.1), least_side=20.0)
    done = view(disc(ignored_boxes=np.zeros((0, 4))))
    assert len(done["boxes"]) == 0
    assert len(done["ignored_boxes"]) == 1
    crossing = RandomView(SIZE)._visible(np.array([[-60.0, 10, 40, 50], [-60, 10, -40, 50], [0, 0, 50, 50]]))
    assert crossing.boxes.tolist() == [[0, 0, 50, 50]]
    assert crossing.ignored.tolist() == [[0, 10, 40, 50]]


def test_pictures_without_hands_and_rooms_behind_them(tmp_path: Path) -> None:
    Image.new("RGB", (300, 200), (200, 0, 0)).save(tmp_path / "room.png")
    none = np.zeros((0, 4), np.float32)
    img = np.full((40, 40, 3), 90, np.uint8)
    colours = set()
    for seed in range(8):
        view = RandomView(SIZE, folder=str(tmp_path))
        done = view({"img": img, "boxes": none, "rng": np.random.default_rng(seed)})
        assert done["boxes"].shape == done["ignored_boxes"].shape == (0, 4)
        colours |= {tuple(pixel) for pixel in done["img"].reshape(-1, 3).tolist()}
    assert colours >= {(90, 90, 90), (200, 0, 0)}
    assert all(90 <= red <= 200 and green <= 91 for red, green, _ in colours)


class Discs:
    """Pictures of one green disc on disk."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __len__(self) -> int:
        return 3

    def __getitem__(self, index: int) -> dict[str, Any]:
        made = disc()
        del made["img"], made["rng"]
        return {**made, "source": str(self.path)}


def test_pasted_hands_bring_their_boxes_and_hide_nobody(tmp_path: Path) -> None:
    path = tmp_path / "disc.png"
    Image.fromarray(disc()["img"]).save(path)
    paste = PasteHands(Discs(path), RandomView(SIZE, hand_size=(0.3, 0.5), shift=0.0), count=1, prob=1.0)
    assert len(pickle.loads(pickle.dumps(paste)).pictures) == 3
    room = {"img": np.zeros((128, 128, 3), np.uint8), "boxes": np.zeros((0, 4), np.float32), "sample_id": "room"}
    for seed in range(6):
        done = paste({**room, "rng": np.random.default_rng(seed)})
        assert len(done["boxes"]) == 1
        assert np.isnan(done["box_points"]).all()
        assert done["box_points"].shape == (1, 21, 2)
        assert box_iou(done["boxes"], green(done["img"])[None])[0, 0] > 0.8
        assert (done["img"] == 0).all(-1).mean() > 0.5
    full = {**room, "boxes": np.array([[0, 0, 128, 128]], np.float32), "rng": np.random.default_rng(0)}
    strict = PasteHands(Discs(path), RandomView(SIZE, hand_size=(0.9, 0.9)), count=3, prob=1.0, most_hidden=0.05)
    np.testing.assert_array_equal(strict(full)["img"], full["img"])
    assert PasteHands(Discs(path), RandomView(SIZE), prob=0.0)(full) is full


def test_hands_of_rendered_pictures_are_pasted() -> None:
    """`HandScenes` has no `source` to be read, but pixels."""
    room = {"img": np.zeros((128, 128, 3), np.uint8), "boxes": np.zeros((0, 4), np.float32), "sample_id": "room"}
    paste = PasteHands([disc()], RandomView(SIZE, hand_size=(0.3, 0.5), shift=0.0), count=1, prob=1.0)
    done = paste({**room, "rng": np.random.default_rng(0)})
    assert box_iou(done["boxes"], green(done["img"])[None])[0, 0] > 0.8


def test_what_does_not_fit_is_named(tmp_path: Path) -> None:
    path = tmp_path / "disc.png"
    Image.fromarray(disc()["img"]).save(path)
    sample = {"img": np.zeros((64, 64, 3), np.uint8), "boxes": np.zeros((0, 4)), "rng": np.random.default_rng(0)}
    with pytest.raises(DataError, match=r"its view has the size \(128, 128\), the picture \(64, 64\)"):
        PasteHands(Discs(path), RandomView(SIZE), prob=1.0)(sample)
    bare = [{"boxes": np.zeros((0, 4)), "sample_id": "bare"}]
    with pytest.raises(DataError, match="bare has no 'mask'"):
        PasteHands(bare, RandomView((64, 64)), prob=1.0)(sample)
    for arguments, message in (
        ({"input_size": (0, 5)}, r"positive \(width, height\)"),
        ({"input_size": SIZE, "hand_size": (0.5, 0.1)}, "hand_size must be"),
        ({"input_size": SIZE, "turn_prob": 2}, "turn_prob must lie in"),
    ):
        with pytest.raises(ConfigError, match=message):
            RandomView(**arguments)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="count must be 1 or more"):
        PasteHands(bare, RandomView(SIZE), count=0)
    with pytest.raises(DataError, match="holds 1 pictures, and skip=1 leaves none"):
        RandomView(SIZE, folder=str(tmp_path), skip=1)
