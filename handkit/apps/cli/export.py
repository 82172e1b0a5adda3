"""`handkit export`: one file per verb."""

from __future__ import annotations

import typer

from handkit.apps.cli.bundle import bundle

export = typer.Typer(name="export", help="Write trained networks for others to run.", no_args_is_help=True)
export.callback()(lambda: None)  # keeps `bundle` a verb while it is the only one
export.command()(bundle)
