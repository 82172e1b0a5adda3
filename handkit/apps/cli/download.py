"""`handkit download`: fetch weights and assets before they are needed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def download(
    names: Annotated[list[str] | None, typer.Argument(help="Cards, see `handkit ls cards`.")] = None,
    every: Annotated[bool, typer.Option("--all", help="All cards.")] = False,
    to: Annotated[
        Path | None, typer.Option(help="A folder to fill instead of the cache; HANDKIT_SOURCES=DIR reads it later.")
    ] = None,
) -> None:
    """Fetches the files of cards and checks their sha256."""
    from handkit import hub
    from handkit.errors import ConfigError

    if not every and not names:
        raise ConfigError(f"name the cards, or --all: {', '.join(card.name for card in hub.cards())}")
    wanted = [card.name for card in hub.cards()] if every else names or []
    for done in hub.download(wanted, to=to, progress=_say):
        print(f"{done.card}/{done.file}: {done.action} {done.path}")


def _say(text: str) -> None:
    typer.echo(text, err=True)
