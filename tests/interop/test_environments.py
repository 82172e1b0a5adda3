"""`handkit openmmlab install`: what it runs, what it leaves alone, and what it says when a step fails."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from handkit.errors import ConfigError, HandkitError
from handkit.interop import environments


class Recorder:
    """Stands in for `subprocess.run`: makes the environment's folder, and fails at a word."""

    def __init__(self, fails_at: str = "") -> None:
        self.commands: list[list[str]] = []
        self.environments: list[dict[str, str]] = []
        self._fails_at = fails_at

    def __call__(self, command: list[str], **options: Any) -> Any:
        self.commands.append(command)
        self.environments.append(options["env"])
        if command[1:3] == ["-m", "venv"]:
            Path(command[3]).mkdir(parents=True)
        failed = bool(self._fails_at) and self._fails_at in command
        return SimpleNamespace(returncode=int(failed), stdout="", stderr="gcc: not found" if failed else "")


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    recorder = Recorder()
    monkeypatch.setattr(subprocess, "run", recorder)
    return recorder


def test_every_step_is_pip_of_the_new_environment(recorded: Recorder, tmp_path: Path) -> None:
    told: list[str] = []
    python = environments.install(tmp_path / "new", "handkit==1.2", told.append)
    first, *rest = recorded.commands
    assert first == [sys.executable, "-m", "venv", str(tmp_path / "new")]
    assert {command[0] for command in rest} == {str(python)}
    assert python.is_relative_to(tmp_path / "new")
    assert [command[1:4] for command in rest[:-1]] == [["-m", "pip", "install"]] * 4
    assert rest[0][-1] == "torch==2.13.0"
    assert "handkit[openmmlab]==1.2" in rest[1]
    assert rest[2][5:] == ["--no-deps", "mmcv-lite==2.1.0", "mmdet==3.3.0", "mmpose==1.3.2"]
    assert len(told) == len(recorded.commands)
    assert all("PYTHONPATH" not in environment for environment in recorded.environments)


@pytest.mark.parametrize(
    ("source", "given"),
    [
        ("handkit==1.2", ["handkit[openmmlab]==1.2"]),
        ("handkit", ["handkit[openmmlab]"]),
        ("git+https://example.org/handkit.git", ["handkit[openmmlab] @ git+https://example.org/handkit.git"]),
        ("handkit @ https://example.org/a.whl", ["handkit[openmmlab] @ https://example.org/a.whl"]),
    ],
)
def test_handkit_is_installed_from_where_it_is_said(source: str, given: list[str]) -> None:
    assert environments.steps(source)[1][: len(given)] == given


def test_a_wheel_of_this_folder_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = "handkit-0.1.0-py3-none-any.whl"
    (tmp_path / name).write_text("")
    monkeypatch.chdir(tmp_path)
    assert environments.steps(name)[1][0] == f"{tmp_path / name}[openmmlab]"


@pytest.mark.parametrize("source", ["absent/handkit", "./handkit", "handkit-0.1.0-py3-none-any.whl", "hankit", ""])
def test_a_source_that_is_none_is_told_before_anything_is_made(
    source: str, recorded: Recorder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match="no such file or folder"):
        environments.install(tmp_path / "new", source)
    assert recorded.commands == []
    assert list(tmp_path.iterdir()) == []


def test_handkit_is_installed_as_this_one_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheel = tmp_path / "handkit.whl"
    wheel.write_text("")
    assert environments.steps(str(wheel))[1][0] == f"{wheel}[openmmlab]"
    origin = f'{{"url": "file://{tmp_path}", "dir_info": {{"editable": true}}}}'
    monkeypatch.setattr(
        environments.importlib.metadata, "distribution", lambda name: SimpleNamespace(read_text=lambda file: origin)
    )
    assert environments.steps()[1][:2] == ["-e", f"{tmp_path}[openmmlab]"]
    spaced = tmp_path / "my wheels"
    spaced.mkdir()
    assert environments.steps(spaced.as_uri())[1][0] == f"{spaced}[openmmlab]"


def test_an_environment_that_is_there_is_left_alone(recorded: Recorder, tmp_path: Path) -> None:
    (tmp_path / "pyvenv.cfg").write_text("mine")
    for folder in (tmp_path, sys.prefix):
        with pytest.raises(ConfigError, match="is there already"):
            environments.install(folder)
    assert recorded.commands == []
    assert (tmp_path / "pyvenv.cfg").read_text() == "mine"


def test_a_step_that_fails_says_why_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "run", Recorder("xtcocotools==1.14.3"))
    with pytest.raises(HandkitError, match=r"needs a C compiler[\s\S]*gcc: not found"):
        environments.install(tmp_path / "new", tell=lambda line: None)
    assert list(tmp_path.iterdir()) == []
