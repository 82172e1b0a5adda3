"""A package index on this machine, wheels made on the spot, and cards that name them."""

from __future__ import annotations

import hashlib
import json
import os
import sys
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from handkit.hub import catalogue

WHEEL = "handkit_nets-1.0-py3-none-any.whl"
REQUIREMENT = "handkit-nets==1.0"


class Index:
    """A simple index (PEP 503, or PEP 691 with `as_json`) that serves wheels and remembers what was asked for."""

    def __init__(self) -> None:
        self.wheels: dict[str, bytes] = {}
        self.requests: list[str] = []
        self.as_json = False
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/simple/"

    def downloads(self) -> list[str]:
        """Names of the wheels that were fetched, in order."""
        return [path.rpartition("/")[2] for path in self.requests if path.endswith(".whl")]

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _answer(self, path: str) -> tuple[str, bytes] | None:
        if path == "/simple/handkit-nets/":
            if self.as_json:
                entries = [{"filename": n, "url": f"../../files/{n}", "hashes": {}} for n in self.wheels]
                page = {"meta": {"api-version": "1.0"}, "name": "handkit-nets", "files": entries}
                return "application/vnd.pypi.simple.v1+json", json.dumps(page).encode()
            links = "".join(f'<a href="../../files/{name}">{name}</a><br>' for name in self.wheels)
            return "text/html", f"<!DOCTYPE html><html><body>{links}</body></html>".encode()
        name = path.removeprefix("/files/")
        return ("application/octet-stream", self.wheels[name]) if name in self.wheels else None

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        index = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                index.requests.append(self.path)
                answer = index._answer(self.path)
                if answer is None:
                    self.send_error(404)
                    return
                self.send_response(200)
                self.send_header("Content-Type", answer[0])
                self.send_header("Content-Length", str(len(answer[1])))
                self.end_headers()
                self.wfile.write(answer[1])

            def log_message(self, *args: Any) -> None:
                pass

        return Handler


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


class Maker:
    """Makes wheels and cards below a temporary folder that stands in for the shipped cards."""

    def __init__(self, folder: Path) -> None:
        self.cards = folder / "shipped"
        self.cards.mkdir()
        self.folder = folder

    def wheel(self, members: dict[str, bytes], filename: str = WHEEL) -> bytes:
        """The bytes of a wheel that pip accepts."""
        python, abi, platform = filename.removesuffix(".whl").split("-")[-3:]
        info = "handkit_nets-1.0.dist-info"
        path = self.folder / filename
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in members.items():
                archive.writestr(name, content)
            archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: handkit-nets\nVersion: 1.0\n")
            tag = f"{python}-{abi}-{platform}"
            archive.writestr(f"{info}/WHEEL", f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n")
            archive.writestr(f"{info}/RECORD", "")
        content = path.read_bytes()
        path.unlink()
        return content

    def file(self, name: str, content: bytes, *sources: str, **changes: Any) -> dict[str, Any]:
        """The card's entry of one file."""
        entry = {"name": name, "sha256": sha256(content), "size": len(content), "sources": list(sources)}
        return {**entry, **changes}

    def stated(self, wheel: bytes, filename: str = WHEEL, **changes: Any) -> dict[str, Any]:
        """The card's `wheels`."""
        return {REQUIREMENT: {"filename": filename, "sha256": sha256(wheel), "size": len(wheel), **changes}}

    def card(self, *files: dict[str, Any], name: str = "nets", **changes: Any) -> Path:
        """Writes a card."""
        card = {
            "title": "Nets for tests",
            "licence": "Apache-2.0",
            "licence_note": "made by the tests",
            "training_data": "none",
            "files": list(files),
            **changes,
        }
        path = self.cards / f"{name}.json"
        path.write_text(json.dumps(card))
        return path


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Maker:
    """Cards made with it replace the shipped ones."""
    maker = Maker(tmp_path)
    monkeypatch.setattr(catalogue, "FOLDER", maker.cards)
    return maker


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty HANDKIT_HOME, and no HANDKIT_SOURCES."""
    monkeypatch.setenv("HANDKIT_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("HANDKIT_SOURCES", raising=False)
    return tmp_path / "home"


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch) -> Iterator[Index]:
    """The only index that pip and handkit know of."""
    server = Index()
    for name in (
        "PIP_EXTRA_INDEX_URL",
        "PIP_FIND_LINKS",
        "PIP_CONSTRAINT",
        "http_proxy",
        "HTTP_PROXY",
        "all_proxy",
        "ALL_PROXY",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", server.url)
    yield server
    server.close()


@pytest.fixture
def no_pip(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Python without pip."""
    monkeypatch.setitem(sys.modules, "pip", None)


@pytest.fixture(params=["pip", "urllib"])
def either_way(request: pytest.FixtureRequest) -> str:
    """Runs a test with pip and without."""
    if request.param == "urllib":
        request.getfixturevalue("no_pip")
    else:
        pytest.importorskip("pip")
    return request.param
