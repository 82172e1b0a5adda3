"""From a card's file to a path: this machine first, then the network, and one explanation when neither has it."""

from __future__ import annotations

import contextlib
import logging
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from handkit.errors import HubError, OfflineError
from handkit.hub.cache import cards_folder
from handkit.hub.schema import Card, CardFile
from handkit.hub.sources import (
    LOCAL,
    NETWORK,
    NetworkSource,
    Progress,
    environment_references,
    network_sources,
    split_reference,
)
from handkit.hub.verify import check_file
from handkit.offline import offline

logger = logging.getLogger("handkit.hub")


@dataclass(frozen=True)
class Attempt:
    """A place where a file was looked for in vain, and the reason."""

    place: str
    reason: str


@dataclass(frozen=True)
class Found:
    """A file whose size and sha256 are right, and whether it had to be downloaded."""

    path: Path
    downloaded: bool


def locate(card: Card, file: CardFile) -> tuple[Path | None, list[Attempt]]:
    """Looks for a file on this machine: HANDKIT_SOURCES, the card's local sources in order, the cache.

    A file with wrong bytes is never used; a warning is logged if it lies in the cache.

    Returns:
        The path of the right file, or None; and the places that did not have it.
    """
    cached = cards_folder() / card.name / file.name
    attempts: list[Attempt] = []
    for reference in [*environment_references(card, file), *file.sources]:
        scheme, place = split_reference(reference)
        if scheme in LOCAL:
            try:
                return LOCAL[scheme].fetch(place, file, cached), attempts
            except HubError as error:
                attempts.append(Attempt(reference, str(error)))
    try:
        check_file(cached, file)
        return cached, attempts
    except HubError as error:
        reason = str(error)
        if cached.exists():
            reason = f"corrupted cache file: {reason}"
            logger.warning("%s: %s; it is not used", cached, reason)
        attempts.append(Attempt(str(cached), reason))
    return None, attempts


def obtain(
    card: Card, files: Iterable[CardFile], folder: Path, progress: Progress = logger.warning
) -> dict[str, Found]:
    """Gets files of a card; what this machine lacks is downloaded into `folder`.

    When that takes a wheel, the card's other missing files that lie in the same wheel are read out of it too.

    Args:
        card: the card.
        files: those of its files that are wanted.
        folder: where to put what is downloaded: the card's folder in the cache, or another.
        progress: told when a download begins; by default a warning is logged, as it takes time and the network.

    Returns:
        File name to what was found, for every file wanted.

    Raises:
        HubError: a file could not be had; the message lists every place tried, the reason, and how to mend it.
        OfflineError: the same, where HANDKIT_OFFLINE=1 kept network sources from being tried.
    """
    found: dict[str, Found] = {}
    missing: list[tuple[CardFile, list[Attempt]]] = []
    for file in files:
        path, attempts = locate(card, file)
        if path is None:
            missing.append((file, attempts))
        else:
            found[file.name] = Found(path, downloaded=False)
    if missing:
        with _network(card, progress) as sources:
            for file, attempts in missing:
                found[file.name] = Found(_download(card, file, folder / file.name, sources, attempts), downloaded=True)
            _take_along(card, folder, sources, found)
    return found


@contextlib.contextmanager
def _network(card: Card, progress: Progress) -> Iterator[Mapping[str, NetworkSource]]:
    """The network sources (none under HANDKIT_OFFLINE=1) and their temporary folder, which is removed at the end."""
    if offline():
        yield {}
        return
    with tempfile.TemporaryDirectory(prefix="handkit-") as work:
        yield network_sources(card.wheels, Path(work), progress)


def _download(
    card: Card, file: CardFile, into: Path, sources: Mapping[str, NetworkSource], attempts: list[Attempt]
) -> Path:
    """Tries a file's network sources in order; `attempts` are the places where it was looked for before."""
    untried = False
    for reference in file.sources:
        scheme, place = split_reference(reference)
        if scheme not in NETWORK:
            continue
        if scheme not in sources:
            attempts.append(Attempt(reference, "not tried, because HANDKIT_OFFLINE is set"))
            untried = True
            continue
        try:
            return sources[scheme].fetch(place, file, into)
        except HubError as error:
            attempts.append(Attempt(reference, str(error)))
        except OSError as error:
            reason = f"cannot write {into}: {error.strerror} (HANDKIT_HOME chooses the cache's folder)"
            attempts.append(Attempt(reference, reason))
    raise (OfflineError if untried else HubError)(_explanation(card, file, attempts, untried))


def _explanation(card: Card, file: CardFile, attempts: list[Attempt], untried: bool) -> str:
    places = "".join(f"\n  {attempt.place}: {attempt.reason}" for attempt in attempts)
    mend = "unset HANDKIT_OFFLINE" if untried else "check the network and pip's index and proxy settings"
    return (
        f"{card.name}/{file.name} could not be had. Looked at:{places}\n"
        f"To mend it: {mend}, then run 'handkit download {card.name}'; or run 'handkit download {card.name} --to DIR' "
        "on a machine with a network, copy DIR here, and set HANDKIT_SOURCES=DIR."
    )


def _take_along(card: Card, folder: Path, sources: Mapping[str, NetworkSource], found: Mapping[str, Found]) -> None:
    """Reads files that nobody asked for out of archives that are at hand, so that a wheel is not downloaded twice.

    A failure here is not reported: it will be when such a file is wanted.
    """
    for file in card.files:
        for scheme, place in map(split_reference, file.sources):
            wanted = file.name not in found and scheme in sources and sources[scheme].at_hand(place)
            if wanted and locate(card, file)[0] is None:
                with contextlib.suppress(OSError):
                    sources[scheme].fetch(place, file, folder / file.name)
