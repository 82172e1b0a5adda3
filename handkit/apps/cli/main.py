"""The verbs of `handkit`, and how every error of ours ends: one line, exit code 2."""

from __future__ import annotations

import io
import sys

import typer
from rich.console import Console

from handkit import __version__
from handkit.apps.cli.checkpoint import checkpoint
from handkit.apps.cli.compare import compare
from handkit.apps.cli.cp import cp
from handkit.apps.cli.data import data
from handkit.apps.cli.doctor import doctor
from handkit.apps.cli.download import download
from handkit.apps.cli.export import export
from handkit.apps.cli.gesture import gesture
from handkit.apps.cli.label import label
from handkit.apps.cli.ls import ls
from handkit.apps.cli.measure import measure
from handkit.apps.cli.modelscope import modelscope
from handkit.apps.cli.openmmlab import openmmlab
from handkit.apps.cli.predict import predict
from handkit.apps.cli.serve import serve
from handkit.apps.cli.thresholds import thresholds
from handkit.apps.cli.train import train
from handkit.apps.cli.validate import validate
from handkit.errors import HandkitError

app = typer.Typer(
    name="handkit", help="Hand keypoints from photographs.", no_args_is_help=True, pretty_exceptions_enable=False
)
for _verb in (predict, train, label, compare, thresholds, validate, cp, ls, serve, download, doctor):
    app.command()(_verb)
app.command("test")(measure)
app.add_typer(data)
app.add_typer(gesture)
app.add_typer(checkpoint)
app.add_typer(modelscope)
app.add_typer(export)
app.add_typer(openmmlab)


def _version(asked: bool) -> None:
    if asked:
        print(__version__)
        raise typer.Exit


@app.callback()
def _common(
    version: bool = typer.Option(False, "--version", help="Print the version.", callback=_version, is_eager=True),
) -> None:
    """Hand keypoints from photographs."""


def main() -> None:
    """Runs the command line; an error of handkit's own, or of the disk, prints one line and exits with code 2."""
    for stream in (sys.stdout, sys.stderr):  # a file's name may hold bytes that are no text
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        app()
    except (HandkitError, OSError) as error:
        Console(stderr=True, highlight=False).print(f"[red]error:[/] {_plain(str(error))}", soft_wrap=True)
        sys.exit(2)


def _plain(text: str) -> str:
    """Text that rich prints as it is."""
    return text.replace("[", "\\[")
