"""Where the cache lies, and the switch for the network."""

from __future__ import annotations

from pathlib import Path

import pytest

from handkit import hub


def test_home_follows_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("HANDKIT_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    assert hub.home() == tmp_path / ".cache" / "handkit"
    monkeypatch.setenv("XDG_CACHE_HOME", "not/absolute")
    assert hub.home() == tmp_path / ".cache" / "handkit"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert hub.home() == tmp_path / "xdg" / "handkit"
    monkeypatch.setenv("HANDKIT_HOME", "~/mine")
    assert hub.home() == tmp_path / "mine"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HANDKIT_HOME", "here")
    assert hub.home() == Path(tmp_path / "here")


@pytest.mark.parametrize(
    ("value", "expected"), [("1", True), ("yes", True), ("0", False), ("", False), ("False", False)]
)
def test_offline(monkeypatch, value, expected):
    monkeypatch.setenv("HANDKIT_OFFLINE", value)
    assert hub.offline() is expected
    monkeypatch.delenv("HANDKIT_OFFLINE")
    assert hub.offline() is False


def test_the_hub_imports_no_torch(in_subprocess):
    assert in_subprocess("import sys, handkit.hub; print('torch' in sys.modules)") == "False\n"
