"""The hub's calls: a reference to a path, a whole card to paths, a download ahead of use."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from handkit.errors import HubError
from handkit.hub.cache import cards_folder
from handkit.hub.catalogue import card
from handkit.hub.fetch import locate, logger, obtain
from handkit.hub.schema import Card, CardFile
from handkit.hub.shipped import BUNDLE, bundle_file
from handkit.hub.sources import Progress
from handkit.hub.verify import check_file, copy_checked


@dataclass(frozen=True)
class Download:
    """What `download` did for one file.

    Args:
        card: the card's name.
        file: the file's name.
        path: where it lies now.
        action: ``kept`` if it was there already, ``copied`` from elsewhere on this machine, or ``downloaded``.
    """

    card: str
    file: str
    path: Path
    action: Literal["kept", "copied", "downloaded"]


def resolve(reference: str | os.PathLike[str]) -> Path:
    """The path of a file, downloaded first if need be.

    Args:
        reference: ``hub:CARD/FILE``, ``bundle:NAME/FILE`` of a bundle in the package, or the path of an existing file.

    Raises:
        HubError: no such card or file, or it could not be had from any source, or there is no file at that path.
        OfflineError: it would have to be downloaded, but HANDKIT_OFFLINE=1 is set.
    """
    text = os.fspath(reference)
    if text.startswith(BUNDLE):
        return bundle_file(text)
    if not text.startswith("hub:"):
        path = Path(text).expanduser()
        if not path.is_file():
            raise HubError(f"there is no file {text!r} (a card's file is written hub:CARD/FILE)")
        return path
    owner, file = _parse(text)
    return obtain(owner, [file], cards_folder() / owner.name)[file.name].path


def is_cached(name: str) -> bool:
    """Whether this machine has every file of a card with the right sha256; never opens a socket.

    Raises:
        HubError: no such card.
    """
    owner = card(name)
    return all(locate(owner, file)[0] is not None for file in owner.files)


def resolve_card(name: str) -> dict[str, Path]:
    """File name to path for every file of a card, downloaded first if need be.

    Raises:
        HubError: as in `resolve`.
    """
    owner = card(name)
    found = obtain(owner, owner.files, cards_folder() / name)
    return {file: found[file].path for file in found}


def download(
    names: Iterable[str], to: str | os.PathLike[str] | None = None, progress: Progress = logger.warning
) -> list[Download]:
    """Brings cards onto this machine ahead of use.

    Args:
        names: of cards.
        to: a folder that gets ``CARD/FILE``, to be carried to another machine and named there by HANDKIT_SOURCES;
            None for the cache.
        progress: called with one line when a download begins; by default a warning is logged.

    Raises:
        HubError: as in `resolve`; cards before the failing one are in place.
    """
    chosen = {name: card(name) for name in names}
    base = cards_folder() if to is None else Path(to).expanduser()
    return [done for owner in chosen.values() for done in _download_card(owner, base, to is not None, progress)]


def _download_card(owner: Card, base: Path, copying: bool, progress: Progress) -> list[Download]:
    folder = base / owner.name
    kept = {file.name for file in owner.files if copying and _is_right(folder / file.name, file)}
    found = obtain(owner, [file for file in owner.files if file.name not in kept], folder, progress)
    done = []
    for file in owner.files:
        target = folder / file.name
        if file.name in kept:
            done.append(Download(owner.name, file.name, target, "kept"))
        elif found[file.name].downloaded:
            done.append(Download(owner.name, file.name, target, "downloaded"))
        elif copying:
            _copy(found[file.name].path, target, file)
            done.append(Download(owner.name, file.name, target, "copied"))
        else:
            done.append(Download(owner.name, file.name, found[file.name].path, "kept"))
    return done


def _is_right(path: Path, file: CardFile) -> bool:
    try:
        check_file(path, file)
    except HubError:
        return False
    return True


def _copy(path: Path, target: Path, file: CardFile) -> None:
    try:
        with open(path, "rb") as stream:
            copy_checked(stream, target, file)
    except OSError as error:
        raise HubError(f"cannot copy {path} to {target}: {error.strerror or error}") from error


def _parse(reference: str) -> tuple[Card, CardFile]:
    """Card and file of ``hub:CARD/FILE``."""
    scheme, _, place = reference.partition(":")
    name, _, file = place.partition("/")
    if scheme != "hub" or not name or not file:
        raise HubError(f"{reference!r} must be written hub:CARD/FILE")
    owner = card(name)
    return owner, owner.file(file)
