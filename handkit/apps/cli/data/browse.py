"""`handkit data browse`: samples as the network sees them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def browse(
    config: Annotated[str, typer.Argument(help="Path, or name of one of handkit's own configs.")],
    out: Annotated[Path, typer.Option(metavar="FILE.html", help="The sheet, one file that needs no other.")],
    split: Annotated[str, typer.Option(help="train, or val as it is measured.")] = "train",
    count: Annotated[int, typer.Option(help="Samples, spread evenly.")] = 48,
    epoch: Annotated[int, typer.Option(help="Another epoch, another augmentation.")] = 0,
    cfg_options: Annotated[
        list[str] | None, typer.Option("--cfg-options", help="KEY=VALUE, a change by dotted key; repeatable.")
    ] = None,
) -> None:
    """Writes an HTML contact sheet of samples after their transforms, with labels, weights and seeds."""
    from handkit.apps.cli.places import check_file
    from handkit.registry.config import load_config, parse_options
    from handkit.reports.browse import browse as write

    check_file("--out", out, (config,))
    resolved = load_config(config, parse_options(cfg_options or []))
    bad = write(resolved, out, split, count, epoch, Path(config).stem)  # type: ignore[arg-type]
    print(f"{out}: open it in a browser")
    if bad:
        print(f"{bad} samples could not be drawn; their tiles say why")
        raise typer.Exit(2)
