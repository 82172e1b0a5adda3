"""Environments with the real packages of other toolkits, as `make test-interop` builds and names them.

Each is an environment variable: ``HANDKIT_<NAME>_PYTHON`` an interpreter, ``HANDKIT_<NAME>_WHEEL`` a wheel. A test
whose environment is not named skips; under ``HANDKIT_INTEROP=1``, which `make test-interop` sets, it fails.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import NoReturn

import pytest

#: Run in those environments, never imported here.
collect_ignore = ["programs"]


def _absent(reason: str) -> NoReturn:
    if os.environ.get("HANDKIT_INTEROP") == "1":
        pytest.fail(f"HANDKIT_INTEROP=1 allows no skip: {reason}")
    pytest.skip(reason)


def _named(variable: str, what: str) -> Path:
    """The file that an environment variable names."""
    path = Path(os.environ.get(variable, ""))
    if not os.environ.get(variable) or not path.is_file():
        _absent(f"{variable} names no {what} (`make test-interop` makes one)")
    return path.absolute()  # not resolved: an environment's python is a link to another one


class Interpreter:
    """The Python of an environment.

    Args:
        path: its executable.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def run(self, *arguments: str | Path, cwd: Path | None = None, **environment: str) -> str:
        """Runs ``python ARGUMENTS`` and returns what it printed; fails with its error output."""
        done = self.attempt(*arguments, cwd=cwd, **environment)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def attempt(
        self, *arguments: str | Path, cwd: Path | None = None, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """The same without judging how it ended."""
        return subprocess.run(
            [self.path, *arguments], capture_output=True, text=True, cwd=cwd, env={**os.environ, **environment}
        )


@pytest.fixture(scope="session")
def modelscope_python() -> Interpreter:
    """An environment with handkit[modelscope,mediapipe]."""
    return Interpreter(_named("HANDKIT_MODELSCOPE_PYTHON", "interpreter with modelscope"))


@pytest.fixture(scope="session")
def openmmlab_python() -> Interpreter:
    """An environment with handkit, mmpose, mmdet and mmcv, as `handkit openmmlab install` makes it."""
    return Interpreter(_named("HANDKIT_OPENMMLAB_PYTHON", "interpreter with mmpose"))


@pytest.fixture(scope="session")
def easycv_wheel() -> Path:
    """The wheel pai-easycv 0.11.7."""
    return _named("HANDKIT_EASYCV_WHEEL", "wheel of pai-easycv")


@pytest.fixture(scope="session")
def mmpose_0x_wheel() -> Path:
    """The wheel mmpose 0.29.0."""
    return _named("HANDKIT_MMPOSE_0X_WHEEL", "wheel of mmpose 0.x")
