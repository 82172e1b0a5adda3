"""`handkit test`: the config's metrics for a checkpoint, one row each."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def measure(
    config: Annotated[str, typer.Argument(help="Path, or name of one of handkit's own configs.")],
    checkpoint: Annotated[str, typer.Argument(help="The weights: a path, or hub:CARD/FILE.")],
    out: Annotated[Path | None, typer.Option(help="JSON file for joints and metrics.")] = None,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, cuda:0, ...")] = None,
    cfg_options: Annotated[
        list[str] | None, typer.Option("--cfg-options", help="KEY=VALUE, a change by dotted key; repeatable.")
    ] = None,
) -> None:
    """Measures a checkpoint on the config's val_dataset, every hand cut by its labelled box."""
    from handkit.engine import measure as run
    from handkit.registry.config import parse_options

    for name, value in run(config, checkpoint, device, parse_options(cfg_options or []), out).items():
        print(f"{name} {value:.4f}")
