"""What every source is, and how a reference to one is written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Protocol

from handkit.hub.schema import CardFile

Progress = Callable[[str], object]
"""Called with one line when something that takes a while begins."""


class Source(Protocol):
    """A kind of place where the files of cards lie, named by the scheme of its references ``scheme:place``."""

    def fetch(self, place: str, file: CardFile, into: Path) -> Path:
        """Gets one file.

        Args:
            place: the reference without its scheme.
            file: what is wanted; size and sha256 are checked before this returns.
            into: where to write it if it must be brought here; nothing half-written is ever left there.

        Returns:
            `into`, or the file's own path if it lies on this machine.

        Raises:
            HubError: the reason, without the place.
        """


class NetworkSource(Source, Protocol):
    """A source that opens sockets: never used under HANDKIT_OFFLINE=1."""

    def at_hand(self, place: str) -> bool:
        """Whether `fetch` from here would cost no further download."""


def split_reference(reference: str) -> tuple[str, str]:
    """Scheme and place of a reference.

    >>> split_reference('folder:/nets/palm.tflite')
    ('folder', '/nets/palm.tflite')
    """
    scheme, _, place = reference.partition(":")
    return scheme, place


def is_inside(path: str) -> bool:
    r"""True for a relative path with ``/`` between its parts and no ``..``: it cannot lead out of a folder.

    >>> [is_inside(p) for p in ('a/b.json', '/', '/a', '../a', 'a//b', 'C:\\a', '')]
    [True, False, False, False, False, False, False]
    """
    parts = PurePosixPath(path).parts
    plain = ".." not in parts and not path.startswith("/") and not set("\\:") & set(path)
    return plain and bool(parts) and path == "/".join(parts)
