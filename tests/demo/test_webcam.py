"""demo/webcam.py: the newest picture is answered, the others are dropped, and every end is a clear one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

import handkit
from handkit.demo_image import demo_image
from handkit.hands import Hands

PROGRAM = Path(__file__).resolve().parents[2] / "demo" / "webcam.py"
MODEL = "pipelines/hand_2d_keypoints_mediapipe"


@pytest.fixture(scope="module")
def webcam(program_module: Callable[[str], ModuleType]) -> ModuleType:
    return program_module("demo/webcam.py")


def video(path: Path, images: list[Any], rate: float) -> str:
    """Writes (H, W, 3) BGR pictures and names them as the program's camera."""
    height, width = images[0].shape[:2]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), rate, (width, height))
    assert writer.isOpened()
    for image in images:
        writer.write(image)
    writer.release()
    return f"fake:{path}"


def nothing(image: Any) -> Hands:
    return Hands.empty((image.shape[1], image.shape[0]))


def test_a_slow_reader_gets_the_newest_picture_and_the_last(webcam: ModuleType, tmp_path: Path) -> None:
    name = video(tmp_path / "clip.avi", [np.full((48, 64, 3), 15 * i, np.uint8) for i in range(15)], rate=10)
    seen, behind, start = [], [], time.perf_counter()
    with webcam.Camera(name) as camera:
        for frame in camera:
            behind.append(camera.captured - 1 - frame.index)
            assert abs(frame.image.mean() - 15 * frame.index) < 4
            seen.append(frame.index)
            time.sleep(0.25)
    assert camera.captured == 15
    assert seen == sorted(set(seen))
    assert seen[-1] == 14
    assert len(seen) < 10
    assert max(behind) <= 1
    assert time.perf_counter() - start > 1.3  # the pace of the file


class StandIn:
    """A device that sends three pictures and then none, or fails."""

    def __init__(self, source: object, then: Exception | None = None) -> None:
        self.left, self.then = 3, then

    def isOpened(self) -> bool:
        return True

    def read(self) -> tuple[bool, Any]:
        if not self.left and self.then:
            raise self.then
        self.left -= 1
        return self.left >= 0, np.zeros((24, 32, 3), np.uint8)

    def release(self) -> None:
        pass


def test_a_camera_that_is_unplugged_is_an_error(webcam: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webcam.cv2, "VideoCapture", StandIn)
    with webcam.Camera("0") as camera, pytest.raises(webcam.CameraError, match="stopped sending pictures after 3"):
        webcam.watch(camera, nothing, lambda *_: True)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_driver_that_fails_leaves_nobody_waiting(webcam: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webcam.cv2, "VideoCapture", lambda source: StandIn(source, cv2.error("broken driver")))
    with webcam.Camera("0") as camera, pytest.raises(webcam.CameraError, match="stopped sending"):
        webcam.watch(camera, nothing, lambda *_: True)


@pytest.fixture
def stalled(webcam: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Cameras send one picture, and none for as long as the test lasts."""
    over = threading.Event()

    class Stalled(StandIn):
        def read(self) -> tuple[bool, Any]:
            if self.left < 3:
                over.wait(60)
            return super().read()

    monkeypatch.setattr(webcam.cv2, "VideoCapture", Stalled)
    yield
    over.set()


@pytest.mark.usefixtures("stalled")
@pytest.mark.parametrize("way", ["max_frames", "window"])
def test_a_camera_that_stalls_can_be_left(webcam: ModuleType, way: str) -> None:
    asked, start = [], time.perf_counter()
    answers = iter([True, True, False])

    def idle() -> bool:
        asked.append(way)
        return next(answers)

    with webcam.Camera("0") as camera:
        camera.idle = idle if way == "window" else camera.idle
        speed = webcam.watch(camera, nothing, lambda *_: True, max_frames=1 if way == "max_frames" else None)
    assert time.perf_counter() - start < 30
    assert len(speed.seconds) == 1
    assert way == "max_frames" or len(asked) == 3


def test_captured_is_the_time_of_day(webcam: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webcam.cv2, "VideoCapture", StandIn)
    before = time.time()
    with webcam.Camera("0") as camera:
        frame = next(iter(camera))
    assert before <= frame.captured <= time.time()


@pytest.mark.parametrize("way", ["max_frames", "window", "interrupt"])
def test_three_ways_to_stop(webcam: ModuleType, tmp_path: Path, way: str) -> None:
    name = video(tmp_path / "clip.avi", [np.zeros((48, 64, 3), np.uint8)] * 100, rate=100)

    def show(*_: Any) -> bool:
        if way == "interrupt":
            raise KeyboardInterrupt
        return way != "window"

    with webcam.Camera(name) as camera:
        speed = webcam.watch(camera, nothing, show, max_frames=1 if way == "max_frames" else None)
    assert len(speed.seconds) == 1
    assert camera.captured < 100
    assert speed.line(7).startswith("7 pictures captured, 1 answered, 6 dropped; ")


def test_a_file_is_answered_drawn_and_written(
    webcam: ModuleType, tmp_path: Path, mediapipe_files: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    still = cv2.imread(str(demo_image()))
    name = video(tmp_path / "clip.avi", [still] * 3, rate=5)
    webcam.main(camera=name, model=MODEL, window=False, json_file=tmp_path / "hands.jsonl", out=tmp_path / "drawn")
    rows = [json.loads(line) for line in (tmp_path / "hands.jsonl").read_text("utf-8").splitlines()]
    assert rows[-1]["frame"] == 2
    assert f"3 pictures captured, {len(rows)} answered" in capsys.readouterr().out
    truth = handkit.pipeline(model=MODEL)(still)
    for row in rows:
        assert row["handedness"] == ["right"]
        assert np.abs(np.array(row["keypoints"])[..., :2] - truth.keypoints).max() < 4  # the video is a lossy one
    drawn = np.asarray(Image.open(tmp_path / "drawn" / "000002.jpg")).astype(int)
    wanted, plain = handkit.draw(still, truth).astype(int), still[..., ::-1].astype(int)
    painted = np.abs(wanted - plain).max(-1) > 60
    assert np.abs(drawn - wanted)[painted].mean() < np.abs(plain - wanted)[painted].mean() / 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--camera", "fake:absent.avi"], "fake:absent.avi: no such file"),
        (["--camera", f"fake:{PROGRAM}"], "is no video that OpenCV can read"),
        (["--camera", str(PROGRAM)], f"is a file and no camera; --camera fake:{PROGRAM} plays it"),
        (["--camera", "987"], "camera 987 cannot be opened"),
        (["--camera", "9" * 20], "there is none of that number"),
        (["--camera", "CLIP"], "no window can be opened"),
        (["--camera", "CLIP", "--no-window", "--model", "pipelines/nothing"], "no config 'pipelines/nothing'"),
    ],
)
def test_mistakes_are_one_line(arguments: list[str], words: str, tmp_path: Path) -> None:
    clip = video(tmp_path / "clip.avi", [np.zeros((48, 64, 3), np.uint8)] * 2, rate=10)
    environment = {key: value for key, value in os.environ.items() if key != "DISPLAY"}
    command = [sys.executable, str(PROGRAM), *(clip if word == "CLIP" else word for word in arguments)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert words in done.stderr.splitlines()[-1]
