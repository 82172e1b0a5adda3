"""A server on this machine that speaks ModelScope's two calls; its own snapshot_download understands it."""

from __future__ import annotations

import hashlib
import json
import threading
import urllib.parse
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = tuple[int, str, bytes]


class Server:
    """One model: ModelScope's calls below /api/v1, plain files below /mirror/hand, and what a test puts in `answers`.

    Args:
        model: its id.
        files: by their path in it. What is changed in the attribute is not what the list of files states.
    """

    def __init__(self, model: str, files: Mapping[str, bytes]) -> None:
        self.model = model
        self.stated = dict(files)
        self.files = dict(files)
        self.answers: dict[str, Callable[[], Answer]] = {}
        self.requests: list[str] = []
        self.cut = 0
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer(self, target: str) -> Answer:
        parts = urllib.parse.urlsplit(target)
        query = dict(urllib.parse.parse_qsl(parts.query))
        path = urllib.parse.unquote(parts.path)
        if path in self.answers:
            return self.answers[path]()
        base = f"/api/v1/models/{self.model}/repo"
        if query.get("Revision", "master") not in ("master", "v1"):
            return 404, "application/json", b'{"Code":10010205001,"Message":"not found"}'
        if path == f"{base}/files":
            entries = [
                {"Path": name, "Size": len(data), "Type": "blob", "Sha256": hashlib.sha256(data).hexdigest()}
                for name, data in self.stated.items()
            ]
            tree = {"Path": "detection", "Size": 0, "Type": "tree", "Sha256": ""}
            return 200, "application/json", json.dumps({"Code": 200, "Data": {"Files": [tree, *entries]}}).encode()
        name = query.get("FilePath", "") if path == base else path.removeprefix("/mirror/hand/")
        if name in self.files:
            return 200, "application/octet-stream", self.files[name]
        return 404, "text/html", b"<html>no such file</html>"

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.requests.append(self.path)
                code, kind, content = server.answer(self.path)
                self.send_response(code)
                if code in (301, 302):
                    self.send_header("Location", content.decode())
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content[: len(content) - server.cut])

            def log_message(self, *args: Any) -> None:
                pass

        return Handler
