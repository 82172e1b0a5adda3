"""``folder:/path/to/file``: a file on this machine, used where it lies; HANDKIT_SOURCES makes such references."""

from __future__ import annotations

import os
from pathlib import Path

from handkit.hub.schema import Card, CardFile
from handkit.hub.verify import check_file


class FolderSource:
    """Files of the local disk; a place may begin with ``~``."""

    def fetch(self, place: str, file: CardFile, into: Path) -> Path:
        """See `handkit.hub.sources.base.Source`."""
        path = Path(place).expanduser()
        check_file(path, file)
        return path


def environment_references(card: Card, file: CardFile) -> list[str]:
    """References to a file in the folders of ``HANDKIT_SOURCES`` (separated like PATH), in order.

    Each folder is searched for ``CARD/FILE``, as `handkit.hub.download` lays files out, then for ``FILE``.
    """
    folders = [name for name in os.environ.get("HANDKIT_SOURCES", "").split(os.pathsep) if name]
    return [f"folder:{Path(folder) / path}" for folder in folders for path in (f"{card.name}/{file.name}", file.name)]
