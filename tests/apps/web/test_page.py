"""The page in a real browser: what a user chooses, sees and downloads."""

from __future__ import annotations

import base64
import io
import json
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from handkit.demo_image import demo_image

DONE = "!document.getElementById('status').textContent.startsWith('looking') && document.getElementById('status').textContent !== ''"  # noqa: E501
STATUS = "document.getElementById('status').textContent"


@pytest.fixture
def page(browser: Any, server: Any) -> Any:
    browser.open(server.url)
    return browser


def choose(page: Any, path: Path) -> str:
    page.run("document.getElementById('status').textContent = document.getElementById('file').value = ''")
    page.choose("#file", path)
    page.wait(DONE)
    return str(page.run(STATUS))


def canvas(page: Any) -> np.ndarray[Any, Any]:
    """The canvas's pixels, RGB."""
    png = base64.b64decode(page.run("canvas.toDataURL('image/png')").split(",")[1])
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


def test_a_hand_is_drawn_listed_and_downloaded(page: Any, server: Any, tmp_path: Path) -> None:
    assert choose(page, demo_image()) == "one hand"
    answer = server.upload(demo_image().read_bytes()).json
    points = np.array(answer["keypoints"][0])

    drawn, plain = canvas(page), np.asarray(Image.open(demo_image()).convert("RGB"))
    assert drawn.shape == plain.shape
    changed = np.abs(drawn.astype(int) - plain).max(-1) > 40
    rows, columns = np.rint(points[:, 1]).astype(int), np.rint(points[:, 0]).astype(int)
    colors = np.array(server.ask("GET", "/v1/skeleton").json["colors"])
    assert np.abs(drawn[rows, columns].astype(int) - colors).max() <= 8
    far = np.ones(changed.shape, bool)
    left, top, right, bottom = (int(v) for v in (*(points[:, :2].min(0) - 12), *(points[:, :2].max(0) + 12)))
    far[top:bottom, left:right] = False
    assert not changed[far].any()

    cells = page.run(
        "[...document.querySelectorAll('tbody tr')].map((row) => [...row.cells].map((c) => c.textContent))"
    )
    assert [row[0] for row in cells] == [name.replace("_", " ") for name in joints(server)]
    assert np.allclose(np.array([row[1:3] for row in cells], float), points[:, :2], atol=0.051)
    assert np.allclose(np.array([row[3] for row in cells], float), points[:, 2], atol=0.0051)
    assert page.run("document.querySelector('caption').textContent").startswith("1: right hand, 9")

    page.call("Page.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
    page.run("document.getElementById('download').click()")
    target = tmp_path / f"{demo_image().stem}.json"
    end = time.monotonic() + 20
    while not target.exists() and time.monotonic() < end:
        time.sleep(0.02)
    assert json.loads(target.read_text("utf-8")) == answer
    assert set(page.requests()) == {server.url, f"{server.url}v1/skeleton", f"{server.url}v1/hands"}
    assert page.complaints() == []
    if folder := os.environ.get("HANDKIT_SCREENSHOTS"):
        page.screenshot(Path(folder) / "serve.png")


def joints(server: Any) -> list[str]:
    names: list[str] = server.ask("GET", "/v1/skeleton").json["joints"]
    return names


def test_a_picture_that_lies_on_its_side_is_shown_upright(page: Any, tmp_path: Path) -> None:
    upright = Image.open(demo_image()).convert("RGB")
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise by 90 degrees
    upright.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "side.jpg", exif=exif, quality=95)
    assert choose(page, tmp_path / "side.jpg") == "one hand"
    drawn, plain = canvas(page).astype(int), np.asarray(upright).astype(int)
    assert drawn.shape == plain.shape
    assert np.median(np.abs(drawn - plain)) <= 4


def test_mirrored_pictures_keep_the_persons_side(page: Any) -> None:
    assert choose(page, demo_image()) == "one hand"
    page.run("document.querySelector('caption').textContent = ''")
    page.run("document.getElementById('mirrored').click()")
    page.wait("document.querySelector('caption')?.textContent.startsWith('1: left hand')")


def test_no_hand_and_errors_are_said_and_leave_nothing_old(page: Any, tmp_path: Path) -> None:
    assert choose(page, demo_image()) == "one hand"
    Image.new("RGB", (320, 240), (90, 120, 90)).save(tmp_path / "wall.png")
    assert choose(page, tmp_path / "wall.png") == "no hand found"
    assert page.run("document.querySelectorAll('#tables *').length") == 0
    assert page.run("document.getElementById('result').hidden") is False

    (tmp_path / "notes.jpg").write_text("<script>alert(1)</script>")
    (tmp_path / "torn.png").write_bytes(demo_image().read_bytes()[:9000])
    (tmp_path / "large.jpg").write_bytes(b"\xff\xd8\xff" + bytes(8_000_000))
    (tmp_path / "empty.png").touch()
    for name, words in (
        ("notes.jpg", "neither a JPEG nor a PNG"),
        ("torn.png", "broken or truncated"),
        ("large.jpg", "more than 1048576 bytes"),
        ("empty.png", "the picture is empty"),
    ):
        assert words in choose(page, tmp_path / name)
        assert page.run("document.getElementById('status').classList.contains('bad')")
        assert page.run("document.getElementById('result').hidden && document.getElementById('download').hidden")
    assert choose(page, demo_image()) == "one hand"


def test_a_skeleton_that_did_not_come_is_asked_for_again(page: Any) -> None:
    """The first request for it is refused; every other one is the server's."""
    page.run("""(() => {
        const real = fetch;
        let left = 1;
        window.fetch = (url, ...rest) => url === "/v1/skeleton" && left-- > 0
            ? Promise.resolve(new Response('{"detail": "too busy"}', { status: 503 })) : real(url, ...rest);
    })()""")
    assert choose(page, demo_image()) == "too busy"
    assert choose(page, demo_image()) == "one hand"


def test_only_a_lost_server_is_called_one(page: Any) -> None:
    page.run("(() => { const real = show; show = () => { show = real; null.length; }; })()")
    assert "null" in choose(page, demo_image())
    page.run("(() => { window.fetch = () => Promise.reject(new TypeError('Failed to fetch')); })()")
    assert choose(page, demo_image()).startswith("the server does not answer")


def test_markup_in_a_files_name_stays_text(page: Any, tmp_path: Path) -> None:
    hostile = tmp_path / "<img src=x onerror=document.title='run'>.png"
    hostile.write_bytes(demo_image().read_bytes())
    assert choose(page, hostile) == "one hand"
    assert page.run("document.title") == "handkit: the joints of a hand"
    assert page.run("document.querySelectorAll('img').length") == 0
