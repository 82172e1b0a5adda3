"""Places where the files of cards lie, one module per kind: ``bundled:``, ``folder:``, ``pypi:``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from handkit.errors import ConfigError, did_you_mean
from handkit.hub.schema import Wheel
from handkit.hub.sources.base import NetworkSource, Progress, Source, is_inside, split_reference
from handkit.hub.sources.bundled import BundledSource
from handkit.hub.sources.folder import FolderSource, environment_references
from handkit.hub.sources.pypi import PyPISource

__all__ = [
    "LOCAL",
    "NETWORK",
    "NetworkSource",
    "Progress",
    "Source",
    "check_reference",
    "environment_references",
    "is_inside",
    "network_sources",
    "split_reference",
]

LOCAL: Mapping[str, Source] = {"bundled": BundledSource(), "folder": FolderSource()}
NETWORK = ("pypi",)


def network_sources(wheels: Mapping[str, Wheel], work: Path, progress: Progress) -> dict[str, NetworkSource]:
    """One source for each scheme of `NETWORK`, for one pass over a card's files.

    Args:
        wheels: the card's wheels, by requirement.
        work: an empty folder for what is only needed during the pass; the caller removes it.
        progress: told when a download begins.
    """
    return {"pypi": PyPISource(wheels, work, progress)}


def check_reference(reference: str, wheels: Mapping[str, Wheel], where: str) -> None:
    """Checks the form of a card's source, without looking for it.

    Raises:
        ConfigError: unknown scheme, empty place, a path that leads out of the package, or a wheel the card lacks.
    """
    scheme, place = split_reference(reference)
    if scheme not in (*LOCAL, *NETWORK):
        raise ConfigError(f"{where}: {reference!r} has no known scheme; {did_you_mean(scheme, [*LOCAL, *NETWORK])}")
    if not place:
        raise ConfigError(f"{where}: {reference!r} names no place")
    if scheme == "bundled" and not is_inside(place):
        raise ConfigError(f"{where}: {place!r} must be a relative path with '/' and without '..'")
    if scheme == "pypi":
        requirement, _, member = place.partition("!")
        if not member:
            raise ConfigError(f"{where}: {reference!r} must be pypi:PACKAGE==VERSION!path/in/wheel")
        if requirement not in wheels:
            raise ConfigError(f"{where}: {requirement!r} is not in wheels; {did_you_mean(requirement, wheels)}")
