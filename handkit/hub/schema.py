"""What a card says: the dataclasses, without reading or fetching."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from handkit.errors import HubError, did_you_mean


@dataclass(frozen=True)
class CardFile:
    """One file of a card.

    Args:
        name: its name below the card's folder, with ``/`` between folders.
        sha256: of its bytes, 64 hexadecimal digits.
        size: in bytes.
        sources: where it can be had, tried in order, each written ``scheme:place`` (see `handkit.hub.sources`).
    """

    name: str
    sha256: str
    size: int
    sources: tuple[str, ...]


@dataclass(frozen=True)
class Wheel:
    """The one build of a PyPI release that a card's ``pypi:`` sources read, the same on every machine.

    Args:
        requirement: ``PACKAGE==VERSION``.
        filename: as on the index; its Python, ABI and platform tags select the build.
        sha256: of the wheel.
        size: in bytes.
    """

    requirement: str
    filename: str
    sha256: str
    size: int

    @property
    def tags(self) -> tuple[str, str, tuple[str, ...]]:
        """Python tag, ABI tag and platform tags; of several Python or ABI tags the last.

        >>> Wheel('a==1', 'a-1-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl', '', 0).tags
        ('cp311', 'cp311', ('manylinux_2_17_x86_64', 'manylinux2014_x86_64'))
        >>> Wheel('a==1', 'a-1-py2.py3-none-any.whl', '', 0).tags
        ('py3', 'none', ('any',))
        """
        python, abi, platforms = self.filename.removesuffix(".whl").split("-")[-3:]
        return python.split(".")[-1], abi.split(".")[-1], tuple(platforms.split("."))


@dataclass(frozen=True)
class Score:
    """One measured number, with what it was measured on and what kind of labels that has."""

    metric: str
    value: float
    data: str
    labels: str


@dataclass(frozen=True)
class Card:
    """Weights or other data that handkit uses, where they come from and what they are good for.

    Args:
        name: as in ``hub:NAME/FILE``.
        title: one line.
        licence: SPDX identifier of the files.
        licence_note: where that licence is stated, and what is not.
        training_data: what the files were made from and those data's licences.
        command: the command that made them; empty for files of third parties.
        thresholds: the values the pipelines use unless told otherwise.
        scores: measured quality.
        limits: what the files are not good for, one sentence each.
        files: the files.
        wheels: requirement to wheel, for the files' ``pypi:`` sources.
    """

    name: str
    title: str
    licence: str
    licence_note: str
    training_data: str
    command: str
    thresholds: Mapping[str, float]
    scores: tuple[Score, ...]
    limits: tuple[str, ...]
    files: tuple[CardFile, ...]
    wheels: Mapping[str, Wheel]

    def file(self, name: str) -> CardFile:
        """The file of that name.

        Raises:
            HubError: the card has no such file.
        """
        for file in self.files:
            if file.name == name:
                return file
        known = did_you_mean(name, [file.name for file in self.files])
        raise HubError(f"card {self.name!r} has no file {name!r}; {known}")
