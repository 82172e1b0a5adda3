"""A real server, real uploads, and a real browser."""

from __future__ import annotations

import base64
import fcntl
import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

RUN = [sys.executable, "-c", "from handkit.apps.cli.main import main; main()"]
MODEL = "pipelines/hand_2d_keypoints_mediapipe"
#: Starts a program with its file descriptors 3 and 4 taken from this test.
_WITH_PIPES = """
import os, sys
for given, number in zip(sys.argv[1:3], (3, 4)):
    os.dup2(int(given), number)
os.execvp(sys.argv[3], sys.argv[3:])
"""
_FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--remote-debugging-pipe", "--window-size=1200,900"),
)


@dataclass(frozen=True)
class Answer:
    """What a server said."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def detail(self) -> str:
        return str(self.json["detail"])


@dataclass(frozen=True)
class Server:
    """A running server."""

    port: int
    pid: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def ask(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return Answer(answer.status, {key.lower(): value for key, value in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def upload(self, *pictures: bytes, field: str = "file", name: str = "hand.png", query: str = "") -> Answer:
        """Sends pictures as a browser's form does."""
        parts = [
            f'--edge\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\n\r\n'.encode() + one
            for one in pictures
        ]
        body = b"\r\n".join([*parts, b"--edge--\r\n"])
        return self.ask("POST", f"/v1/hands{query}", body, {"Content-Type": "multipart/form-data; boundary=edge"})


@pytest.fixture(scope="session")
def _serve_extra() -> None:
    from_root = pytest.importorskip if os.environ.get("HANDKIT_CI") != "1" else __import__
    for module in ("fastapi", "python_multipart", "uvicorn"):
        from_root(module)


@pytest.fixture(scope="session")
def server(_serve_extra: None, mediapipe_files: dict[str, Path]) -> Iterator[Server]:
    """`handkit serve`, ended by Ctrl-C, which must be a good end."""
    command = [*RUN, "serve", "--port", "0", "--model", MODEL]
    environment = {**os.environ, "HANDKIT_OFFLINE": "1"}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert line.startswith("handkit is at http://127.0.0.1:"), line
        yield Server(int(line.split("127.0.0.1:")[1].split("/")[0]), process.pid)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)
        assert "Traceback" not in errors, errors
    finally:
        process.kill()
        process.communicate()


@pytest.fixture
def serving(_serve_extra: None) -> Iterator[Callable[..., Server]]:
    """Serves a pipeline of the test's own in this process: ``serving(pipe, **arguments of create_app)``."""
    import uvicorn

    from handkit.apps.web import create_app

    running: list[tuple[uvicorn.Server, threading.Thread]] = []

    def start(pipe: Callable[..., Any], **options: Any) -> Server:
        web = uvicorn.Server(uvicorn.Config(create_app(pipe, **options), port=0, log_level="critical"))
        thread = threading.Thread(target=web.run)
        thread.start()
        running.append((web, thread))
        while not web.started:
            time.sleep(0.01)
        return Server(web.servers[0].sockets[0].getsockname()[1], os.getpid())

    yield start
    for web, thread in running:
        web.should_exit = True
        thread.join()


class Browser:
    """Chromium without a window, driven over its debugging pipe (Chrome DevTools Protocol)."""

    def __init__(self, program: str, profile: Path) -> None:
        (commands_in, commands), (events, events_out) = os.pipe(), os.pipe()
        # Numbers from 10 on, so that taking 3 and 4 overwrites neither.
        ends = [fcntl.fcntl(fd, fcntl.F_DUPFD, 10) for fd in (commands_in, events_out)]
        self.process = subprocess.Popen(
            [sys.executable, "-c", _WITH_PIPES, *map(str, ends), program, *_FLAGS, f"--user-data-dir={profile}"],
            pass_fds=ends,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for fd in (commands_in, events_out, *ends):
            os.close(fd)
        self._commands, self._events = os.fdopen(commands, "wb", 0), os.fdopen(events, "rb")
        self._buffer, self._count, self._session = b"", 0, None
        self.seen: list[dict[str, Any]] = []
        # A page of its own: the one that the browser begins with may still be loading the browser's new-tab page.
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """One command's result; events that come before it are kept in `seen`."""
        self._count += 1
        message = {"id": self._count, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        self._commands.write(json.dumps(message).encode() + b"\0")
        while (answer := self._read()).get("id") != self._count:
            self.seen.append(answer)
        assert "error" not in answer, answer
        result: dict[str, Any] = answer["result"]
        return result

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            read = os.read(self._events.fileno(), 1 << 20)
            assert read, "the browser has ended"
            self._buffer += read
        message, self._buffer = self._buffer.split(b"\0", 1)
        answer: dict[str, Any] = json.loads(message)
        return answer

    def open(self, url: str) -> None:
        self.seen.clear()
        self.call("Page.navigate", url=url)
        self.wait(f"document.URL === '{url}' && document.readyState === 'complete'")

    def run(self, script: str) -> Any:
        """The value of a JavaScript expression in the page."""
        done = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in done, done
        return done["result"].get("value")

    def wait(self, condition: str, seconds: float = 30.0) -> None:
        end = time.monotonic() + seconds
        while not self.run(condition):
            assert time.monotonic() < end, f"{condition} did not come true: {self.run('document.body.innerText')}"
            time.sleep(0.05)

    def choose(self, selector: str, *files: Path) -> None:
        """What a user does in the dialogue of a file input."""
        found = self.call("Runtime.evaluate", expression=f"document.querySelector('{selector}')")["result"]
        self.call("DOM.setFileInputFiles", files=list(map(str, files)), objectId=found["objectId"])

    def screenshot(self, path: Path) -> None:
        data = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True)["data"]
        path.write_bytes(base64.b64decode(data))

    def requests(self) -> list[str]:
        """The addresses that were asked for since `open`, but for those inside the page."""
        self.call("Runtime.evaluate", expression="0")
        sent = (one["params"]["request"]["url"] for one in self.seen if one["method"] == "Network.requestWillBeSent")
        return [url for url in sent if not url.startswith(("data:", "blob:"))]

    def complaints(self) -> list[str]:
        """Errors on the page's console, among them what its Content-Security-Policy forbade."""
        entries = [one["params"]["entry"] for one in self.seen if one["method"] == "Log.entryAdded"]
        thrown = [str(one["params"]) for one in self.seen if one["method"] == "Runtime.exceptionThrown"]
        return [entry["text"] for entry in entries if entry["level"] == "error"] + thrown

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        self._commands.close()
        self._events.close()


@pytest.fixture(scope="session")
def browser(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    made = Browser(chromium, tmp_path_factory.mktemp("chromium"))
    yield made
    made.close()
