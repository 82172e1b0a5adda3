"""Cards: the shipped ones, and the complaints about malformed ones."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handkit import hub
from handkit.errors import ConfigError, HubError
from handkit.hub.sources import is_inside

WHEEL = {"filename": "nets-1.0-py3-none-any.whl", "sha256": "a" * 64, "size": 9}


def test_shipped_cards_are_valid_and_say_what_they_are():
    cards = hub.cards()
    assert "mediapipe_hands" in [card.name for card in cards]
    for card in cards:
        assert hub.card(card.name) == card
        assert card.limits, f"{card.name} states no limits"


def test_mediapipes_card_has_thresholds_and_nets():
    card = hub.card("mediapipe_hands")
    assert card.licence == "Apache-2.0"
    assert set(card.thresholds) == {"box", "presence", "nms_iou"}
    kinds = [f"{net}_{size}.tflite" for net in ("palm_detection", "hand_landmark") for size in ("full", "lite")]
    assert [file.name for file in card.files] == kinds
    with pytest.raises(dataclasses.FrozenInstanceError):
        card.licence = ""
    with pytest.raises(TypeError):
        card.thresholds["box"] = 0.0


def test_an_unknown_card_gets_the_nearest_name():
    with pytest.raises(HubError, match="no card 'mediapipe_hand'; did you mean 'mediapipe_hands'"):
        hub.card("mediapipe_hand")


def test_every_field_is_read(make):
    score = {"metric": "PCK@0.2", "value": 1, "data": "ten renders", "labels": "exact"}
    path = make.card(
        make.file("a/b.bin", b"x", "pypi:nets==1.0!a/b.bin", "bundled:a/b.bin", "folder:~/b.bin"),
        wheels={"nets==1.0": WHEEL},
        thresholds={"box": 0},
        scores=[score],
        limits=["none known"],
        command="handkit train x",
    )
    card = hub.read_card(path)
    assert card.name == "nets"
    assert card.command == "handkit train x"
    assert card.scores == (hub.Score("PCK@0.2", 1.0, "ten renders", "exact"),)
    assert dict(card.thresholds) == {"box": 0.0}
    assert card.wheels["nets==1.0"] == hub.Wheel("nets==1.0", WHEEL["filename"], "a" * 64, 9)
    assert card.file("a/b.bin").sources == ("pypi:nets==1.0!a/b.bin", "bundled:a/b.bin", "folder:~/b.bin")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"licence": None}, "cards/nets.json: licence must be a string, not None"),
        ({"title": " "}, "title must not be empty"),
        ({"limit": ["x"]}, "unknown field 'limit'; did you mean 'limits'"),
        ({"limits": ["x", 3]}, r"limits\[1\]: must be a non-empty string, not 3"),
        ({"limits": "x"}, "limits must be a list"),
        ({"thresholds": {"box": "0.5"}}, "thresholds: box must be a number, not '0.5'"),
        ({"thresholds": {"box": True}}, "thresholds: box must be a number, not True"),
        ({"thresholds": {"box": 1.5}}, r"thresholds: box must lie in \[0, 1\], not 1.5"),
        ({"thresholds": {"box": float("nan")}}, "box must lie in"),
        ({"thresholds": [1]}, "thresholds must be an object"),
        ({"scores": [{"metric": "PCK", "value": 1, "data": "d"}]}, r"scores\[0\]: the field 'labels' is missing"),
        ({"scores": [3]}, r"scores\[0\]: must be an object, not 3"),
        ({"wheels": {"nets": WHEEL}}, "wheels: 'nets' must be PACKAGE==VERSION"),
        ({"wheels": {"--index-url=x==1": WHEEL}}, "must be PACKAGE==VERSION"),
        ({"wheels": {"nets==1.0": {**WHEEL, "filename": "../x-1-py3-none-any.whl"}}}, "is not a wheel's name"),
        ({"wheels": {"nets==1.0": {**WHEEL, "python": "3"}}}, "unknown field 'python'"),
        ({"files": []}, "files must name at least one file"),
    ],
)
def test_a_malformed_card_names_file_and_field(make, changes, message):
    path = make.card(make.file("a", b"x", "folder:/a"), **changes)
    with pytest.raises(ConfigError, match=message):
        hub.read_card(path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "../a"}, r"files\[0\]: name '../a' must be a relative path"),
        ({"sha256": "A" * 64}, r"files\[0\]: sha256 must be 64 lower-case hexadecimal digits"),
        ({"size": 0}, "size must be a positive number of bytes, not 0"),
        ({"size": 1.5}, "size must be a whole number"),
        ({"sources": []}, "sources must name at least one place"),
        ({"sources": ["fodler:/a"]}, r"sources\[0\]: 'fodler:/a' has no known scheme; did you mean 'folder'"),
        ({"sources": ["ftp://x/y"]}, "has no known scheme"),
        ({"sources": ["https://x"]}, "'https://x' must be https://host/path"),
        ({"sources": ["https:x/y"]}, "must be https://host/path"),
        ({"sources": ["https://me:secret@x/y"]}, "must be https://host/path"),
        ({"sources": ["modelscope:damo/hand!a"]}, "must be written modelscope://OWNER/NAME"),
        ({"sources": ["modelscope://damo/hand"]}, "must be modelscope://OWNER/NAME@REVISION!path/in/model"),
        ({"sources": ["modelscope://damo/hand!../a"]}, "must be modelscope://OWNER/NAME@REVISION!path/in/model"),
        ({"sources": ["folder:"]}, "names no place"),
        ({"sources": ["bundled:../../etc/passwd"]}, "must be a relative path"),
        ({"sources": ["pypi:nets==1.0"]}, "must be pypi:PACKAGE==VERSION!path/in/wheel"),
        ({"sources": ["pypi:nets==1.1!a"]}, "'nets==1.1' is not in wheels; did you mean 'nets==1.0'"),
    ],
)
def test_a_malformed_file_entry_names_file_and_field(make, changes, message):
    path = make.card({**make.file("a", b"x", "folder:/a"), **changes}, wheels={"nets==1.0": WHEEL})
    with pytest.raises(ConfigError, match=message):
        hub.read_card(path)


def test_two_files_of_one_name(make):
    file = make.file("a", b"x", "folder:/a")
    with pytest.raises(ConfigError, match="two files are named 'a'"):
        hub.read_card(make.card(file, file))


@pytest.mark.parametrize("name", ["Nets", "1nets"])
def test_a_card_with_a_wrong_name(make, name):
    with pytest.raises(ConfigError, match=rf"cards/{name}.json: a card's name"):
        hub.read_card(make.card(make.file("a", b"x", "folder:/a"), name=name))


@pytest.mark.parametrize("text", ["{", "", '"x"', "[]", "\xff"])
def test_a_card_that_is_no_json_object(tmp_path, text):
    path = tmp_path / "nets.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(ConfigError, match=r"cards/nets.json: (not a JSON file|must be an object)"):
        hub.read_card(path)


@given(st.lists(st.sampled_from(["a", "b.c", "..", ".", "", "/", "~", "\\", "C:"]), max_size=5).map("/".join))
def test_a_path_said_to_be_inside_stays_inside(text):
    root = Path("/where/cards/lie")
    if is_inside(text):
        assert (root / text).resolve().is_relative_to(root)
        assert (root / text) != root
