"""Weights and other files that are not code: cards, models' folders, the sources of both, the cache, offline mode.

Standard library only; nothing here imports torch.
"""

from handkit.hub.cache import home
from handkit.hub.catalogue import card, cards, read_card
from handkit.hub.model_folders import cached_model, is_model_reference, model_folder
from handkit.hub.modelscope import is_plain_id
from handkit.hub.references import Download, download, is_cached, resolve, resolve_card
from handkit.hub.schema import Card, CardFile, Score, Wheel
from handkit.hub.shipped import bundle_path, bundle_paths
from handkit.offline import offline

__all__ = [
    "Card",
    "CardFile",
    "Download",
    "Score",
    "Wheel",
    "bundle_path",
    "bundle_paths",
    "cached_model",
    "card",
    "cards",
    "download",
    "home",
    "is_cached",
    "is_model_reference",
    "is_plain_id",
    "model_folder",
    "offline",
    "read_card",
    "resolve",
    "resolve_card",
]
