"""The tiny annotation files beside this one, and a home of its own for what is cached."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from handkit.datasets import index


@pytest.fixture(scope="session")
def files() -> Path:
    """The folder that `make_files.py` filled."""
    return Path(__file__).parent / "files"


@pytest.fixture
def index_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty HANDKIT_HOME in which files of any size are cached; gives the folder of the indices."""
    monkeypatch.setenv("HANDKIT_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(index, "MIN_CACHED_BYTES", 0)
    return tmp_path / "home" / "index"


@pytest.fixture
def changed(files: Path, tmp_path: Path) -> Callable[..., Path]:
    """A copy of one of the files whose first annotation (or with `image`, its first image) has other fields."""

    def change(name: str, image: bool = False, **fields: Any) -> Path:
        document = json.loads((files / name).read_text())
        document["images" if image else "annotations"][0].update(fields)
        path = tmp_path / name
        path.write_text(json.dumps(document))
        return path

    return change
