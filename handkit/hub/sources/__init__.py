"""Places where the files of cards lie, one module per kind.

On this machine: ``bundled:``, ``folder:``. On the network: ``pypi:``, ``https://``. On both: ``modelscope://``.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from handkit.errors import ConfigError, HubError, did_you_mean
from handkit.hub.schema import Wheel
from handkit.hub.sources.base import NetworkSource, Progress, Source, is_inside, split_reference
from handkit.hub.sources.bundled import BundledSource
from handkit.hub.sources.folder import FolderSource, environment_references
from handkit.hub.sources.modelscope import ModelScopeCache, ModelScopeSource
from handkit.hub.sources.modelscope import parse as parse_modelscope
from handkit.hub.sources.pypi import PyPISource
from handkit.hub.sources.web import WebSource

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

LOCAL: Mapping[str, Source] = {
    "bundled": BundledSource(),
    "folder": FolderSource(),
    "modelscope": ModelScopeCache(),
}
NETWORK = ("pypi", "modelscope", "https")


def network_sources(wheels: Mapping[str, Wheel], work: Path, progress: Progress) -> dict[str, NetworkSource]:
    """One source for each scheme of `NETWORK`, for one pass over a card's files.

    Args:
        wheels: the card's wheels, by requirement.
        work: an empty folder for what is only needed during the pass; the caller removes it.
        progress: told when a download begins.
    """
    return {
        "pypi": PyPISource(wheels, work, progress),
        "modelscope": ModelScopeSource(progress),
        "https": WebSource(progress),
    }


def check_reference(reference: str, wheels: Mapping[str, Wheel], where: str) -> None:
    """Checks the form of a card's source, without looking for it.

    Raises:
        ConfigError: unknown scheme, empty place, a path that leads out of its folder, or a wheel the card lacks.
    """
    scheme, place = split_reference(reference)
    known = {*LOCAL, *NETWORK}
    if scheme not in known:
        raise ConfigError(f"{where}: {reference!r} has no known scheme; {did_you_mean(scheme, known)}")
    if not place:
        raise ConfigError(f"{where}: {reference!r} names no place")
    if scheme in _FORMS:
        _FORMS[scheme](place, wheels, f"{where}: {reference!r}")


def _bundled_form(place: str, wheels: Mapping[str, Wheel], what: str) -> None:
    if not is_inside(place):
        raise ConfigError(f"{what} must be a relative path with '/' and without '..'")


def _pypi_form(place: str, wheels: Mapping[str, Wheel], what: str) -> None:
    requirement, _, member = place.partition("!")
    if not member:
        raise ConfigError(f"{what} must be pypi:PACKAGE==VERSION!path/in/wheel")
    if requirement not in wheels:
        raise ConfigError(f"{what}: {requirement!r} is not in wheels; {did_you_mean(requirement, wheels)}")


def _https_form(place: str, wheels: Mapping[str, Wheel], what: str) -> None:
    host, _, path = place.removeprefix("//").partition("/")
    if not place.startswith("//") or not host or "@" in host or not path:
        raise ConfigError(f"{what} must be https://host/path")


def _modelscope_form(place: str, wheels: Mapping[str, Wheel], what: str) -> None:
    try:
        _, path = parse_modelscope(place)
    except HubError as error:
        raise ConfigError(f"{what}: {error}") from error
    if not is_inside(path):
        raise ConfigError(f"{what} must be modelscope://OWNER/NAME@REVISION!path/in/model")


_FORMS = {
    "bundled": _bundled_form,
    "pypi": _pypi_form,
    "https": _https_form,
    "modelscope": _modelscope_form,
}
