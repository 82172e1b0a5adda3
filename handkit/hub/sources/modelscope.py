"""``modelscope://OWNER/NAME@REVISION!path/in/model``: a file of a model on ModelScope's hub, or of its caches here."""

from __future__ import annotations

from pathlib import Path

from handkit.errors import HubError
from handkit.hub.modelscope import DEFAULT_REVISION, ModelId, cached
from handkit.hub.schema import CardFile
from handkit.hub.sources.base import Progress
from handkit.hub.verify import check_file


def parse(place: str) -> tuple[ModelId, str]:
    """Model and path of a place, which begins with ``//``.

    Raises:
        HubError: it is written otherwise.
    """
    model, _, path = place.partition("!")
    return ModelId.parse(f"modelscope:{model}"), path


class ModelScopeCache:
    """Files that ``snapshot_download`` brought here, used where they lie."""

    def fetch(self, place: str, file: CardFile, into: Path) -> Path:
        """See `handkit.hub.sources.base.Source`."""
        model, path = parse(place)
        folder = cached(model, path)
        if folder is None:
            raise HubError("not in ModelScope's cache")
        check_file(folder / path, file)
        return folder / path


class ModelScopeSource:
    """Files of the hub at ``MODELSCOPE_ENDPOINT``, else https://modelscope.cn.

    Args:
        progress: told when a download begins.
    """

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def fetch(self, place: str, file: CardFile, into: Path) -> Path:
        """See `handkit.hub.sources.base.Source`."""
        from handkit.hub import modelscope_api, web  # urllib's imports take longer than all of the hub's

        model, path = parse(place)
        self._progress(f"downloading {file.name} ({file.size / 1e6:.1f} MB) from ModelScope's {model}")
        web.fetch(modelscope_api.file_url(model, model.revision or DEFAULT_REVISION, path), into, file)
        return into

    def at_hand(self, place: str) -> bool:
        """Never: each file is a download of its own."""
        return False
