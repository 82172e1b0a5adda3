"""`handkit gesture`: one file per verb."""

from __future__ import annotations

import typer

from handkit.apps.cli.gesture.train import train

gesture = typer.Typer(name="gesture", help="Teach gestures of one's own.", no_args_is_help=True)


@gesture.callback()
def _verbs() -> None:
    """Teach gestures of one's own."""


gesture.command()(train)
