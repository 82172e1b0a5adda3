"""Models of ModelScope's hub: their ids, and where ``snapshot_download`` of any version keeps them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from handkit.errors import HubError

SCHEME = "modelscope:"
DEFAULT_REVISION = "master"

_PART = r"[A-Za-z0-9][A-Za-z0-9._-]*"
_REFERENCE = re.compile(rf"modelscope://(?P<owner>{_PART})/(?P<name>{_PART})(?:@(?P<revision>[A-Za-z0-9][\w./-]*))?")
_PLAIN_ID = re.compile(rf"{_PART}/{_PART}")
_VERSION = ".mv"


@dataclass(frozen=True)
class ModelId:
    """A model of the hub.

    Args:
        owner: its namespace.
        name: its name there.
        revision: a branch or tag; None for whichever this machine has, else the main branch.
    """

    owner: str
    name: str
    revision: str | None = None

    @classmethod
    def parse(cls, reference: str) -> ModelId:
        """Reads ``modelscope://OWNER/NAME`` with ``@REVISION`` behind it or not.

        Raises:
            HubError: it is written otherwise.
        """
        found = _REFERENCE.fullmatch(reference)
        if found is None or ".." in reference:
            raise HubError(f"{reference!r} must be written modelscope://OWNER/NAME or modelscope://OWNER/NAME@REVISION")
        return cls(**found.groupdict())

    def __str__(self) -> str:
        return f"{self.owner}/{self.name}"


def is_plain_id(text: str) -> bool:
    """Whether a text may be meant as ``OWNER/NAME``.

    >>> is_plain_id('damo/cv_hand'), is_plain_id('./damo'), is_plain_id('a/b/c')
    (True, False, False)
    """
    return _PLAIN_ID.fullmatch(text) is not None and ".." not in text


def cache_roots() -> list[Path]:
    """The folders of ``HANDKIT_SOURCES``, then ModelScope's: ``MODELSCOPE_CACHE``, else ``~/.cache/modelscope``."""
    named = [Path(name) for name in os.environ.get("HANDKIT_SOURCES", "").split(os.pathsep) if name]
    chosen = os.environ.get("MODELSCOPE_CACHE")
    return [*named, Path(chosen).expanduser() if chosen else Path.home() / ".cache" / "modelscope"]


def cached(model: ModelId, required: str = "") -> Path | None:
    """The folder of a model in a cache on this machine; nothing is written, and no socket opened.

    Layouts, below each of `cache_roots`: ``models/OWNER--NAME/snapshots/REVISION`` (modelscope 1.38 and later);
    ``models/OWNER/NAME``, ``hub/models/OWNER/NAME``, ``hub/OWNER/NAME`` and ``OWNER/NAME`` (before), where dots in a
    name are stored as ``___``. Without a revision asked for, of several the main branch counts.

    Args:
        model: what is looked for.
        required: a file without which a folder does not count, e.g. of a download that was cut off.

    Raises:
        HubError: no revision is asked for, and the cache holds several but no main branch.
    """
    for root in cache_roots():
        for folder in _candidates(root, model):
            if folder.is_dir() and (folder / required).exists():
                return folder
    return None


def _candidates(root: Path, model: ModelId) -> Iterator[Path]:
    safe = model.name.replace(".", "___")
    before = [root / "models" / model.owner / safe, root / "hub" / "models" / model.owner / safe]
    older = [root / part / model.owner / name for part in ("", "hub") for name in (model.name, safe)]
    yield from (path for path in before if _may_be(path, model))
    yield from _snapshots(root / "models" / f"{model.owner}--{model.name}" / "snapshots", model)
    yield from (path for path in [*older, root / "models" / model.owner / model.name] if _may_be(path, model))


def _snapshots(folder: Path, model: ModelId) -> Iterator[Path]:
    if model.revision is not None:
        yield folder / model.revision
        return
    there = sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
    main = [path for path in there if path.name in (DEFAULT_REVISION, "main")]
    if len(there) > 1 and not main:
        names = ", ".join(path.name for path in there)
        raise HubError(f"{folder} holds several revisions of {model}: {names}; add the one you mean, as @REVISION")
    yield from sorted(main, reverse=True) or there


def _may_be(folder: Path, model: ModelId) -> bool:
    """Whether a folder that holds one revision, of which it may keep a note, can be the one asked for."""
    if model.revision is None:
        return True
    try:
        note = (folder / _VERSION).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return True
    found = re.match(r"Revision:([^,\n]+)", note)
    return found is None or found[1].strip() == model.revision
