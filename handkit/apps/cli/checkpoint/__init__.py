"""`handkit checkpoint`: one file per verb."""

from __future__ import annotations

import typer

from handkit.apps.cli.checkpoint.convert import convert
from handkit.apps.cli.checkpoint.inspect import inspect
from handkit.apps.cli.checkpoint.mean import mean
from handkit.apps.cli.checkpoint.strip import strip

checkpoint = typer.Typer(
    name="checkpoint", help="Convert, look into, strip and average weight files.", no_args_is_help=True
)
for _verb in (convert, inspect, mean, strip):
    checkpoint.command()(_verb)
