"""Components with a scope, as a plug-in brings them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from handkit.errors import ConfigError
from handkit.registry import MODELS, build, resolve
from handkit.registry.bundles import load_bundle
from handkit.registry.config import load_config
from handkit.registry.foreign import PLUG_INS
from handkit.registry.validate import validate


class Theirs:
    """A part with a node inside, which it builds itself."""

    def __init__(self, inner: dict[str, Any], **rest: Any) -> None:
        self.inner = inner
        self.rest = rest


class Fake:
    """Brings `Theirs`, and notes what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Any] = []

    def find(self, name: str, kinds: Sequence[str], where: str) -> type:
        self.asked.append(("find", name, tuple(kinds), where))
        return Theirs

    def check(self, name: str, arguments: Mapping[str, Any], where: str) -> None:
        if "wrong" in arguments["inner"]:
            raise ConfigError(f"{where}.inner: wrong")

    def build(self, cls: Any, arguments: Mapping[str, Any], where: str) -> Any:
        self.asked.append(("build", where))
        return cls(**arguments)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Fake:
    made = Fake()
    monkeypatch.setitem(PLUG_INS, "fake", made)
    return made


def test_a_plug_in_finds_and_builds_its_own_parts(fake: Fake) -> None:
    node = {"type": "fake.Theirs", "inner": {"type": "NotOurs", "of": 1}, "more": 2}
    made = build(node, MODELS, "model")
    assert isinstance(made, Theirs)
    assert made.inner == {"type": "NotOurs", "of": 1}
    assert made.rest == {"more": 2}
    assert fake.asked == [("find", "fake.Theirs", ("model",), "model"), ("build", "model")]


def test_validation_leaves_what_is_inside_to_the_plug_in(fake: Fake) -> None:
    config = {"task": "hand_2d_keypoints", "detector": {"type": "FullImage"}, "test_transforms": []}
    node = {"type": "fake.Theirs", "inner": {"type": "NotOurs"}}
    assert validate({**config, "model": node}) == 2
    with pytest.raises(ConfigError, match=r"model\.inner: wrong"):
        validate({**config, "model": {**node, "inner": {"wrong": 1}}})
    with pytest.raises(ConfigError, match="needs the argument 'inner'"):
        validate({**config, "model": {"type": "fake.Theirs"}})


@pytest.mark.parametrize("name", ["mmpose.HRNet", "mmdet.RTMDet", "mmcv.RandomGrayscale"])
def test_a_scope_that_nothing_brought_is_refused_with_what_does(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(PLUG_INS, name.partition(".")[0], raising=False)
    with pytest.raises(ConfigError, match=r"custom_imports = dict\(imports=\['handkit\.interop\.openmmlab'\]\)"):
        resolve(name)


def test_what_a_custom_import_raises_is_told(tmp_path: Path) -> None:
    """handkit's own environments have no mmcv."""
    config = tmp_path / "mine.py"
    config.write_text("custom_imports = dict(imports=['handkit.interop.openmmlab'])\n")
    with pytest.raises(ConfigError, match=r"mmcv is needed for .*: handkit openmmlab install --venv DIR"):
        load_config(config)
    config.write_text("custom_imports = dict(imports=['nowhere_to_be_found'])\n")
    with pytest.raises(ConfigError, match="Failed to import custom modules"):
        load_config(config)


@pytest.mark.parametrize(
    ("inside", "message"),
    [
        ({"custom_imports": {"imports": ["os"]}}, "a bundle imports nothing"),
        ({"model": {"type": "TopDownEstimator", "parts": [{"type": "fake.Theirs"}]}}, "fake.Theirs is not handkit's"),
        ({"model": {"type": "mmpose.HRNet"}}, "mmpose.HRNet is not handkit's"),
    ],
)
def test_a_bundle_needs_nobody_else(fake: Fake, tmp_path: Path, inside: dict[str, Any], message: str) -> None:
    (tmp_path / "configuration.json").write_text(json.dumps({"handkit": inside}))
    with pytest.raises(ConfigError, match=message):
        load_bundle(tmp_path)
    assert fake.asked == []
