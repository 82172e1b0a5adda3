"""`handkit ls`: what there is to put into a config."""

from __future__ import annotations

import inspect
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from handkit.errors import ConfigError, MissingExtraError, did_you_mean


def ls(
    what: Annotated[str, typer.Argument(help="models, codecs, ..., configs, bundles or cards; default: all")] = "",
) -> None:
    """Lists registered components, configs, the bundles in the package, and cards with whether their files are here."""
    from handkit.registry import ALL

    kinds = [*ALL, *_OTHERS]
    if what and what not in kinds:
        raise ConfigError(f"nothing is listed as {what!r}; {did_you_mean(what, kinds)}")
    console = Console()
    for kind in [what] if what else kinds:
        rows = _OTHERS[kind]() if kind in _OTHERS else _components(kind)
        table = Table(title=kind, title_justify="left", show_header=False, box=None, padding=(0, 2))
        table.add_column(no_wrap=True, min_width=max((len(row[0]) for row in rows), default=0))  # names are for copying
        for _ in rows[0][1:] if rows else ():
            table.add_column(overflow="ellipsis", no_wrap=kind == "configs")
        for row in rows:
            table.add_row(*row)
        console.print(table)


def _components(kind: str) -> list[tuple[str, str]]:
    from handkit.registry import ALL, registered

    try:
        names = registered(ALL[kind])
    except MissingExtraError as error:
        return [("", str(error))]
    return [(name, _summary(ALL[kind].module_dict[name])) for name in names]


def _configs() -> list[tuple[str, str]]:
    import ast

    from handkit.registry.config import config_names, find_config

    return [
        (name, _first(ast.get_docstring(ast.parse(find_config(name).read_text("utf-8"))))) for name in config_names()
    ]


def _bundles() -> list[tuple[str, str]]:
    from handkit import hub
    from handkit.hub.bundle_card import CARD, BundleCard

    return [(path.name, BundleCard.read(path / CARD).title) for path in hub.bundle_paths()]


def _cards() -> list[tuple[str, str]]:
    from handkit import hub

    return [
        (card.name, f"{card.title}; {'here' if hub.is_cached(card.name) else f'handkit download {card.name}'}")
        for card in hub.cards()
    ]


def _summary(cls: type) -> str:
    return _first(inspect.getdoc(cls))


def _first(doc: str | None) -> str:
    return (doc or "").split("\n")[0]


_OTHERS = {"configs": _configs, "bundles": _bundles, "cards": _cards}
