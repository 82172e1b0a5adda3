"""Files that are whole or not there: written beside their place, then renamed onto it."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any


@contextlib.contextmanager
def writing(path: str | os.PathLike[str], mode: str = "wb") -> Iterator[IO[Any]]:
    """Opens a temporary file beside `path` and renames it onto `path` when the block ends without an error.

    On an error the temporary file is removed and what stood at `path` stays; an `OSError` that names no file, as that
    of a full disk, then names `path`. Parent folders are made. A device or a pipe, as ``/dev/stdout``, is written into.
    `mode` is ``wb`` or ``w`` (UTF-8).
    """
    path = Path(path)
    encoding = None if "b" in mode else "utf-8"
    if path.exists() and not path.is_file() and not path.is_dir():
        with open(path, mode, encoding=encoding) as file:
            yield file
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{secrets.token_hex(8)}.part")
    try:
        with open(part, mode.replace("w", "x"), encoding=encoding) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except BaseException as error:
        with contextlib.suppress(FileNotFoundError):
            part.unlink()
        if isinstance(error, OSError) and error.errno is not None and error.filename is None:
            error.filename = os.fspath(path)
        raise


@contextlib.contextmanager
def staged(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Gives the name of a file beside `path` to write and to check, and renames it onto `path` at the block's end.

    On an error that file is removed and what stood at `path` stays. Parent folders are made.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{secrets.token_hex(8)}.staged")
    try:
        yield part
        os.replace(part, path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            part.unlink()


@contextlib.contextmanager
def replacing(folder: str | os.PathLike[str]) -> Iterator[Path]:
    """Gives the name of a folder to make, and puts it in the place of `folder` when the block ends without an error.

    On an error what was made is removed and what stood at `folder` stays, all of it. Parent folders are made.
    """
    folder = Path(os.path.abspath(folder))
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".handkit.", dir=folder.parent) as beside:
        made, old = Path(beside) / folder.name, Path(beside) / f"{folder.name}.old"
        yield made
        if folder.exists():
            folder.rename(old)
        try:
            made.rename(folder)
        except OSError:
            if old.exists():
                old.rename(folder)
            raise


def write_json(path: str | os.PathLike[str], value: Any) -> None:
    """Writes JSON (indented by 1) with `writing`."""
    with writing(path, "w") as file:
        json.dump(value, file, indent=1)
        file.write("\n")


def sha256_of(path: str | os.PathLike[str]) -> str:
    """The sha256 of a file's bytes, in hexadecimal."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
