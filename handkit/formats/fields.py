"""Reading a foreign node key by key, so that nothing of it is overlooked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handkit.errors import ConfigError

_NEEDED = object()


class Fields:
    """The keys of a node, each of which must be taken, expected or dropped.

    Args:
        node: the foreign node.
        where: its place, for messages.
        target: what it is to become, for messages: the toolkit that must have a counterpart.

    Raises:
        ConfigError: it is no dict.
    """

    def __init__(self, node: Any, where: str, target: str = "handkit") -> None:
        if not isinstance(node, Mapping):
            raise ConfigError(f"{where}: expected a dict, got {node!r}")
        self._left = dict(node)
        self.where = where
        self._target = target

    def __contains__(self, key: str) -> bool:
        return key in self._left

    def take(self, key: str, default: Any = _NEEDED) -> Any:
        """The value of a key.

        Raises:
            ConfigError: it is missing and has no default.
        """
        value = self._left.pop(key, default)
        if value is _NEEDED:
            raise ConfigError(f"{self.where}: the key {key!r} is missing")
        return value

    def node(self, key: str, default: Any = _NEEDED) -> Fields:
        """The node of a key."""
        return Fields(self.take(key, default), f"{self.where}.{key}", self._target)

    def expect(self, **allowed: Any) -> Fields:
        """Takes keys that must be absent or have this value, the only one that the counterpart does.

        Raises:
            ConfigError: one has another value.
        """
        for key, value in allowed.items():
            given = self._left.pop(key, value)
            if plain(given) != plain(value):
                raise ConfigError(
                    f"{self.where}: {key}={given!r} has no counterpart in {self._target}, only {key}={value!r}"
                )
        return self

    def kind(self, *types: str) -> str:
        """The node's type, one of these.

        Raises:
            ConfigError: it is another.
        """
        name: str = self.take("type")
        if name not in types:
            raise ConfigError(
                f"{self.where}: type={name!r} has no counterpart in {self._target}, only {', '.join(types)}"
            )
        return name

    def drop(self, *keys: str) -> Fields:
        """Leaves keys out that change neither network nor measurement."""
        for key in keys:
            self._left.pop(key, None)
        return self

    def end(self) -> None:
        """Nothing may be left.

        Raises:
            ConfigError: a key that nothing here knows.
        """
        if self._left:
            key, value = next(iter(self._left.items()))
            raise ConfigError(f"{self.where}: {key}={value!r} is not known to handkit's reader of this format")


def plain(value: Any) -> Any:
    """Tuples as lists, so that values of Python and of JSON compare."""
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, (list, tuple)) else value
