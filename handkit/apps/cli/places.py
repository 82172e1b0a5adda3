"""Whether what a command writes can be written, asked before the work and not after it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from handkit.errors import ConfigError


def check_file(option: str, path: Path | None, read: Iterable[str | Path | None] = ()) -> None:
    """Raises a ConfigError where a file cannot be written, or would replace one that is read.

    It cannot where it is a folder, or where none can be made in its folder.

    Args:
        option: what names it, for the message, e.g. ``--json``.
        path: the file; its folder may be yet to be made. A device or a pipe is no file in a folder; None: no file.
        read: what the command reads; what is no path of a file is left aside.
    """
    if path is None:
        return
    if path.is_dir():
        raise ConfigError(f"{option} {path} is a folder; name a file in it")
    if path.is_file() and any(source is not None and _same(path, Path(source)) for source in read):
        raise ConfigError(f"{option} {path} would replace a file that is read; name another")
    if path.is_file() or not path.exists():
        check_folder(f"{option} {path}", path.parent)


def check_folder(option: str, folder: Path) -> None:
    """Raises a ConfigError where a folder is none and cannot be made, or cannot be written into.

    Args:
        option: what names it and its name, for the message, e.g. ``--out drawn``.
        folder: it may be yet to be made.
    """
    there = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    if not there.is_dir():
        raise ConfigError(f"{option}: {there} is a file and no folder; name another place")
    if not os.access(there, os.W_OK | os.X_OK):
        raise ConfigError(f"{option}: nothing can be written into {there}; name another place")


def _same(path: Path, other: Path) -> bool:
    return other.is_file() and path.samefile(other)
