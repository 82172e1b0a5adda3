"""Where files are kept: HANDKIT_HOME."""

from __future__ import annotations

import os
from pathlib import Path


def home() -> Path:
    """The folder for everything handkit keeps.

    ``HANDKIT_HOME``, else ``$XDG_CACHE_HOME/handkit``, else ``~/.cache/handkit``. It need not exist.
    """
    if chosen := os.environ.get("HANDKIT_HOME"):
        return Path(chosen).expanduser().absolute()
    shared = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(shared) if os.path.isabs(shared) else Path.home() / ".cache") / "handkit"


def cards_folder() -> Path:
    """The folder of the cached files, which lie in it as ``CARD/FILE``."""
    return home() / "cards"
