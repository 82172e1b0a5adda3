"""`handkit data`: one file per verb."""

from __future__ import annotations

import typer

from handkit.apps.cli.data.browse import browse
from handkit.apps.cli.data.check import check
from handkit.apps.cli.data.convert import convert
from handkit.apps.cli.data.freihand import freihand
from handkit.apps.cli.data.synth import synth

data = typer.Typer(name="data", help="Check, look at, convert and make data sets.", no_args_is_help=True)
for _verb in (check, browse, convert, synth, freihand):
    data.command()(_verb)
