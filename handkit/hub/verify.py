"""Bytes against the size and sha256 that a card states."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import IO, Protocol

from handkit.errors import HubError
from handkit.files import sha256_of, writing


class Expected(Protocol):
    """What the bytes must be: a `handkit.hub.schema.CardFile` or `handkit.hub.schema.Wheel`."""

    @property
    def sha256(self) -> str:
        """64 hexadecimal digits."""

    @property
    def size(self) -> int:
        """In bytes."""


def check_file(path: Path, expected: Expected) -> None:
    """Passes if the file is there with the stated size and sha256.

    Raises:
        HubError: it is not; the message says why, without the path.
    """
    try:
        if not path.is_file():
            raise HubError("a folder, not a file" if path.is_dir() else "no such file")
        size = path.stat().st_size
        found = sha256_of(path) if size == expected.size else ""
    except HubError:
        raise
    except OSError as error:
        raise HubError(f"cannot be read: {error.strerror}") from error
    _compare(size, found, expected)


def copy_checked(stream: IO[bytes], into: Path, expected: Expected) -> None:
    """Copies a stream into a file that appears only if its size and sha256 are right.

    Reading stops soon after the stated size, so that a hostile source cannot fill the disk.

    Raises:
        HubError: the bytes are others than stated.
    """
    digest = hashlib.sha256()
    done = 0
    with writing(into) as file:
        while block := stream.read(1 << 20):
            file.write(block)
            digest.update(block)
            done += len(block)
            if done > expected.size:
                raise HubError(f"has more than the {expected.size} bytes that the card states")
        _compare(done, digest.hexdigest(), expected)


def _compare(size: int, sha256: str, expected: Expected) -> None:
    if size != expected.size:
        raise HubError(f"has {size} bytes, the card states {expected.size}")
    if sha256 != expected.sha256:
        raise HubError(f"has sha256 {sha256}, the card states {expected.sha256}")
