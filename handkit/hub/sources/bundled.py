"""``bundled:relative/path``: a file inside the installed handkit package, used where it lies."""

from __future__ import annotations

from pathlib import Path

import handkit
from handkit.hub.schema import CardFile
from handkit.hub.verify import check_file


class BundledSource:
    """Files that are part of handkit itself.

    Args:
        root: the folder that places are relative to; None for the installed package.
    """

    def __init__(self, root: Path | None = None) -> None:
        self._root = root or Path(handkit.__file__).parent

    def fetch(self, place: str, file: CardFile, into: Path) -> Path:
        """See `handkit.hub.sources.base.Source`."""
        path = self._root / place
        check_file(path, file)
        return path
