"""`handkit data`: data sets to train on."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

data = typer.Typer(name="data", help="Make data sets to train on.", no_args_is_help=True)

_QUIET_SECONDS = 30.0


@data.callback()
def _common() -> None:
    """Make data sets to train on."""


@data.command()
def synth(
    out: Annotated[Path, typer.Option(help="Folder of the shards; goes on if it holds some of the same kind.")],
    count: Annotated[int, typer.Option(help="Pictures.")] = 64,
    size: Annotated[int, typer.Option(help="Pixels of a side.")] = 256,
    seed: Annotated[int, typer.Option(help="Another seed, other hands.")] = 0,
    source: Annotated[str, typer.Option(help="makehuman, or capsule: simple, quick, without files.")] = "makehuman",
    assets: Annotated[Path | None, typer.Option(help="Folder with the hand's files; default: the hub's.")] = None,
    skins: Annotated[Path | None, typer.Option(help="Folder of photographed skins for half of the hands.")] = None,
    shard_size: Annotated[int, typer.Option(help="Pictures per shard.")] = 500,
    workers: Annotated[int, typer.Option(help="Processes that render.")] = 1,
) -> None:
    """Renders hands with labels and masks that `HandShards` reads.

    May be stopped at any time; the same command goes on behind the last whole shard.
    """
    from rich.console import Console

    from handkit.datasets.synthetic import HandSynth
    from handkit.datasets.synthetic.shards import SHEET, Progress, write_shards

    console = Console(highlight=False, soft_wrap=True)
    dataset = HandSynth(source, seed, count, (size, size), assets, skins=skins)
    began = shown = time.monotonic()

    def report(progress: Progress) -> None:
        nonlocal shown
        now = time.monotonic()
        if progress.pictures < progress.total and now - shown < (1.0 if console.is_terminal else _QUIET_SECONDS):
            return
        shown = now
        rate = progress.rendered / max(now - began, 1e-6)
        left = (progress.total - progress.pictures) / rate
        line = f"{progress.pictures}/{progress.total} pictures  {rate:.1f} a second  {_duration(left)} left"
        console.print(line.ljust(70), end="\r" if console.is_terminal and left else "\n")

    try:
        write_shards(dataset, out, shard_size, workers, report)
    except KeyboardInterrupt:
        console.print(f"\nstopped; whole shards are in {out}, and the same command goes on")
        raise typer.Exit(130) from None
    console.print(f"{count} pictures in {out}; {out / SHEET} shows the first")


def _duration(seconds: float) -> str:
    hours, rest = divmod(round(seconds), 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}"
