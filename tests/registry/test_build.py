from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from mmengine.registry import Registry

from handkit import registry as r
from handkit.errors import ConfigError
from handkit.registry.build import build, registered, resolve
from handkit.registry.bundles import load_bundle
from handkit.registry.validate import validate


@pytest.fixture
def parts() -> Iterator[type]:
    @r.MODELS.register_module(name="TestPart", force=True)
    class TestPart:
        def __init__(self, size: int, parts: tuple = (), codec: object = None) -> None:
            self.size, self.parts, self.codec = size, parts, codec

    yield TestPart
    del r.MODELS._module_dict["TestPart"]


def test_nodes_are_built_inside_lists_and_across_registries(parts: type) -> None:
    node = dict(
        type="TestPart",
        size=1,
        parts=[dict(type="TestPart", size=2), {"a": dict(type="MMToTensor")}],
        codec=dict(type="Regression", input_size=(8, 8)),
    )
    made = build(node)
    assert isinstance(made.parts[0], parts)
    assert type(made.parts[1]["a"]).__name__ == "MMToTensor"
    assert type(made.codec).__name__ == "Regression"
    assert node["parts"][0] == dict(type="TestPart", size=2)


@pytest.mark.parametrize(
    "name",
    [
        "os.system",
        "subprocess.check_output",
        "builtins.eval",
        "handkit.os.system",
        "torch.nn.Linear",
        "mmengine.Config",
    ],
)
def test_only_registered_names_are_built(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """mmengine's own registries would import and call these."""
    monkeypatch.setattr(subprocess, "check_output", lambda *a, **k: pytest.fail("it ran"))
    monkeypatch.setattr("os.system", lambda *a: pytest.fail("it ran"))
    node = dict(type=name, args="echo pwned")
    with pytest.raises(ConfigError, match="is registered as"):
        build(node)
    config = dict(task="hand_2d_keypoints", detector=node, test_transforms=[dict(type="LoadImage")])
    with pytest.raises(ConfigError, match="is registered as"):
        validate(config)
    (tmp_path / "configuration.json").write_text(json.dumps({"handkit": config}))
    from handkit.pipelines import pipeline

    with pytest.raises(ConfigError, match="is registered as"):
        pipeline(model=tmp_path)


def test_a_callable_is_no_type() -> None:
    import os

    with pytest.raises(ConfigError, match="must be a registered name"):
        build(dict(type=os.system, command="echo pwned"))


def test_typos_get_an_answer(parts: type) -> None:
    with pytest.raises(ConfigError, match=r"model: no .* registered as 'TestPrat'; did you mean 'TestPart'"):
        build(dict(type="TestPrat"), r.MODELS, "model")
    with pytest.raises(ConfigError, match="takes no argument 'sise'; did you mean 'size'"):
        build(dict(type="TestPart", sise=3))
    with pytest.raises(ConfigError, match="needs the argument 'size'"):
        build(dict(type="TestPart"))
    with pytest.raises(ConfigError, match="no transform is registered as 'TestPart'"):
        build(dict(type="TestPart", size=1), r.TRANSFORMS)
    with pytest.raises(ConfigError, match="expected dict"):
        build("TestPart")  # type: ignore[arg-type]


def test_registries_are_children_of_mmengines() -> None:
    from mmengine import registry as mm

    assert r.MODELS.parent is mm.MODELS
    assert r.TRANSFORMS.parent is mm.TRANSFORMS
    assert r.DATASETS.parent is mm.DATASETS
    assert r.METRICS.parent is mm.METRICS
    assert {registry.scope for registry in r.ALL.values()} == {"handkit"}
    assert resolve("handkit.MMToTensor") is resolve("MMToTensor")


def test_names_are_unique_over_all_registries() -> None:
    names = [name for registry in r.ALL.values() for name in registered(registry)]
    assert len(names) == len(set(names))


def test_a_scope_the_user_registered_is_found() -> None:
    child = Registry("model", parent=r.MODELS, scope="elsewhere")

    @child.register_module()
    class Foreign:
        pass

    try:
        assert resolve("elsewhere.Foreign") is Foreign
    finally:
        r.MODELS.children.pop("elsewhere")


def test_bundles_keep_to_their_folder(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"holds no configuration\.json"):
        load_bundle(tmp_path)
    path = tmp_path / "configuration.json"
    path.write_text("{")
    with pytest.raises(ConfigError, match="cannot be read as JSON"):
        load_bundle(tmp_path)
    path.write_text('{"task": "hand-2d-keypoints"}')
    with pytest.raises(ConfigError, match="neither the key 'handkit'"):
        load_bundle(tmp_path)
    (tmp_path.parent / "outside.pth").write_bytes(b"")
    path.write_text(json.dumps({"handkit": {"detector": {"checkpoint": "../outside.pth"}}}))
    with pytest.raises(ConfigError, match="lies outside the folder"):
        load_bundle(tmp_path)
    path.write_text(json.dumps({"handkit": {"checkpoint": "gone.safetensors"}}))
    with pytest.raises(ConfigError, match="is missing"):
        load_bundle(tmp_path)
    (tmp_path / "w.safetensors").write_bytes(b"")
    path.write_text(json.dumps({"handkit": {"checkpoint": "w.safetensors", "a": [{"checkpoint": "hub:x/y"}]}}))
    config = load_bundle(tmp_path)
    assert config == {"checkpoint": str(tmp_path / "w.safetensors"), "a": [{"checkpoint": "hub:x/y"}]}
