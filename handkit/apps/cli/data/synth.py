"""`handkit data synth`: rendered hands."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from handkit.errors import DataError

_QUIET_SECONDS = 30.0


def synth(
    out: Annotated[Path, typer.Option(help="Folder of the shards; goes on if it holds some of the same kind.")],
    count: Annotated[int, typer.Option(help="Pictures; more than before are added.")] = 64,
    size: Annotated[str, typer.Option(help="Pixels, 256 or 640x480; default: 256, of scenes 640x480.")] = "",
    seed: Annotated[int, typer.Option(help="Another seed, other hands.")] = 0,
    source: Annotated[str, typer.Option(help="makehuman, or capsule: simple, quick, without files.")] = "makehuman",
    assets: Annotated[Path | None, typer.Option(help="Folder with the hand's files; default: the hub's.")] = None,
    skins: Annotated[Path | None, typer.Option(help="Folder of photographed skins for half of the hands.")] = None,
    companions: Annotated[str, typer.Option(help="some, many, or pairs: hands that hold or clasp something.")] = "some",
    scenes: Annotated[bool, typer.Option("--scenes", help="People with hands of all sizes, for detectors.")] = False,
    backgrounds: Annotated[Path | None, typer.Option(help="Folder of pictures without hands, behind scenes.")] = None,
    skip: Annotated[int, typer.Option(help="Leaves out the first backgrounds by name.")] = 0,
    shard_size: Annotated[int, typer.Option(help="Pictures per shard.")] = 500,
    workers: Annotated[int, typer.Option(help="Processes that render.")] = 1,
) -> None:
    """Renders hands with labels and masks that `HandShards` reads.

    May be stopped at any time; the same command goes on behind the last whole shard.
    """
    from rich.console import Console

    from handkit.datasets.synthetic import HandScenes, HandSynth
    from handkit.datasets.synthetic.shards import SHEET, Progress, write_shards

    console = Console(highlight=False, soft_wrap=True)
    pixels = _size(size or ("640x480" if scenes else "256"))
    dataset: HandScenes | HandSynth
    if scenes:
        if source != "makehuman":
            raise DataError(f"--scenes are rendered with --source makehuman alone, not {source}")
        if companions != "some":
            raise DataError("--companions is of single hands; people in --scenes have some")
        dataset = HandScenes(seed, count, pixels, assets, skins=skins, backgrounds=backgrounds, skip=skip)
    elif backgrounds is not None or skip:
        raise DataError("--backgrounds and --skip are of --scenes; single hands get theirs from BackgroundPaste")
    else:
        dataset = HandSynth(source, seed, count, pixels, assets, skins=skins, companions=companions)
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


def _size(text: str) -> tuple[int, int]:
    """'256' or '640x480' -> (width, height)."""
    sides = text.lower().split("x")
    if len(sides) > 2 or not all(side.isdecimal() for side in sides):
        raise DataError(f"--size is a side or WIDTHxHEIGHT in pixels, not {text!r}")
    return int(sides[0]), int(sides[-1])


def _duration(seconds: float) -> str:
    hours, rest = divmod(round(seconds), 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}"
