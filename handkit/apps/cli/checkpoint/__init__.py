"""`handkit checkpoint`: one file per verb."""

from __future__ import annotations

import typer

from handkit.apps.cli.checkpoint.convert import convert
from handkit.apps.cli.checkpoint.inspect import inspect
from handkit.apps.cli.checkpoint.strip import strip

checkpoint = typer.Typer(name="checkpoint", help="Convert, look into and strip weight files.", no_args_is_help=True)
for _verb in (convert, inspect, strip):
    checkpoint.command()(_verb)
