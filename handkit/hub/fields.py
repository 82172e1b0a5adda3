"""Reads a JSON object field by field; every complaint names the place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

from handkit.errors import ConfigError, did_you_mean

T = TypeVar("T")

_NAMES = {str: "a string", int: "a whole number", float: "a number", list: "a list"}


class Fields:
    """The fields of one JSON object, each to be taken once.

    Args:
        raw: the parsed value, which must be an object.
        where: the place for messages, e.g. ``cards/x.json: files[0]``.

    Raises:
        ConfigError: `raw` is not an object.
    """

    def __init__(self, raw: Any, where: str) -> None:
        if not isinstance(raw, dict):
            raise ConfigError(f"{where}: must be an object, not {raw!r}")
        self.where = where
        self._raw = raw
        self._taken: set[str] = set()

    def take(self, key: str, kind: type[T], default: T | None = None) -> T:
        """The value of `key`, which must be of the JSON type `kind` and, if a string, not blank.

        Raises:
            ConfigError: it is of another type, or absent with no default given.
        """
        self._taken.add(key)
        if key not in self._raw:
            if default is None:
                raise ConfigError(f"{self.where}: the field {key!r} is missing")
            return default
        value = self._raw[key]
        if kind is float and type(value) is int:
            value = float(value)
        if type(value) is not kind:
            raise ConfigError(f"{self.where}: {key} must be {_NAMES.get(kind, 'an object')}, not {value!r}")
        if isinstance(value, str) and not value.strip():
            raise ConfigError(f"{self.where}: {key} must not be empty")
        return value

    def items(self, key: str) -> Iterator[tuple[Any, str]]:
        """The elements of the list `key` (none if absent), each with its place."""
        for index, item in enumerate(self.take(key, list, [])):
            yield item, f"{self.where}: {key}[{index}]"

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of non-blank strings (empty if absent)."""
        values = list(self.items(key))
        for value, where in values:
            if not isinstance(value, str) or not value.strip():
                raise ConfigError(f"{where}: must be a non-empty string, not {value!r}")
        return tuple(value for value, _ in values)

    def below(self, key: str) -> Fields:
        """The object `key` (an empty one if absent) as `Fields` of its own."""
        return Fields(self.take(key, dict, {}), f"{self.where}: {key}")

    def names(self) -> list[str]:
        """Names of all fields, in the file's order."""
        return list(self._raw)

    def end(self) -> None:
        """Complains of fields that nobody took.

        Raises:
            ConfigError: there is one; the message names the nearest known field.
        """
        for key in self._raw:
            if key not in self._taken:
                raise ConfigError(f"{self.where}: unknown field {key!r}; {did_you_mean(key, self._taken)}")
