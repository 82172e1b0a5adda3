"""A stated wheel by ``pip download``, whatever this machine's own platform and Python are."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

from handkit.errors import HubError
from handkit.hub.schema import Wheel


def available() -> bool:
    """Whether this Python has pip."""
    return bool(sys.executable) and importlib.util.find_spec("pip") is not None


def arguments(wheel: Wheel, folder: Path) -> list[str]:
    """The command line; the wheel's own tags are given, so that every machine selects the same build."""
    python, abi, platforms = wheel.tags
    implementation, version = python[:2], python[2:]
    return [
        sys.executable,
        "-m",
        "pip",
        "download",
        *("--quiet", "--no-input", "--disable-pip-version-check", "--no-cache-dir", "--retries=2"),
        *("--no-deps", "--only-binary=:all:", "--ignore-requires-python"),
        *(f"--platform={platform}" for platform in platforms),
        f"--implementation={implementation}",
        f"--python-version={version[0]}.{version[1:]}".removesuffix("."),
        f"--abi={abi}",
        f"--dest={folder}",
        wheel.requirement,
    ]


def download(wheel: Wheel, folder: Path) -> None:
    """Downloads `wheel` into `folder`; size and sha256 are left to the caller to check.

    Raises:
        HubError: pip failed, or brought another file.
    """
    # The working folder is first on the child's import path: an empty one, so that no pip.py of the user's runs.
    done = subprocess.run(arguments(wheel, folder), cwd=folder, capture_output=True, text=True, errors="replace")
    if done.returncode:
        raise HubError(f"pip download failed: {_reason(done.stderr)}")
    if not (folder / wheel.filename).exists():
        found = ", ".join(path.name for path in folder.glob("*.whl")) or "nothing"
        raise HubError(f"pip download brought {found} where the card states {wheel.filename}")


def _reason(stderr: str) -> str:
    """pip's last warning, which tells a broken connection, and its errors."""
    lines = [line.strip() for line in stderr.splitlines()]
    warnings = [line for line in lines if line.startswith("WARNING:")]
    errors = [line for line in lines if line.startswith("ERROR:")]
    return " ".join([*warnings[-1:], *errors] or lines[-1:] or ["no message"])
