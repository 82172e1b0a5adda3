"""Where files are kept, and whether the network may be used: HANDKIT_HOME and HANDKIT_OFFLINE."""

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


def offline() -> bool:
    """True if ``HANDKIT_OFFLINE`` is set to anything but empty, ``0``, ``false`` or ``no``."""
    return os.environ.get("HANDKIT_OFFLINE", "").strip().lower() not in ("", "0", "false", "no")
