"""Weights and other files that are not code: cards, the sources of their files, the cache, offline mode.

Standard library only; nothing here imports torch.
"""

from handkit.hub.cache import home, offline
from handkit.hub.catalogue import card, cards, read_card
from handkit.hub.references import Download, download, is_cached, resolve, resolve_card
from handkit.hub.schema import Card, CardFile, Score, Wheel
from handkit.hub.shipped import bundle_path, bundle_paths

__all__ = [
    "Card",
    "CardFile",
    "Download",
    "Score",
    "Wheel",
    "bundle_path",
    "bundle_paths",
    "card",
    "cards",
    "download",
    "home",
    "is_cached",
    "offline",
    "read_card",
    "resolve",
    "resolve_card",
]
