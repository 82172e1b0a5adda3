"""resolve, resolve_card, download: order of sources, corrupted files, offline, folders."""

from __future__ import annotations

import logging
import socket
import subprocess
from pathlib import Path

import pytest

from handkit import hub
from handkit.errors import HubError, OfflineError

pytestmark = pytest.mark.network

NET = b"net " * 1000
SOURCE = "pypi:handkit-nets==1.0!nets/a.tflite"


@pytest.fixture
def forbidden(monkeypatch):
    """Sockets and processes that fail the test when one is made."""

    def refuse(*args, **kwargs):
        raise AssertionError("a socket or a process was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(subprocess, "Popen", refuse)


def on_index(make, index, **changes):
    """A card of one file that lies on the index."""
    wheel = make.wheel({"nets/a.tflite": NET})
    index.wheels["handkit_nets-1.0-py3-none-any.whl"] = wheel
    return make.card(make.file("a.tflite", NET, SOURCE), wheels=make.stated(wheel), **changes)


def test_a_plain_path_is_itself(tmp_path):
    path = tmp_path / "w.safetensors"
    path.write_bytes(b"x")
    assert hub.resolve(str(path)) == hub.resolve(path) == path


def test_a_file_of_a_bundle_in_the_package():
    path = hub.resolve("bundle:hand_2d_keypoints/detection/model.safetensors")
    assert path == hub.bundle_path("hand_2d_keypoints") / "detection" / "model.safetensors"
    assert path.is_file()


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("bundle:hand_2d_keypoints", "must be written bundle:NAME/FILE.*hand_2d_keypoints"),
        ("bundle:other/model.safetensors", "must be written bundle:NAME/FILE"),
        ("bundle:hand_2d_keypoints/other.safetensors", "holds no such file"),
        ("bundle:hand_2d_keypoints/../../hub/shipped.py", "holds no such file"),
        ("nowhere/w.pth", "no file 'nowhere/w.pth'.*hub:CARD/FILE"),
        ("hub:nets", "must be written hub:CARD/FILE"),
        ("hub:nest/a.tflite", "no card 'nest'; did you mean 'nets'"),
        ("hub:nets/b.tflite", "no file 'b.tflite'; did you mean 'a.tflite'"),
        ("hub:../nets/a.tflite", "no card '..'"),
    ],
)
def test_a_wrong_reference(make, home, reference, message):
    make.card(make.file("a.tflite", NET, "folder:/nowhere"))
    with pytest.raises(HubError, match=message):
        hub.resolve(reference)


def test_a_second_call_uses_the_cache(make, index, home, no_pip, forbidden_later):
    on_index(make, index)
    assert not hub.is_cached("nets")
    path = hub.resolve("hub:nets/a.tflite")
    assert path == home / "cards" / "nets" / "a.tflite"
    forbidden_later()
    assert hub.resolve("hub:nets/a.tflite") == path
    assert hub.is_cached("nets")


@pytest.fixture
def forbidden_later(request):
    return lambda: request.getfixturevalue("forbidden")


def test_a_corrupted_cache_file_is_reported_and_fetched_again(make, index, home, no_pip, caplog):
    on_index(make, index)
    path = hub.resolve("hub:nets/a.tflite")
    path.write_bytes(NET.replace(b"n", b"m", 1))
    assert not hub.is_cached("nets")
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        assert hub.resolve("hub:nets/a.tflite").read_bytes() == NET
    assert f"{path}: corrupted cache file: has sha256" in caplog.text


def test_a_corrupted_cache_file_offline_names_file_and_mend(make, index, home, no_pip, forbidden_later, monkeypatch):
    on_index(make, index)
    path = hub.resolve("hub:nets/a.tflite")
    path.write_bytes(b"half")
    monkeypatch.setenv("HANDKIT_OFFLINE", "1")
    forbidden_later()
    with pytest.raises(OfflineError, match=rf"{path}: corrupted cache file: has 4 bytes(?s:.)*handkit download nets"):
        hub.resolve("hub:nets/a.tflite")
    assert path.read_bytes() == b"half"


@pytest.mark.parametrize("value", ["1", "true", "yes"])
def test_offline_opens_no_socket_and_no_process(make, index, home, forbidden, monkeypatch, value):
    on_index(make, index)
    monkeypatch.setenv("HANDKIT_OFFLINE", value)
    for call in (
        lambda: hub.resolve("hub:nets/a.tflite"),
        lambda: hub.resolve_card("nets"),
        lambda: hub.download(["nets"]),
    ):
        with pytest.raises(OfflineError) as caught:
            call()
        message = str(caught.value)
        assert "nets/a.tflite could not be had" in message
        assert f"{home}/cards/nets/a.tflite: no such file" in message
        assert f"{SOURCE}: not tried, because HANDKIT_OFFLINE is set" in message
        assert "unset HANDKIT_OFFLINE" in message
        assert "HANDKIT_SOURCES=DIR" in message


def test_offline_still_reads_local_sources(make, home, tmp_path, forbidden, monkeypatch):
    monkeypatch.setenv("HANDKIT_OFFLINE", "1")
    (tmp_path / "a.tflite").write_bytes(NET)
    make.card(make.file("a.tflite", NET, f"folder:{tmp_path}/a.tflite"))
    assert hub.resolve("hub:nets/a.tflite") == tmp_path / "a.tflite"


def test_sources_are_tried_in_order(make, index, home, tmp_path, no_pip):
    for name, content in (("broken", NET[:-1]), ("good", NET), ("later", NET)):
        (tmp_path / name).write_bytes(content)
    folders = [f"folder:{tmp_path}/{name}" for name in ("absent", "broken", "good", "later")]
    make.card(make.file("a.tflite", NET, *folders))
    assert hub.resolve("hub:nets/a.tflite") == tmp_path / "good"
    (tmp_path / "good").unlink()
    assert hub.resolve("hub:nets/a.tflite") == tmp_path / "later"
    (tmp_path / "later").unlink()
    with pytest.raises(HubError) as caught:
        hub.resolve("hub:nets/a.tflite")
    lines = str(caught.value).splitlines()
    assert [line.partition(": ")[0].strip() for line in lines[1:6]] == [*folders, f"{home}/cards/nets/a.tflite"]
    assert "has 3999 bytes, the card states 4000" in lines[2]


def test_a_broken_network_source_is_followed_by_the_next(make, index, home, no_pip):
    wheel = make.wheel({"nets/a.tflite": NET})
    index.wheels["handkit_nets-1.0-py3-none-any.whl"] = wheel
    sources = (SOURCE.replace("a.tflite", "gone"), SOURCE)
    make.card(make.file("a.tflite", NET, *sources), wheels=make.stated(wheel))
    assert hub.resolve("hub:nets/a.tflite").read_bytes() == NET
    assert len(index.downloads()) == 1


def test_bundled_files_lie_in_the_package(make, home):
    import handkit

    content = Path(handkit.__file__).with_name("errors.py").read_bytes()
    make.card(make.file("a.bin", content, "bundled:errors.py"))
    assert hub.resolve("hub:nets/a.bin") == Path(handkit.__file__).with_name("errors.py")


def test_handkit_sources_comes_first_in_either_layout(make, home, tmp_path, monkeypatch):
    (tmp_path / "own").write_bytes(NET)
    make.card(make.file("deep/a.tflite", NET, f"folder:{tmp_path}/own"))
    flat, laid_out = tmp_path / "flat", tmp_path / "laid"
    monkeypatch.setenv("HANDKIT_SOURCES", f"{laid_out}:{flat}")
    assert hub.resolve("hub:nets/deep/a.tflite") == tmp_path / "own"
    for folder in (flat / "deep", laid_out / "nets" / "deep"):
        folder.mkdir(parents=True)
        (folder / "a.tflite").write_bytes(NET)
        assert hub.resolve("hub:nets/deep/a.tflite") == folder / "a.tflite"
    (laid_out / "nets" / "deep" / "a.tflite").write_bytes(b"wrong")
    assert hub.resolve("hub:nets/deep/a.tflite") == flat / "deep" / "a.tflite"


def test_download_to_a_folder_serves_another_machine_offline(make, index, home, tmp_path, no_pip, monkeypatch):
    on_index(make, index)
    make.card(make.file("b.bin", NET, "folder:/nowhere"), name="other")
    told = []
    carried = tmp_path / "carried"
    done = hub.download(["nets"], to=carried, progress=told.append)
    assert [(d.card, d.file, d.path, d.action) for d in done] == [
        ("nets", "a.tflite", carried / "nets" / "a.tflite", "downloaded")
    ]
    assert len(told) == 1
    assert told[0].startswith("downloading handkit_nets-1.0-py3-none-any.whl (")
    assert not home.exists()
    monkeypatch.setenv("HANDKIT_OFFLINE", "1")
    monkeypatch.setenv("HANDKIT_SOURCES", str(carried))
    assert hub.resolve("hub:nets/a.tflite") == carried / "nets" / "a.tflite"


def test_download_tells_what_it_did(make, index, home, tmp_path, no_pip):
    on_index(make, index)
    actions = [hub.download(["nets", "nets"], to=to)[0].action for to in (None, None, tmp_path / "d", tmp_path / "d")]
    assert actions == ["downloaded", "kept", "copied", "kept"]
    (tmp_path / "d" / "nets" / "a.tflite").write_bytes(b"broken")
    assert hub.download(["nets"], to=tmp_path / "d")[0].action == "copied"
    assert (tmp_path / "d" / "nets" / "a.tflite").read_bytes() == NET
    assert len(index.downloads()) == 1


def test_a_folder_that_cannot_be_written_is_named(make, index, home, tmp_path, no_pip):
    on_index(make, index)
    home.write_text("a file where the folder should be")
    with pytest.raises(HubError, match=rf"{home}.*HANDKIT_HOME"):
        hub.resolve("hub:nets/a.tflite")
    home.unlink()
    hub.resolve("hub:nets/a.tflite")
    (tmp_path / "file").touch()
    with pytest.raises(HubError, match=rf"cannot copy .* to {tmp_path}/file/nets/a.tflite: "):
        hub.download(["nets"], to=tmp_path / "file")


def test_the_first_use_says_that_it_downloads(make, index, home, no_pip, caplog):
    on_index(make, index)
    with caplog.at_level(logging.WARNING):
        hub.resolve("hub:nets/a.tflite")
        hub.resolve("hub:nets/a.tflite")
    assert [r.message.split(" (")[0] for r in caplog.records] == ["downloading handkit_nets-1.0-py3-none-any.whl"]
