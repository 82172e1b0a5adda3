"""The index protocol without pip."""

from __future__ import annotations

import hashlib

import pytest

from handkit.errors import HubError
from handkit.hub.schema import Wheel
from handkit.hub.sources import simple_index

pytestmark = pytest.mark.network


def stated(make, content=b"w" * 1000, requirement="Handkit_Nets==1.0"):
    digest = hashlib.sha256(content).hexdigest()
    return Wheel(requirement, "handkit_nets-1.0-py3-none-any.whl", digest, len(content))


@pytest.mark.parametrize("as_json", [False, True])
def test_both_page_formats_and_any_spelling_of_the_name(make, index, tmp_path, as_json):
    index.as_json = as_json
    index.wheels["handkit_nets-1.0-py3-none-any.whl"] = b"w" * 1000
    simple_index.download(stated(make), tmp_path / "w.whl")
    assert (tmp_path / "w.whl").read_bytes() == b"w" * 1000
    assert index.requests[0] == "/simple/handkit-nets/"


def test_an_unknown_package_names_the_page_and_the_answer(make, index, tmp_path):
    with pytest.raises(HubError, match=r"/simple/nothing/ answers 404"):
        simple_index.download(stated(make, requirement="nothing==1"), tmp_path / "w.whl")


def test_a_password_is_not_sent_nor_shown(make, index, tmp_path, monkeypatch):
    monkeypatch.setenv("PIP_INDEX_URL", index.url.replace("http://", "http://user:secret@"))
    with pytest.raises(HubError, match="install pip") as caught:
        simple_index.download(stated(make), tmp_path / "w.whl")
    assert "secret" not in str(caught.value)
    assert index.requests == []


@pytest.mark.parametrize("url", ["file:///etc", "ftp://127.0.0.1/simple"])
def test_only_http_and_https(make, index, tmp_path, monkeypatch, url):
    monkeypatch.setenv("PIP_INDEX_URL", url)
    with pytest.raises(HubError, match="only http and https"):
        simple_index.download(stated(make), tmp_path / "w.whl")


@pytest.mark.parametrize("page", [b"{}", b'{"files": 3}', b"[1]", b"not json"])
def test_a_page_that_is_no_index(make, index, tmp_path, monkeypatch, page):
    monkeypatch.setattr(index, "_answer", lambda path: ("application/vnd.pypi.simple.v1+json", page))
    with pytest.raises(HubError, match="/simple/handkit-nets/: "):
        simple_index.download(stated(make), tmp_path / "w.whl")


def test_a_download_cut_short(make, index, tmp_path):
    index.wheels["handkit_nets-1.0-py3-none-any.whl"] = b"w" * 999
    with pytest.raises(HubError, match="has 999 bytes, the card states 1000"):
        simple_index.download(stated(make), tmp_path / "w.whl")
    assert list(tmp_path.glob("*.whl")) == []
