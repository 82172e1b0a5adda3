"""`handkit label`: a pipeline's joints on photographs of one's own, as labels for training another model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer


def label(
    photos: Annotated[list[Path], typer.Argument(help="Folders with pictures, or picture files.")],
    out: Annotated[Path, typer.Option(metavar="LABELS.json", help="The COCO keypoint JSON to write.")],
    model: Annotated[str | None, typer.Option(help="Bundle folder or config; default: the default pipeline.")] = None,
    checkpoint: Annotated[str | None, typer.Option(help="Weights for the config's model.")] = None,
    min_quality: Annotated[
        float, typer.Option(help="Hands below are written as iscrowd, so that nothing is learnt from them.")
    ] = 0.95,
    turns: Annotated[
        str, typer.Option(help="Degrees in which each photograph is looked at again; '' for none.")
    ] = "90,180,270",
    on_error: Annotated[str, typer.Option(metavar="raise|skip", help="What a bad picture does.")] = "raise",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file, and begin anew.")] = False,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, cuda:0, ...")] = None,
    cfg_options: Annotated[
        list[str] | None, typer.Option("--cfg-options", help="KEY=VALUE, a change by dotted key; repeatable.")
    ] = None,
) -> None:
    """Labels photographs; each is looked at mirrored and turned too, and how well these agree is a hand's quality.

    A stopped run goes on when it is called again.
    """
    from rich.console import Console

    from handkit.pipelines.labelling import label_photographs
    from handkit.registry.config import parse_options

    common: dict[str, Any] = {"checkpoint": checkpoint, "on_error": on_error, "overwrite": overwrite}
    done = label_photographs(
        photos,
        out,
        model,
        device,
        cfg_options=parse_options(cfg_options or []),
        turns=_degrees(turns),
        min_quality=min_quality,
        **common,
    )
    errors = Console(stderr=True, highlight=False, markup=False)
    for photo, reason in done.skipped.items():
        errors.print(f"skipped: {photo}: {reason}", soft_wrap=True)
    print(
        f"{out}: {done.good} hands of quality {min_quality:g} or better, {done.hands - done.good} below, in "
        f"{done.photographs} photographs; no hand found in {done.without_hand}, {len(done.skipped)} skipped"
    )


def _degrees(text: str) -> tuple[float, ...]:
    from handkit.errors import ConfigError

    try:
        return tuple(float(part) for part in text.split(",") if part.strip())
    except ValueError:
        raise ConfigError(f"--turns takes degrees with commas between them, not {text!r}") from None
