"""Fixtures that find what a test may need and skip, with a reason, where it is absent.

``HANDKIT_CI=1`` turns a skip for a missing extra or an undownloaded card into a failure, since CI installs both.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys

os.environ.setdefault("OMP_NUM_THREADS", "1")  # xdist brings the processes; read when torch is first imported

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import ModuleType
from typing import NoReturn

import pytest
from hypothesis import settings

#: The same examples in every run; HYPOTHESIS_SEARCH=1 looks for new ones.
settings.register_profile("same", derandomize=os.environ.get("HYPOTHESIS_SEARCH") != "1", deadline=None)
settings.load_profile("same")

ROOT = Path(__file__).resolve().parents[1]


def absent(reason: str) -> NoReturn:
    """Skips, or fails under HANDKIT_CI=1."""
    if os.environ.get("HANDKIT_CI") == "1":
        pytest.fail(f"HANDKIT_CI=1 allows no skip: {reason}")
    pytest.skip(reason)


def _program(path: str) -> ModuleType:
    """A program of the repository as a module; imported once."""
    name = Path(path).stem
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, ROOT / path)
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return sys.modules[name]


@pytest.fixture(scope="session")
def chromium() -> str:
    """A browser's program, for tests of pages."""
    program = os.environ.get("HANDKIT_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("no browser: install chromium, or name one by HANDKIT_CHROMIUM")
    return program


@pytest.fixture(scope="session")
def program_module() -> Callable[[str], ModuleType]:
    """Imports a program by its path in the repository, e.g. ``demo/plain_train.py``."""
    return _program


def _card(name: str) -> dict[str, Path]:
    from handkit import hub
    from handkit.errors import HubError

    try:
        return hub.resolve_card(name)
    except HubError as error:
        absent(f"the files of {name} are not at hand (run `handkit download {name}`): {error}")


@pytest.fixture(autouse=True)
def _offline(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """No test reaches the network by accident; those of a local server say so with the marker `network`."""
    monkeypatch.setenv("HANDKIT_OFFLINE", "0" if request.node.get_closest_marker("network") else "1")


@pytest.fixture(scope="session")
def peer_data() -> Path:
    """The folder of measured peers and photographs named by HANDKIT_PEER_DATA."""
    folder = Path(os.environ.get("HANDKIT_PEER_DATA", ""))
    if not os.environ.get("HANDKIT_PEER_DATA") or not folder.is_dir():
        pytest.skip("HANDKIT_PEER_DATA names no folder with reference data")
    return folder.resolve()


@pytest.fixture(scope="session")
def mediapipe_files() -> dict[str, Path]:
    """The four nets of the card mediapipe_hands, by file name, with the runtime that executes them installed."""
    extra("ai_edge_litert", "mediapipe")
    return _card("mediapipe_hands")


@pytest.fixture(scope="session")
def makehuman_assets() -> Path:
    """The folder of the card makehuman_hand, with the ray caster installed."""
    extra("embreex", "synth")
    return next(iter(_card("makehuman_hand").values())).parent


@pytest.fixture(scope="session")
def efficientnet_lite0() -> Path:
    """The weights of the card efficientnet_lite0."""
    return _card("efficientnet_lite0")["efficientnet-lite0-57934424.pth"]


def extra(module: str, name: str) -> None:
    """Requires the module of an extra."""
    try:
        __import__(module)
    except ImportError:
        absent(f"{module} is not installed (pip install 'handkit[{name}]')")


@pytest.fixture(scope="session")
def disk_of() -> Callable[[int], AbstractContextManager[None]]:
    """``with disk_of(size)``: the system itself lets no file grow beyond a size, and ends a write in its middle."""
    resource = pytest.importorskip("resource", reason="only POSIX systems limit the size of files")

    @contextmanager
    def limited(size: int) -> Iterator[None]:
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    return limited


@pytest.fixture(scope="session")
def in_subprocess() -> Callable[..., str]:
    """Runs Python code in a fresh interpreter and returns what it printed; fails with its error output."""
    import subprocess
    import sys

    def run(code: str, **environment: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, **environment}
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run
