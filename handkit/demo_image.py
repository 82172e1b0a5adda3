"""The picture of a hand that comes with handkit: a render of its own, no person's photograph."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def demo_image() -> Path:
    """``hand.png``: inside the installed package, or in the checkout's ``demo/``."""
    installed = _PACKAGE / "demo" / "hand.png"
    return installed if installed.is_file() else _PACKAGE.parent / "demo" / "hand.png"
