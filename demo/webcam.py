"""Hands of a live camera, drawn in a window.

    python demo/webcam.py                                # the first camera; Q or Escape ends it
    python demo/webcam.py --camera fake:clip.mp4         # a file, played as fast as a camera would send it
    python demo/webcam.py --no-window --json hands.jsonl --out drawn

Pictures that arrive while the last one is still being answered are dropped: what is shown is as fresh as it can be.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import cv2
import numpy as np
import typer
from numpy.typing import NDArray
from PIL import Image

import handkit
from handkit.errors import HandkitError, MissingExtraError
from handkit.registry.config import parse_options

Array = NDArray[Any]


class CameraError(HandkitError, RuntimeError):
    """A camera that cannot be opened, or that has stopped sending pictures."""


@dataclass(frozen=True)
class Frame:
    """One picture: its number, when it was captured (seconds since 1970), its (H, W, 3) uint8 BGR pixels."""

    index: int
    captured: float
    image: Array


class Camera:
    """Reads pictures in a thread of its own and keeps only the newest.

    Args:
        name: the number of a camera, the address of a stream, or ``fake:VIDEO``, a file that is played once at its own
            pace.

    Attributes:
        idle: called again and again while no picture comes; False ends the waiting.

    Raises:
        CameraError: it cannot be opened.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.idle: Callable[[], bool] = lambda: True
        self.captured = 0
        fake = name.startswith("fake:")
        source: int | str = int(name) if name.isdecimal() else name.removeprefix("fake:")
        if fake and not Path(str(source)).is_file():
            raise CameraError(f"{name}: no such file")
        if isinstance(source, str) and not fake and Path(source).is_file():
            raise CameraError(f"{name} is a file and no camera; --camera fake:{name} plays it")
        try:
            self._capture = cv2.VideoCapture(source)
        except cv2.error:  # e.g. a number beyond C's
            raise CameraError(f"camera {name}: there is none of that number") from None
        if not self._capture.isOpened():
            what = (
                "is no video that OpenCV can read" if fake else "cannot be opened: is it plugged in, free, permitted?"
            )
            raise CameraError(f"camera {name} {what}")
        rate = self._capture.get(cv2.CAP_PROP_FPS) if fake else 0.0
        self._seconds = 1 / rate if rate > 0 else 0.0
        self._ends_well = fake
        self._newest: Frame | None = None
        self._over = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._read, name=f"camera {name}", daemon=True)

    def __enter__(self) -> Camera:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over = True
        self._thread.join(timeout=1)
        if not self._thread.is_alive():  # a daemon, which may sit in `read` for as long as the camera likes
            self._capture.release()

    def __iter__(self) -> Iterator[Frame]:
        """The newest picture, each time one is asked for; waits for one that has not been given yet.

        Raises:
            CameraError: a real camera has stopped sending.
        """
        while True:
            with self._changed:
                come = self._changed.wait_for(lambda: self._newest is not None or self._over, timeout=0.05)
                frame, self._newest = self._newest, None
            if frame is not None:
                yield frame
            elif come:
                break
            elif not self.idle():
                return
        if not self._ends_well:
            raise CameraError(f"camera {self.name} has stopped sending pictures after {self.captured}")

    def _read(self) -> None:
        start = time.perf_counter()
        try:
            while not self._over:
                there, image = self._capture.read()
                if not there:
                    break
                if self._seconds:
                    time.sleep(max(0.0, start + self.captured * self._seconds - time.perf_counter()))
                with self._changed:
                    self._newest = Frame(self.captured, time.time(), image)
                    self.captured += 1
                    self._changed.notify()
        finally:  # whatever happened, nobody is to wait for more
            with self._changed:
                self._over = True
                self._changed.notify()


class Window:
    """A window of tkinter's, since the cv2 that handkit installs has none.

    Raises:
        CameraError: there is no display.
        MissingExtraError: Python came without tkinter.
    """

    def __init__(self) -> None:
        try:
            import tkinter

            self._root = tkinter.Tk()
        except ImportError:
            command = "install your system's python3-tk, or add --no-window"
            raise MissingExtraError("tkinter", "", "a window", command) from None
        except tkinter.TclError as error:
            raise CameraError(f"no window can be opened ({error}): add --no-window") from None
        self._root.title("handkit")
        self._label = tkinter.Label(self._root, borderwidth=0)
        self._label.pack()
        self.open = True
        self._root.protocol("WM_DELETE_WINDOW", self.close)
        for key in ("q", "Q", "<Escape>"):
            self._root.bind(key, lambda _: self.close())

    def show(self, image: Array) -> None:
        """Shows an (H, W, 3) uint8 RGB picture and lets keys and the mouse act."""
        from PIL import ImageTk

        photo = ImageTk.PhotoImage(Image.fromarray(image), master=self._root)
        self._label.configure(image=photo)
        self._photo = photo  # tkinter shows only what somebody holds
        self.update()

    def update(self) -> bool:
        """Lets keys and the mouse act; whether the window is still open."""
        if self.open:
            self._root.update()
        return self.open

    def close(self) -> None:
        """Ends the loop of `watch`."""
        if self.open:
            self.open = False
            self._root.destroy()


@dataclass
class Speed:
    """Seconds from a picture's capture to its being drawn."""

    seconds: list[float] = field(default_factory=list)

    def line(self, captured: int) -> str:
        """What is told at the end."""
        if not self.seconds:
            return f"{captured} pictures captured, none answered"
        half, most = np.percentile(self.seconds, [50, 95]) * 1000
        dropped = captured - len(self.seconds)
        delay = f"{half:.0f} ms from camera to screen (p50), {most:.0f} ms (p95)"
        return f"{captured} pictures captured, {len(self.seconds)} answered, {dropped} dropped; {delay}"


def watch(
    camera: Camera,
    pipe: Callable[..., Any],
    show: Callable[[Frame, Any, Array], bool],
    max_frames: int | None = None,
) -> Speed:
    """Answers the newest picture again and again, until the camera, `show` or Ctrl-C ends it.

    Args:
        camera: an entered camera.
        pipe: a pipeline of `hand_2d_keypoints`.
        show: gets each frame, its hands and the drawn RGB picture; False ends the loop.
        max_frames: pictures that are answered at most.
    """
    speed = Speed()
    with suppress(KeyboardInterrupt):
        for frame in camera:
            hands = pipe(frame.image)
            drawn = handkit.draw(frame.image, hands)
            speed.seconds.append(time.time() - frame.captured)
            if not show(frame, hands, drawn) or len(speed.seconds) == max_frames:
                break
    return speed


def main(
    camera: Annotated[str, typer.Option(help="A camera's number, a stream's address, or fake:VIDEO.")] = "0",
    model: Annotated[str | None, typer.Option(help="Bundle folder or config; default: the task's own.")] = None,
    checkpoint: Annotated[str | None, typer.Option(help="Weights for the config's model.")] = None,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, cuda:0, ...")] = None,
    cfg_options: Annotated[
        list[str] | None, typer.Option("--cfg-options", help="KEY=VALUE, a change by dotted key; repeatable.")
    ] = None,
    mirrored: Annotated[bool, typer.Option(help="The camera sends mirrored pictures.")] = False,
    window: Annotated[bool, typer.Option(help="Show the pictures.")] = True,
    json_file: Annotated[Path | None, typer.Option("--json", help="File that gets one line of JSON a picture.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for the drawn pictures (JPEG).")] = None,
    max_frames: Annotated[int | None, typer.Option(help="End after so many answered pictures.", min=1)] = None,
) -> None:
    """Finds and draws the hands of a live camera."""
    source, screen = Camera(camera), Window() if window else None
    if screen is not None:
        source.idle = screen.update
    options = parse_options(cfg_options or [])
    pipe = handkit.pipeline(model=model, checkpoint=checkpoint, device=device, mirrored=mirrored, cfg_options=options)
    with ExitStack() as stack:
        lines = stack.enter_context(json_file.open("w", encoding="utf-8")) if json_file else None
        if out is not None:
            out.mkdir(parents=True, exist_ok=True)

        def show(frame: Frame, hands: Any, drawn: Array) -> bool:
            if lines is not None:
                lines.write(json.dumps({"frame": frame.index, "captured": frame.captured, **hands.to_dict()}) + "\n")
            if out is not None:
                Image.fromarray(drawn).save(out / f"{frame.index:06d}.jpg", quality=90)
            if screen is not None:
                screen.show(drawn)
            return screen is None or screen.open

        stack.enter_context(source)
        speed = watch(source, pipe, show, max_frames)
        print(speed.line(source.captured))


if __name__ == "__main__":
    try:
        typer.run(main)
    except (HandkitError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
