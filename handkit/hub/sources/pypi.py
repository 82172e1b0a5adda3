"""``pypi:PACKAGE==VERSION!path/in/wheel``: one member of a wheel, which is downloaded but not installed."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path

from handkit.errors import HubError
from handkit.hub.schema import CardFile, Wheel
from handkit.hub.sources import pip_download
from handkit.hub.sources.base import Progress
from handkit.hub.verify import check_file, copy_checked


class PyPISource:
    """Members of the wheels that a card states.

    pip downloads the wheel, so that the user's index, proxy and certificates apply; where pip is not installed, the
    simple index is read directly. A wheel is downloaded once per object.

    Args:
        wheels: requirement to wheel, from the card.
        work: a folder for the wheels; the caller removes it.
        progress: told when a download begins.
    """

    def __init__(self, wheels: Mapping[str, Wheel], work: Path, progress: Progress) -> None:
        self._wheels = wheels
        self._work = work
        self._progress = progress

    def fetch(self, place: str, file: CardFile, into: Path) -> Path:
        """See `handkit.hub.sources.base.Source`."""
        requirement, _, member = place.partition("!")
        if not self.at_hand(place):
            self._download(self._wheels[requirement])
        _read_member(self._work / self._wheels[requirement].filename, member, file, into)
        return into

    def at_hand(self, place: str) -> bool:
        """Whether the wheel has been downloaded by this object."""
        wheel = self._wheels[place.partition("!")[0]]
        return (self._work / wheel.filename).exists()

    def _download(self, wheel: Wheel) -> None:
        into = self._work / wheel.filename
        self._progress(f"downloading {wheel.filename} ({wheel.size / 1e6:.1f} MB)")
        if pip_download.available():
            pip_download.download(wheel, self._work)
            try:
                check_file(into, wheel)
            except HubError as error:
                into.unlink(missing_ok=True)
                raise HubError(f"the wheel {wheel.filename} {error}") from error
        else:
            from handkit.hub.sources import simple_index  # urllib's imports take longer than all of the hub's

            simple_index.download(wheel, into)


def _read_member(path: Path, member: str, file: CardFile, into: Path) -> None:
    """Copies one member of a wheel to `into`; no other is unpacked."""
    try:
        with zipfile.ZipFile(path) as archive, archive.open(member) as stream:
            copy_checked(stream, into, file)
    except KeyError as error:
        raise HubError(f"the wheel {path.name} has no member {member}") from error
    except zipfile.BadZipFile as error:
        raise HubError(f"the wheel {path.name} is damaged: {error}") from error
    except HubError as error:
        raise HubError(f"the member {member} of {path.name} {error}") from error
