"""`handkit openmmlab`: one file per verb."""

from __future__ import annotations

import typer

from handkit.apps.cli.openmmlab.install import install

openmmlab = typer.Typer(name="openmmlab", help="mmpose, mmdet and mmcv beside handkit.", no_args_is_help=True)


@openmmlab.callback()
def _group() -> None:
    """Keeps the verb's name although there is one only."""


openmmlab.command()(install)
