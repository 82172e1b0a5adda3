"""The web program over real sockets: right answers, clear refusals, and uploads that mean harm."""

from __future__ import annotations

import io
import os
import re
import socket
import struct
import subprocess
import sys
import threading
import time
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import handkit
from handkit.apps.web import MAX_BYTES, MAX_PIXELS, serve
from handkit.demo_image import demo_image
from handkit.hands import Hands
from handkit.skeleton import HAND

DEMO = demo_image().read_bytes()
MODEL = "pipelines/hand_2d_keypoints_mediapipe"


def encoded(size: tuple[int, int] = (32, 24), kind: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, (90, 120, 90)).save(file, kind, **options)
    return file.getvalue()


def never() -> Any:
    raise AssertionError("the model is loaded before the rest is known to be good")


def nothing(image: Any, **options: Any) -> Hands:
    """A pipeline that finds no hand."""
    return Hands.empty((image.shape[1], image.shape[0]))


def test_the_answer_is_the_pipelines(server: Any) -> None:
    pipe = handkit.pipeline(model=MODEL)
    answer = server.upload(DEMO)
    assert (answer.status, answer.json) == (200, pipe(demo_image()).to_dict())
    mirrored = server.upload(DEMO, query="?mirrored=true").json
    assert mirrored == pipe(demo_image(), mirrored=True).to_dict()
    assert mirrored["handedness"] == ["left"]
    jpeg = encoded((320, 240), "JPEG")
    assert server.upload(jpeg).json == Hands.empty((320, 240), spatial=True).to_dict()


def test_skeleton_and_interface(server: Any) -> None:
    skeleton = server.ask("GET", "/v1/skeleton").json
    assert skeleton["joints"] == list(HAND.joints)
    assert skeleton["edges"] == [list(edge) for edge in HAND.edges]
    assert skeleton["colors"] == [list(color) for color in HAND.colors]
    hands = server.ask("GET", "/openapi.json").json["paths"]["/v1/hands"]["post"]
    assert {"400", "408", "413", "415", "422"} <= set(hands["responses"])
    assert list(hands["requestBody"]["content"]) == ["multipart/form-data"]
    assert server.ask("GET", "/docs").status == 404
    assert server.ask("GET", "/v1/hands").status == 405


def test_the_page_asks_nobody_else(server: Any) -> None:
    page = server.ask("GET", "/")
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in re.search(r"script-src ([^;]*)", policy)[1]  # type: ignore[index]
    assert page.headers["x-content-type-options"] == "nosniff"
    assert not re.search(rb"https?://", page.body)


@pytest.mark.parametrize(
    ("pictures", "status", "words"),
    [
        ((), 400, "no picture: send one JPEG or PNG"),
        ((b"",), 400, "the picture is empty"),
        ((DEMO, DEMO), 400, "Too many files"),
        ((DEMO + bytes(MAX_BYTES),), 413, "more than 1048576 bytes"),
        ((encoded(kind="GIF"),), 415, "neither a JPEG nor a PNG"),
        ((b"<svg xmlns='http://www.w3.org/2000/svg'/>",), 415, "neither a JPEG nor a PNG"),
        ((b"%PDF-1.7",), 415, "neither a JPEG nor a PNG"),
        ((DEMO[:9000],), 422, "broken or truncated"),
        ((b"\x89PNG\r\n\x1a\n" + bytes(100),), 422, "save it anew"),
        ((b"\xff\xd8\xff\xe0",), 422, "save it anew"),
        ((encoded(kind="JPEG")[:-20],), 422, "broken or truncated"),
    ],
)
def test_refusals(server: Any, pictures: tuple[bytes, ...], status: int, words: str) -> None:
    answer = server.upload(*pictures)
    assert (answer.status, words in answer.detail) == (status, True), answer


def test_one_byte_decides(serving: Any) -> None:
    server = serving(nothing)
    picture = encoded()
    assert server.upload(picture + bytes(MAX_BYTES - len(picture))).status == 200
    assert server.upload(picture + bytes(MAX_BYTES - len(picture) + 1)).status == 413


@pytest.mark.parametrize(
    ("kind", "body", "status", "words"),
    [
        ("image/png", DEMO, 415, "the request is no upload"),
        ("application/json", b'{"file": "/etc/passwd"}', 415, "the request is no upload"),
        ("multipart/form-data", b"--edge--", 400, "cannot be read"),
        ("multipart/form-data; boundary=edge", b"no edge at all", 400, "cannot be read"),
        ("multipart/form-data; boundary=" + "e" * 5000, b"--edge--", 400, "one JPEG or PNG"),
        *(
            (
                f"multipart/form-data; boundary=edge; charset={charset}",
                b'--edge\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n-\r\n--edge--\r\n',
                400,
                "cannot be read",
            )
            for charset in ("undefined", "punycode")
        ),
        (
            "multipart/form-data; boundary=edge",
            b'--edge\r\nContent-Disposition: form-data; name="file"\r\n\r\n/etc/passwd\r\n--edge--\r\n',
            400,
            "Too many fields",
        ),
        (
            "multipart/form-data; boundary=edge",
            b"--edge\r\n" + b"X-A: b\r\n" * 1500 + b"\r\n\r\n--edge--\r\n",
            400,
            "one JPEG or PNG",
        ),
    ],
)
def test_requests_that_are_no_uploads(server: Any, kind: str, body: bytes, status: int, words: str) -> None:
    answer = server.ask("POST", "/v1/hands", body, {"Content-Type": kind})
    assert (answer.status, words in answer.detail) == (status, True), answer


def test_other_fields_names_and_queries(server: Any) -> None:
    assert server.upload(DEMO, field="image").status == 400
    assert server.upload(DEMO, name="../../../etc/passwd").status == 200
    answer = server.upload(DEMO, query="?mirrored=perhaps")
    assert (answer.status, "query.mirrored" in answer.detail) == (400, True)
    answer = server.upload(DEMO, query="?mirored=true")
    assert (answer.status, "mirored" in answer.detail) == (400, True)


def peak_bytes(pid: int) -> int:
    """The most memory that a process has held so far."""
    return int(re.search(r"VmHWM:\s*(\d+) kB", Path(f"/proc/{pid}/status").read_text())[1]) * 1024  # type: ignore[index]


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads Linux's /proc")
def test_huge_uploads_are_refused_and_not_held(server: Any) -> None:
    server.upload(DEMO)
    before = peak_bytes(server.pid)
    head = b'--edge\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'
    kind = {"Content-Type": "multipart/form-data; boundary=edge"}
    chunks = (head if i == 0 else bytes(1_000_000) for i in range(150))
    assert server.ask("POST", "/v1/hands", chunks, kind).status == 413
    chunks = (b"--edge\r\nContent-Disposition: form-data; name=" if i == 0 else b"a" * 1_000_000 for i in range(50))
    assert server.ask("POST", "/v1/hands", chunks, kind).status in (400, 413)
    assert peak_bytes(server.pid) - before < 30_000_000


def flat_png(width: int, height: int) -> bytes:
    """A black PNG whose rows are never all in memory here."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    press = zlib.compressobj(9)
    rows = b"".join(press.compress(bytes((width + 7) // 8 + 1)) for _ in range(height)) + press.flush()
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@pytest.mark.parametrize("size", [(5001, 5000), (20_000, 20_000)])
def test_pictures_that_unfold_are_refused_unread(serving: Any, size: tuple[int, int]) -> None:
    bomb = flat_png(*size)
    assert len(bomb) < MAX_BYTES
    start = time.perf_counter()
    answer = serving(nothing).upload(bomb)
    assert (answer.status, f"limit of {MAX_PIXELS}" in answer.detail) == (413, True), answer
    assert time.perf_counter() - start < 5


def test_a_jpeg_of_many_scans_is_refused_unread(serving: Any) -> None:
    """Each scan passes over all 25 million pixels and costs the sender a dozen bytes."""
    plain = encoded((64, 64), "JPEG", progressive=True)
    scan = b"\xff\xda\x00\x08\x01\x01\x00\x3f\x3f\x00\x00"
    answer = serving(nothing).upload(plain[:-2] + scan * 50_000 + plain[-2:])
    assert (answer.status, "more than 100 scans" in answer.detail) == (422, True), answer
    assert serving(nothing).upload(plain).status == 200


def test_uploads_that_never_end_are_given_up(serving: Any) -> None:
    server = serving(nothing, receive_seconds=0.2)
    kind = "Content-Type: multipart/form-data; boundary=e"
    head = f"POST /v1/hands HTTP/1.1\r\nHost: a\r\n{kind}\r\nContent-Length: 9000\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as line:
        line.sendall(f"{head}\r\n--e\r\n".encode())
        assert line.recv(1000).startswith(b"HTTP/1.1 408 ")
    with socket.create_connection(("127.0.0.1", server.port)) as line:
        line.sendall(f"{head}\r\n--e\r\n".encode())
    assert server.upload(encoded()).status == 200


def test_more_connections_than_allowed_are_turned_away(server: Any) -> None:
    lines = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(70)]
    assert server.upload(DEMO).status == 503
    for line in lines:
        line.close()
    end = time.monotonic() + 10
    while (status := server.ask("GET", "/v1/skeleton").status) == 503 and time.monotonic() < end:
        time.sleep(0.05)
    assert status == 200


def test_pictures_are_answered_one_at_a_time_and_not_mixed_up(serving: Any) -> None:
    running, most = 0, 0

    def slow(image: np.ndarray[Any, Any], **options: Any) -> Hands:
        nonlocal running, most
        running += 1
        most = max(most, running)
        time.sleep(0.02)
        running -= 1
        return nothing(image)

    server, answers = serving(slow), {}

    def ask(width: int) -> None:
        answers[width] = server.upload(encoded((width, 24))).json["image_size"]

    threads = [threading.Thread(target=ask, args=(width,)) for width in range(20, 36)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == {width: [width, 24] for width in range(20, 36)}
    assert most == 1


def test_a_fault_of_ours_tells_strangers_nothing(serving: Any) -> None:
    def broken(image: Any, **options: Any) -> Hands:
        raise RuntimeError("the secret place")

    answer = serving(broken).upload(encoded())
    assert (answer.status, b"secret" in answer.body) == (500, False)


@pytest.mark.usefixtures("_serve_extra")
def test_the_address_is_told_once_connections_are_taken(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import uvicorn

    def run(self: Any, sockets: list[socket.socket]) -> None:
        port = int(re.search(r":(\d+)/", capsys.readouterr().out)[1])  # type: ignore[index]
        socket.create_connection(("127.0.0.1", port), timeout=5).close()

    monkeypatch.setattr(uvicorn.Server, "run", run)
    serve(lambda: nothing, port=0)


def test_mistakes_on_the_command_line(cli: Any, server: Any) -> None:
    code, _, err = cli("serve", "--port", server.port, "--model", "pipelines/nothing")
    assert code == 2
    assert f"127.0.0.1:{server.port} cannot be listened at: Address already in use; choose another --port" in err
    code, _, err = cli("serve", "--port", 0, "--model", "pipelines/nothing")
    assert (code, "no config 'pipelines/nothing'" in err) == (2, True)
    code, _, err = cli("serve", "--port", 0, "--model", "pipelines/hand_detection_mediapipe")
    assert (code, "answers 'hand_detection'" in err) == (2, True)


@pytest.mark.parametrize(
    ("host", "words"),
    [
        ("", "the host is empty"),
        ("192.0.2.1", "name an address of this machine as --host"),
        ("none.invalid", "name an address of this machine as --host"),
        ("é..", "name an address of this machine as --host"),
    ],
)
@pytest.mark.usefixtures("_serve_extra")
def test_a_host_that_is_none_is_told(host: str, words: str) -> None:
    with pytest.raises(OSError, match=words):
        serve(never, host, 0)


@pytest.mark.parametrize("module", ["fastapi", "python_multipart", "uvicorn"])
def test_a_missing_extra_is_named(cli: Any, monkeypatch: pytest.MonkeyPatch, module: str, server: Any) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    code, _, err = cli("serve", "--model", "pipelines/nothing")
    assert code == 2
    assert f"{module.replace('_', '-')} is needed for handkit serve: pip install 'handkit[serve]'" in err


def test_help_and_the_module_need_no_extra() -> None:
    code = "import sys; sys.modules.update(dict.fromkeys(['fastapi', 'uvicorn', 'starlette', 'anyio'])); "
    code += "import handkit.apps.web; from handkit.apps.cli.main import app; app(['serve', '--help'])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, "COLUMNS": "99"}
    )
    assert (done.returncode, "--port" in done.stdout) == (0, True), done.stderr
