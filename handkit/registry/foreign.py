"""Components of other toolkits, written ``SCOPE.NAME``, where a plug-in that the user's config imported brings them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol


class PlugIn(Protocol):
    """Who finds and builds the components of some scopes. It builds the nodes inside theirs itself."""

    def find(self, name: str, kinds: Sequence[str], where: str) -> type:
        """The class of a name with its scope, made to fit one of these kinds of handkit's components.

        Args:
            name: e.g. ``mmpose.HRNet``.
            kinds: the names of handkit's registries that it may come from, e.g. ``model``.
            where: its place in the config, for messages.

        Raises:
            ConfigError: there is none, or it does not fit.
        """
        ...

    def check(self, name: str, arguments: Mapping[str, Any], where: str) -> None:
        """Looks for mistakes in a node's arguments, before anything is built.

        Raises:
            ConfigError: a mistake.
        """
        ...

    def build(self, cls: Any, arguments: Mapping[str, Any], where: str) -> Any:
        """An object of a class that `find` gave.

        Raises:
            ConfigError: its constructor refuses the arguments.
        """
        ...


#: Scope -> the plug-in that brings it; plug-ins enter themselves when they are imported.
PLUG_INS: dict[str, PlugIn] = {}
#: Scope -> the module that brings it.
BRINGS = dict.fromkeys(("mmcv", "mmdet", "mmpose"), "handkit.interop.openmmlab")


def plug_in(name: object) -> PlugIn | None:
    """Who brings a component; None for handkit's own."""
    return PLUG_INS.get(name.rpartition(".")[0]) if isinstance(name, str) else None
