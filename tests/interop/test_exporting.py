"""The folder that a training by ModelScope's trainer leaves, written without ModelScope."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest

from handkit.hub import bundle_path
from handkit.registry.bundles import load_bundle

FILE = Path(__file__).resolve().parents[2] / "handkit" / "interop" / "modelscope" / "folders.py"


@pytest.fixture(scope="module")
def folders() -> Any:
    """The module by its file: importing its package needs ModelScope."""
    spec = importlib.util.spec_from_file_location("modelscope_folders", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_every_other_file_of_the_model_comes_along(folders: Any, tmp_path: Path) -> None:
    source = bundle_path("hand_2d_keypoints")
    model = folders.TrainableModel.read(source, source / "configuration.json", {})
    out = folders.export(model, source / "model.safetensors", tmp_path / "output")
    files = {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()}
    assert files == {"configuration.json", "model.safetensors", "detection/model.safetensors"}
    assert load_bundle(out)["checkpoint"] == str(out / "model.safetensors")


@pytest.mark.parametrize("work_dir", ["work_dir", "."])
def test_a_work_dir_within_the_model_is_no_part_of_it(folders: Any, tmp_path: Path, work_dir: str) -> None:
    folder = tmp_path / "model"
    (folder / work_dir).mkdir(parents=True)
    (folder / "configuration.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(b"old")
    best = folder / work_dir / "best.safetensors"
    best.write_bytes(b"new")
    model = folders.TrainableModel(folder, {}, folder / "model.safetensors", ())
    for _ in range(2):
        out = folders.export(model, best, folder / work_dir / "output")
    assert (out / "model.safetensors").read_bytes() == b"new"
    assert not [path for path in out.rglob("*") if path.name in ("output", "work_dir")]
    assert (folder / "model.safetensors").read_bytes() == b"old"
