"""Models by id and by address: ModelScope's caches, its HTTP interface, mirrors, and what may go wrong with them."""

from __future__ import annotations

import hashlib
import json
import runpy
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from handkit import hub
from handkit.errors import ConfigError, HubError, OfflineError
from handkit.hub.model_folders import _settle
from handkit.pipelines.build import read_model

ID = "damo/cv_hand-v1.5"
REFERENCE = f"modelscope://{ID}"
CONFIG = {
    "framework": "pytorch",
    "task": "hand-2d-keypoints",
    "model": {"__easycv_arch__": {"type": "TopDown"}},
    "DETECTION": {"model_path": "detection/detection_model.pth", "config_file": "detection/config.py"},
}
FILES = {
    "configuration.json": json.dumps(CONFIG).encode(),
    "pytorch_model.pt": b"PK" + b"w" * 5000,
    "detection/detection_model.pth": b"PK" + b"d" * 3000,
    "detection/config.py": b"model = dict()\n",
    "README.md": b"# hand\n",
    "assets/picture.jpg": b"p" * 1000,
}
NEEDED = {name for name in FILES if not name.startswith("assets")}
#: The layouts of snapshot_download's caches, newest first, below MODELSCOPE_CACHE.
LAYOUTS = (
    "models/damo--cv_hand-v1.5/snapshots/master",
    "models/damo/cv_hand-v1___5",
    "hub/models/damo/cv_hand-v1___5",
    "hub/damo/cv_hand-v1___5",
    "hub/damo/cv_hand-v1.5",
    "damo/cv_hand-v1___5",
    "damo/cv_hand-v1.5",
)
Server: Any = runpy.run_path(str(Path(__file__).with_name("hub_server.py")))["Server"]


@pytest.fixture
def server(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """The only hub that handkit knows of, and empty caches."""
    made = Server(ID, FILES)
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MODELSCOPE_ENDPOINT", made.url)
    monkeypatch.setenv("MODELSCOPE_CACHE", str(tmp_path / "cache"))
    yield made
    made.close()


@pytest.fixture
def cache(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MODELSCOPE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def lay(folder: Path, **more: str) -> Path:
    """The model's files in a folder."""
    for name, content in {**FILES, **{name: text.encode() for name, text in more.items()}}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def held(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_of_the_cache_is_found(layout: str, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a socket, and within a second; so is the plain id, by the pipeline."""

    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    folder = lay(cache / layout)
    start = time.perf_counter()
    assert hub.model_folder(REFERENCE) == hub.cached_model(ID) == folder
    with pytest.raises(ConfigError, match="the key 'keypoint_head' is missing"):
        read_model(ID)
    assert time.perf_counter() - start < 1


def test_the_default_cache_is_in_the_home_folder(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MODELSCOPE_CACHE", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    folder = lay(tmp_path / ".cache" / "modelscope" / LAYOUTS[2])
    assert hub.model_folder(REFERENCE) == folder


def test_a_cache_carried_from_another_machine(home: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = lay(cache.parent / "stick" / LAYOUTS[0])
    monkeypatch.setenv("HANDKIT_SOURCES", str(cache.parent / "stick"))
    assert hub.model_folder(REFERENCE) == folder


def test_the_revision_asked_for_counts(cache: Path) -> None:
    snapshots = cache / "models" / "damo--cv_hand-v1.5" / "snapshots"
    first, second = lay(snapshots / "v1"), lay(snapshots / "v2")
    assert hub.model_folder(f"{REFERENCE}@v2") == second
    with pytest.raises(HubError, match=r"several revisions of damo/cv_hand-v1\.5: v1, v2; add the one you mean"):
        hub.model_folder(REFERENCE)
    main = lay(snapshots / "master")
    assert hub.model_folder(REFERENCE) == main
    with pytest.raises(OfflineError):
        hub.model_folder(f"{REFERENCE}@v3")
    (second / "configuration.json").unlink()
    with pytest.raises(OfflineError):
        hub.model_folder(f"{REFERENCE}@v2")
    assert hub.model_folder(f"{REFERENCE}@v1") == first


def test_a_folder_that_notes_its_revision(cache: Path) -> None:
    """Old versions of ModelScope wrote it into `.mv`."""
    folder = lay(cache / LAYOUTS[5], **{".mv": "Revision:v1.0.0,CreatedAt:1670000000"})
    assert hub.model_folder(REFERENCE) == hub.model_folder(f"{REFERENCE}@v1.0.0") == folder
    with pytest.raises(OfflineError):
        hub.model_folder(f"{REFERENCE}@v2.0.0")


def test_an_id_that_is_not_here_offline(cache: Path) -> None:
    start = time.perf_counter()
    with pytest.raises(OfflineError, match=r"(?s)HANDKIT_OFFLINE is set.*cache\n.*run snapshot_download of modelscope"):
        read_model(REFERENCE)
    with pytest.raises(ConfigError, match=f"no config '{ID}'.*none of its caches .* write modelscope://{ID}"):
        read_model(ID)
    assert time.perf_counter() - start < 1


@pytest.mark.parametrize("text", ["modelscope://damo", "modelscope://a/../b", "modelscope:damo/x", "modelscope://a/b@"])
def test_an_id_written_otherwise(text: str, cache: Path) -> None:
    with pytest.raises(HubError, match="must be written modelscope://OWNER/NAME"):
        hub.model_folder(text)


@pytest.mark.network
def test_a_model_of_the_hub(server: Server, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    folder = hub.model_folder(f"{REFERENCE}@v1", told.append)
    assert folder == home / "models" / "modelscope" / "damo" / "cv_hand-v1.5" / "v1"
    assert held(folder) == NEEDED
    assert all((folder / name).read_bytes() == FILES[name] for name in NEEDED)
    assert told == [f"downloading {ID} (v1) from {server.url}"]
    server.requests.clear()
    monkeypatch.setenv("HANDKIT_OFFLINE", "1")
    assert hub.model_folder(f"{REFERENCE}@v1") == folder
    assert server.requests == []


@pytest.mark.network
@pytest.mark.parametrize("spoilt", ["pytorch_model.pt", "detection/config.py", "configuration.json"])
def test_other_bytes_than_the_hub_states(server: Server, home: Path, spoilt: str) -> None:
    server.files[spoilt] = FILES[spoilt][:-1] + b"?"
    with pytest.raises(HubError, match=r"has sha256 .*, the card states"):
        hub.model_folder(REFERENCE)
    assert held(home) == set()


@pytest.mark.network
def test_a_model_that_the_hub_has_not(server: Server) -> None:
    with pytest.raises(HubError, match=f"ModelScope has no model {ID} with revision v9"):
        hub.model_folder(f"{REFERENCE}@v9")
    with pytest.raises(HubError, match="ModelScope has no model damo/other"):
        hub.model_folder("modelscope://damo/other")


@pytest.mark.network
def test_a_mirror(server: Server, home: Path) -> None:
    folder = hub.model_folder(f"{server.url}/mirror/hand/")
    assert folder == home / "models" / "https" / server.url.removeprefix("http://").replace(":", "_") / "mirror/hand"
    assert held(folder) == NEEDED
    server.requests.clear()
    assert hub.model_folder(f"{server.url}/mirror/hand") == folder
    assert server.requests == []


def test_a_model_above_another_settles_beside_it(tmp_path: Path) -> None:
    above, made = lay(tmp_path / "hands" / "v2").parent, lay(tmp_path / "made")
    _settle(made, above)
    assert held(above) == {*FILES, *(f"v2/{name}" for name in FILES)}


@pytest.mark.network
def test_a_mirror_of_a_bundle_is_held_to_its_card(server: Server, home: Path) -> None:
    bundle = {"handkit": {"checkpoint": "model.safetensors", "detector": {"checkpoint": "detection/m.safetensors"}}}
    weights = {"model.safetensors": b"w" * 10, "detection/m.safetensors": b"d" * 10}
    stated = [{"name": n, "sha256": hashlib.sha256(b).hexdigest(), "size": len(b)} for n, b in weights.items()]
    card = json.dumps({"files": stated}).encode()
    server.files = {"configuration.json": json.dumps(bundle).encode(), "card.json": card, **weights}
    server.files["detection/m.safetensors"] = b"e" * 10
    with pytest.raises(HubError, match="has sha256"):
        hub.model_folder(f"{server.url}/mirror/hand")
    assert held(home) == set()
    server.files.update(weights)
    assert held(hub.model_folder(f"{server.url}/mirror/hand")) == {"configuration.json", "card.json", *weights}


PAGE = b"<!DOCTYPE html><html><body>Please log in</body></html>"


@pytest.mark.network
@pytest.mark.parametrize("name", ["configuration.json", "pytorch_model.pt"])
def test_a_page_in_the_place_of_a_file(server: Server, home: Path, name: str) -> None:
    server.answers[f"/mirror/hand/{name}"] = lambda: (200, "text/html", PAGE)
    with pytest.raises(HubError, match=rf"{name} answers a web page \(text/html\) in the file's place"):
        read_model(f"{server.url}/mirror/hand")
    assert held(home) == set()


@pytest.mark.network
def test_a_hub_that_answers_a_page(server: Server) -> None:
    server.answers[f"/api/v1/models/{ID}/repo/files"] = lambda: (200, "text/html", PAGE)
    with pytest.raises(HubError, match="answers a web page"):
        hub.model_folder(REFERENCE)
    server.answers[f"/api/v1/models/{ID}/repo/files"] = lambda: (200, "application/json", b'{"Data": []}')
    with pytest.raises(HubError, match="answers no list of files"):
        hub.model_folder(REFERENCE)


@pytest.mark.network
def test_a_server_that_is_down_or_fails(server: Server, home: Path) -> None:
    with socket.socket() as spare:
        spare.bind(("127.0.0.1", 0))
        port = spare.getsockname()[1]
    with pytest.raises(HubError, match=r"configuration\.json is not reached: .*refused.*; check the address"):
        hub.model_folder(f"http://127.0.0.1:{port}/hand")
    server.answers["/mirror/hand/pytorch_model.pt"] = lambda: (503, "text/plain", b"")
    with pytest.raises(HubError, match=r"pytorch_model\.pt answers 503"):
        hub.model_folder(f"{server.url}/mirror/hand")
    del server.files["detection/config.py"], server.answers["/mirror/hand/pytorch_model.pt"]
    with pytest.raises(HubError, match=r"lacks a file of the model: .*detection/config\.py answers 404"):
        hub.model_folder(f"{server.url}/mirror/hand")
    assert held(home) == set()


@pytest.mark.network
def test_an_answer_that_breaks_off(server: Server, home: Path) -> None:
    server.cut = 7
    with pytest.raises(HubError, match=r"configuration\.json broke off after \d+ of \d+ bytes"):
        hub.model_folder(f"{server.url}/mirror/hand")
    assert held(home) == set()


@pytest.mark.network
@pytest.mark.parametrize("path", ["../../outside.pt", "/etc/passwd", "a\\..\\b.pt"])
def test_a_configuration_that_names_files_outside(server: Server, home: Path, path: str) -> None:
    server.files["configuration.json"] = json.dumps({"handkit": {"checkpoint": path}}).encode()
    with pytest.raises(HubError, match="lies outside its folder"):
        hub.model_folder(f"{server.url}/mirror/hand")
    assert held(home) == set()


@pytest.mark.network
def test_a_foreign_configuration_is_refused_before_weights_are_asked_for(server: Server) -> None:
    server.files["configuration.json"] = b'{"framework": "pytorch", "task": "text-generation"}'
    with pytest.raises(ConfigError, match="answers task 'text-generation'"):
        hub.model_folder(f"{server.url}/mirror/hand")
    assert not any("pytorch_model" in path for path in server.requests)


@pytest.mark.network
def test_only_safe_addresses(server: Server, cache: Path) -> None:
    server.answers["/mirror/hand/configuration.json"] = lambda: (302, "text/plain", b"http://example.com/c.json")
    with pytest.raises(HubError, match=r"'http://example\.com/c\.json' is not read: only https:// addresses are"):
        hub.model_folder(f"{server.url}/mirror/hand")
    for text in ("http://example.com/hand", "https:///hand"):
        with pytest.raises(HubError, match="is not read"):
            hub.model_folder(text)
    with pytest.raises(HubError, match=r"example\.com has a user name in it"):
        hub.model_folder("https://me:secret@example.com/hand")
    with pytest.raises(HubError, match="plain address of a folder"):
        hub.model_folder("https://example.com/hand?download=1")


def test_a_mirror_offline(home: Path) -> None:
    with pytest.raises(OfflineError, match=r"https://example\.com/hand is not on this machine .* copy the folder here"):
        read_model("https://example.com/hand")


@pytest.mark.network
def test_a_cards_file_on_the_hub(server: Server, make: Any, home: Path, cache: Path) -> None:
    """The hub is a source of cards as well, and its cache on this machine comes first."""
    weights = FILES["pytorch_model.pt"]
    make.card(make.file("w.pt", weights, f"{REFERENCE}@v1!pytorch_model.pt"))
    path = hub.resolve("hub:nets/w.pt")
    assert (path, path.read_bytes()) == (home / "cards" / "nets" / "w.pt", weights)
    path.unlink()
    folder = lay(cache / "models" / "damo--cv_hand-v1.5" / "snapshots" / "v1")
    server.requests.clear()
    assert hub.resolve("hub:nets/w.pt") == folder / "pytorch_model.pt"
    assert server.requests == []
    (folder / "pytorch_model.pt").write_bytes(weights[:-1] + b"?")
    assert hub.resolve("hub:nets/w.pt") == path
