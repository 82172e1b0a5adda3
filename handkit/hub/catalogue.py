"""The cards shipped with handkit: ``handkit/hub/cards/NAME.json``, read and validated."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from handkit.errors import ConfigError, HubError, did_you_mean
from handkit.hub.fields import Fields
from handkit.hub.schema import Card, CardFile, Score, Wheel
from handkit.hub.sources import check_reference, is_inside

FOLDER = Path(__file__).parent / "cards"

_CARD_NAME = re.compile(r"[a-z][a-z0-9_]*")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_REQUIREMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*==[A-Za-z0-9][A-Za-z0-9.+]*")
_WHEEL_NAME = re.compile(r"[A-Za-z0-9_.]+-[A-Za-z0-9_.+]+(-\d\w*)?-[a-z0-9_.]+-[a-z0-9_.]+-[a-z0-9_.]+\.whl")


def card(name: str) -> Card:
    """The card of that name.

    Raises:
        HubError: there is none; the message names the nearest.
        ConfigError: its file is malformed.
    """
    known = {path.stem: path for path in FOLDER.glob("*.json")}
    if name not in known:
        raise HubError(f"there is no card {name!r}; {did_you_mean(name, known)}")
    return read_card(known[name])


def cards() -> list[Card]:
    """All shipped cards, by name."""
    return [read_card(path) for path in sorted(FOLDER.glob("*.json"))]


def read_card(path: Path) -> Card:
    """Reads one card; its name is the file's stem.

    Raises:
        ConfigError: it is not JSON, or a field is missing, unknown or of a wrong form.
    """
    where = f"cards/{path.name}"
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ConfigError(f"{where}: not a JSON file: {error}") from error
    if not _CARD_NAME.fullmatch(path.stem):
        raise ConfigError(f"{where}: a card's name is made of a-z, 0-9 and _, and begins with a letter")
    fields = Fields(raw, where)
    wheels = _wheels(fields.below("wheels"))
    result = Card(
        name=path.stem,
        title=fields.take("title", str),
        licence=fields.take("licence", str),
        licence_note=fields.take("licence_note", str),
        training_data=fields.take("training_data", str),
        command=fields.take("command", str, ""),
        thresholds=_thresholds(fields.below("thresholds")),
        scores=tuple(read_score(item, place) for item, place in fields.items("scores")),
        limits=fields.texts("limits"),
        files=tuple(_file(item, place, wheels) for item, place in fields.items("files")),
        wheels=MappingProxyType(wheels),
    )
    fields.end()
    _check_files(result.files, where)
    return result


def _thresholds(fields: Fields) -> Mapping[str, float]:
    values = {key: fields.take(key, float) for key in fields.names()}
    for key, value in values.items():
        if not (math.isfinite(value) and 0 <= value <= 1):
            raise ConfigError(f"{fields.where}: {key} must lie in [0, 1], not {value}")
    return MappingProxyType(values)


def read_score(raw: Any, where: str) -> Score:
    """One measured number of a card.

    Raises:
        ConfigError: a field is missing, unknown or of a wrong form.
    """
    fields = Fields(raw, where)
    score = Score(
        metric=fields.take("metric", str),
        value=fields.take("value", float),
        data=fields.take("data", str),
        labels=fields.take("labels", str),
    )
    fields.end()
    return score


def _wheels(fields: Fields) -> dict[str, Wheel]:
    wheels = {}
    for requirement in fields.names():
        if not _REQUIREMENT.fullmatch(requirement):
            raise ConfigError(f"{fields.where}: {requirement!r} must be PACKAGE==VERSION")
        wheel = fields.below(requirement)
        filename = wheel.take("filename", str)
        if not _WHEEL_NAME.fullmatch(filename):
            raise ConfigError(f"{wheel.where}: filename {filename!r} is not a wheel's name")
        wheels[requirement] = Wheel(requirement, filename, _sha256(wheel), _size(wheel))
        wheel.end()
    return wheels


def _file(raw: Any, where: str, wheels: Mapping[str, Wheel]) -> CardFile:
    fields = Fields(raw, where)
    name = fields.take("name", str)
    if not is_inside(name):
        raise ConfigError(f"{where}: name {name!r} must be a relative path with '/' and without '..'")
    file = CardFile(name, _sha256(fields), _size(fields), fields.texts("sources"))
    fields.end()
    if not file.sources:
        raise ConfigError(f"{where}: sources must name at least one place")
    for index, reference in enumerate(file.sources):
        check_reference(reference, wheels, f"{where}: sources[{index}]")
    return file


def _sha256(fields: Fields) -> str:
    value = fields.take("sha256", str)
    if not _SHA256.fullmatch(value):
        raise ConfigError(f"{fields.where}: sha256 must be 64 lower-case hexadecimal digits, not {value!r}")
    return value


def _size(fields: Fields) -> int:
    value = fields.take("size", int)
    if value <= 0:
        raise ConfigError(f"{fields.where}: size must be a positive number of bytes, not {value}")
    return value


def _check_files(files: tuple[CardFile, ...], where: str) -> None:
    if not files:
        raise ConfigError(f"{where}: files must name at least one file")
    names = [file.name for file in files]
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(f"{where}: two files are named {name!r}")
