"""Members of wheels, with pip and without, from an index on this machine."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from handkit import hub
from handkit.errors import HubError
from handkit.hub.schema import Wheel
from handkit.hub.sources import pip_download

pytestmark = pytest.mark.network

PALM, HAND = b"palm net " * 5000, b"hand net " * 9000
SOURCE = "pypi:handkit-nets==1.0!nets/"


def two_files(make, **changes):
    return [
        make.file("palm.tflite", PALM, SOURCE + "palm.tflite", **changes),
        make.file("hand.tflite", HAND, SOURCE + "hand.tflite"),
    ]


def two_nets(make, index, filename="handkit_nets-1.0-py3-none-any.whl"):
    """A wheel on the index and what a card states of it."""
    wheel = make.wheel({"nets/palm.tflite": PALM, "nets/hand.tflite": HAND, "nets/other.bin": b"x"}, filename)
    index.wheels[filename] = wheel
    return make.stated(wheel, filename)


def test_members_come_out_and_the_wheel_is_fetched_once_and_not_kept(
    make, index, home, either_way, monkeypatch, tmp_path
):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    make.card(*two_files(make), wheels=two_nets(make, index))
    paths = hub.resolve_card("nets")
    assert paths["palm.tflite"].read_bytes() == PALM
    assert paths["hand.tflite"].read_bytes() == HAND
    assert index.downloads() == ["handkit_nets-1.0-py3-none-any.whl"]
    assert sorted(p.name for p in home.rglob("*") if p.is_file()) == ["hand.tflite", "palm.tflite"]
    assert list(scratch.iterdir()) == []


def test_one_file_brings_the_others_of_the_same_wheel(make, index, home, no_pip):
    make.card(*two_files(make), wheels=two_nets(make, index))
    hub.resolve("hub:nets/palm.tflite")
    assert hub.resolve("hub:nets/hand.tflite").read_bytes() == HAND
    assert len(index.downloads()) == 1


def test_the_stated_build_is_chosen_among_others_on_any_machine(make, index, home, either_way):
    stated = two_nets(make, index, "handkit_nets-1.0-cp39-cp39-win_amd64.whl")
    index.wheels["handkit_nets-1.0-py3-none-any.whl"] = make.wheel({"nets/palm.tflite": b"another"})
    index.wheels["handkit_nets-1.0-cp311-cp311-manylinux_2_28_x86_64.whl"] = b"not even a wheel"
    make.card(*two_files(make), wheels=stated)
    assert hub.resolve("hub:nets/palm.tflite").read_bytes() == PALM
    assert index.downloads() == ["handkit_nets-1.0-cp39-cp39-win_amd64.whl"]


def test_a_wheel_with_another_sha256_is_refused(make, index, home, either_way):
    stated = two_nets(make, index)
    name, wheel = next(iter(index.wheels.items()))
    index.wheels[name] = make.wheel({"nets/palm.tflite": PALM, "nets/hand.tflite": HAND, "nets/other.bin": b"y"})
    assert len(index.wheels[name]) == len(wheel)
    make.card(*two_files(make), wheels=stated)
    with pytest.raises(
        HubError, match=r"palm.tflite could not be had(?s:.)*wheel handkit_nets.* has sha256 \w{64}, the"
    ):
        hub.resolve_card("nets")
    assert not list(home.rglob("*.tflite"))
    assert len(index.downloads()) == 1


def test_a_wheel_longer_than_stated_is_not_read_to_its_end(make, index, home, no_pip):
    stated = two_nets(make, index)
    index.wheels["handkit_nets-1.0-py3-none-any.whl"] += bytes(50_000_000)
    make.card(*two_files(make), wheels=stated)
    with pytest.raises(HubError, match=r"has more than the \d+ bytes"):
        hub.resolve_card("nets")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sha256": "0" * 64}, r"member nets/palm.tflite of handkit_nets.* has sha256 \w{64}, the card states 0{64}"),
        ({"size": 7}, "has more than the 7 bytes"),
        ({"size": 10**9}, "has 45000 bytes, the card states 1000000000"),
        ({"sources": [SOURCE + "plam.tflite"]}, "has no member nets/plam.tflite"),
    ],
)
def test_a_member_other_than_stated_is_refused(make, index, home, no_pip, changes, message):
    make.card(*two_files(make, **changes), wheels=two_nets(make, index))
    with pytest.raises(HubError, match=message):
        hub.resolve("hub:nets/palm.tflite")
    assert not list(home.rglob("*palm*"))


def test_a_stated_wheel_that_is_no_zip(make, index, home, no_pip):
    index.wheels["handkit_nets-1.0-py3-none-any.whl"] = b"not a zip"
    make.card(*two_files(make), wheels=make.stated(b"not a zip"))
    with pytest.raises(HubError, match=r"handkit_nets-1.0-py3-none-any\.whl is damaged"):
        hub.resolve("hub:nets/palm.tflite")


def test_a_version_that_the_index_lacks(make, index, home, either_way):
    stated = two_nets(make, index)
    index.wheels.clear()
    make.card(*two_files(make), wheels=stated)
    reason = {"pip": "No matching distribution found for handkit-nets==1.0", "urllib": "has no handkit_nets-1.0-py3"}
    with pytest.raises(HubError, match=reason[either_way]):
        hub.resolve("hub:nets/palm.tflite")


def test_no_network_is_explained_with_every_source_and_the_mend(make, index, home, either_way, monkeypatch):
    make.card(*two_files(make), wheels=two_nets(make, index))
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    with pytest.raises(HubError) as caught:
        hub.resolve_card("nets")
    message = str(caught.value)
    assert "nets/palm.tflite could not be had" in message
    assert f"{home}/cards/nets/palm.tflite: no such file" in message
    assert "pypi:handkit-nets==1.0!nets/palm.tflite: " in message
    assert "refused" in message
    assert "handkit download nets" in message
    assert "HANDKIT_SOURCES=DIR" in message


def test_the_command_line_has_no_shell_and_states_every_tag(tmp_path):
    wheel = Wheel("a==1", "a-1-cp310-abi3-manylinux_2_17_x86_64.manylinux2014_x86_64.whl", "", 1)
    line = pip_download.arguments(wheel, tmp_path)
    assert line[0] == sys.executable
    assert line[-1] == "a==1"
    stated = {"--platform=manylinux_2_17_x86_64", "--platform=manylinux2014_x86_64", "--abi=abi3"}
    assert stated | {"--python-version=3.10", "--implementation=cp", "--no-deps"} <= set(line)
    assert "--python-version=3" in pip_download.arguments(Wheel("a==1", "a-1-py3-none-any.whl", "", 1), tmp_path)


def test_a_pip_in_the_users_folder_is_not_run(make, index, home, tmp_path, monkeypatch):
    pytest.importorskip("pip")
    (tmp_path / "pip.py").write_text("raise SystemExit('someone else\\'s pip')")
    monkeypatch.chdir(tmp_path)
    make.card(*two_files(make), wheels=two_nets(make, index))
    assert hub.resolve("hub:nets/palm.tflite").read_bytes() == PALM


def test_pip_that_succeeds_without_the_wheel(make, index, home, monkeypatch):
    pytest.importorskip("pip")
    make.card(*two_files(make), wheels=two_nets(make, index))
    ran = []

    def run(command, cwd, **options):
        ran.append(options.get("shell", False))
        (Path(cwd) / "other-1-py3-none-any.whl").touch()
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(subprocess, "run", run)
    with pytest.raises(HubError, match=r"brought other-1-py3-none-any.whl where the card states handkit_nets"):
        hub.resolve("hub:nets/palm.tflite")
    assert ran == [False]
