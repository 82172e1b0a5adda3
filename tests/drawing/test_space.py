"""Hands in space: pictures of views, and pages that a browser shows."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from handkit.drawing import draw_in_space, write_space_page
from handkit.errors import DataError, MissingExtraError
from handkit.hands import Hands
from handkit.skeleton import HAND


def hands(count: int = 1) -> Hands:
    """Flat hands whose fingers point up, the thumb to the right."""
    rng = np.random.default_rng(0)
    xyz = np.zeros((count, 21, 3))
    for finger in range(5):
        for joint in range(4):
            xyz[:, 1 + 4 * finger + joint] = (0.04 - 0.02 * finger, -0.05 - 0.02 * joint, -0.01 * joint)
    return Hands(
        keypoints=rng.uniform(0, 99, (count, 21, 2)),
        scores=np.ones((count, 21)),
        boxes=np.tile([0.0, 0, 99, 99], (count, 1)),
        box_scores=np.ones(count),
        handedness=("right", "left", None)[:count],
        handedness_scores=np.array([1, 1, 0])[:count],
        image_size=(100, 100),
        xyz_root=xyz,
    )


def coloured(picture: np.ndarray, joint: int) -> np.ndarray:
    """(M, 2) columns and rows of the pixels of a joint's colour."""
    near = np.abs(picture.astype(int) - np.array(HAND.colors[joint])).max(-1) < 12
    return np.argwhere(near)[:, ::-1]


def test_every_view_shows_the_hand_the_right_way_round() -> None:
    picture = draw_in_space(hands())
    assert (picture.shape, picture.dtype) == ((300, 1200, 3), np.uint8)
    front, side = picture[:, 300:600], picture[:, 600:900]
    thumb, pinky = coloured(front, 4), coloured(front, 20)
    assert thumb[:, 0].mean() > pinky[:, 0].mean()  # right is right
    assert thumb[:, 1].min() < 150 < thumb[:, 1].max() + 60  # tips are up, away from the wrist
    bones = coloured(side, 20)  # which hide those of the other fingers
    tip, knuckle = bones[bones[:, 1].argmin(), 0], bones[bones[:, 1].argmax(), 0]
    assert tip < knuckle - 10  # tips come nearer, which is left


def test_a_row_for_each_hand_and_an_empty_one_for_none() -> None:
    assert draw_in_space(hands(3), side=150).shape == (450, 600, 3)
    for none in (hands(0), Hands.empty((100, 100)), Hands.empty((100, 100), spatial=True)):
        picture = draw_in_space(none, side=100)
        assert (picture.shape, (picture == 255).all()) == ((100, 400, 3), True)


@pytest.mark.parametrize("side", [0, -3])
def test_views_without_pixels_are_refused(side: int) -> None:
    with pytest.raises(DataError, match=f"side must be 1 pixel or more, not {side}"):
        draw_in_space(hands(), side=side)


def test_hands_without_depth_are_refused(tmp_path: Path) -> None:
    flat = replace(hands(), xyz_root=None)
    with pytest.raises(DataError, match="no xyz_root"):
        draw_in_space(flat)
    pytest.importorskip("plotly", reason="the extra plot is not installed")
    with pytest.raises(DataError, match="no xyz_root"):
        write_space_page(tmp_path / "page.html", flat)
    assert not list(tmp_path.iterdir())


def test_the_missing_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "plotly", None)
    with pytest.raises(MissingExtraError, match=r"plotly is needed for pages of hands in space: .*handkit\[plot\]"):
        write_space_page(tmp_path / "page.html", hands())


def test_pages_share_one_script_and_hold_the_joints(tmp_path: Path) -> None:
    pytest.importorskip("plotly", reason="the extra plot is not installed")
    for name in ("one", "two"):
        write_space_page(tmp_path / f"{name}.html", hands(2))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one.html", "plotly.min.js", "two.html"]
    page = (tmp_path / "one.html").read_text("utf-8")
    assert 'src="plotly.min.js"' in page
    assert not re.search(r'src="https?:', page)
    assert page.count("pinky_finger4") == 2
    assert json.dumps("thumb4<br>x 40, y -110, z -30 mm")[1:-1].replace("<", "\\u003c").replace(">", "\\u003e") in page


def test_a_browser_shows_the_page(tmp_path: Path, chromium: str) -> None:
    pytest.importorskip("plotly", reason="the extra plot is not installed")
    write_space_page(tmp_path / "page.html", hands())
    options = ("--headless", "--no-sandbox", "--use-gl=swiftshader", "--enable-unsafe-swiftshader")
    size = ("--window-size=500,500", "--virtual-time-budget=15000", f"--screenshot={tmp_path / 'page.png'}")
    address = (tmp_path / "page.html").as_uri()
    subprocess.run([chromium, *options, *size, address], check=True, capture_output=True, timeout=100)
    picture = np.asarray(Image.open(tmp_path / "page.png").convert("RGB"))
    assert all(len(coloured(picture, joint)) > 20 for joint in (4, 8, 12, 16, 20))
