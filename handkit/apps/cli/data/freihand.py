"""`handkit data freihand`: rendered hands in the folder format of FreiHAND."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def freihand(
    out: Annotated[Path, typer.Option(help="Folder to be; recipes look for data/freihand.")],
    training: Annotated[int, typer.Option(help="Hands to learn from, four pictures each.")] = 300,
    evaluation: Annotated[int, typer.Option(help="Hands to measure on, one picture each.")] = 60,
    source: Annotated[str, typer.Option(help="makehuman, or capsule: simple, quick, without files.")] = "makehuman",
    seed: Annotated[int, typer.Option(help="Another seed, other hands.")] = 0,
) -> None:
    """Renders a small data set in FreiHAND's folder format, to try its recipes where the real one is not at hand."""
    from rich.console import Console

    from handkit.datasets.synthetic.freihand_folder import write_freihand

    console = Console(highlight=False, soft_wrap=True)

    def report(done: int, total: int) -> None:
        if console.is_terminal or done == total:
            console.print(f"{done}/{total} hands", end="\r" if console.is_terminal and done < total else "\n")

    write_freihand(out, training, evaluation, source, seed, report)
    console.print(f"{4 * training} pictures to learn from and {evaluation} to measure on in {out}")
