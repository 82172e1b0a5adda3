"""``https://host/path``: a file on a mirror."""

from __future__ import annotations

from pathlib import Path

from handkit.hub.schema import CardFile
from handkit.hub.sources.base import Progress


class WebSource:
    """Files that a server answers as they are.

    Args:
        progress: told when a download begins.
    """

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def fetch(self, place: str, file: CardFile, into: Path) -> Path:
        """See `handkit.hub.sources.base.Source`; a place begins with ``//``."""
        from handkit.hub import web  # urllib's imports take longer than all of the hub's

        self._progress(f"downloading {file.name} ({file.size / 1e6:.1f} MB) from https:{place}")
        web.fetch(f"https:{place}", into, file)
        return into

    def at_hand(self, place: str) -> bool:
        """Never: each file is a download of its own."""
        return False
