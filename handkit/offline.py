"""Whether anything may be downloaded."""

from __future__ import annotations

import os


def offline() -> bool:
    """True if ``HANDKIT_OFFLINE`` is set to anything but empty, ``0``, ``false`` or ``no``."""
    return os.environ.get("HANDKIT_OFFLINE", "").strip().lower() not in ("", "0", "false", "no")
