"""`handkit checkpoint inspect`: what a weight file holds."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def inspect(
    source: Annotated[Path, typer.Argument(help="The weight file.")],
    keys: Annotated[bool, typer.Option("--keys", help="Also every tensor's name, type and shape.")] = False,
    json_file: Annotated[Path | None, typer.Option("--json", help="File for all of it.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace that file.")] = False,
) -> None:
    """Says what a weight file holds; builds no model and runs nothing. Exit code 2 if it is not safe."""
    from handkit.checkpoints import inspect_weights
    from handkit.checkpoints.stripping import refuse_report
    from handkit.files import write_json

    refuse_report(json_file, (source,), overwrite)
    found = inspect_weights(source)
    print("\n".join(found.lines()))
    if keys:
        print("\n".join(f"{name} {kind}" for name, kind in found.shapes.items()))
    if json_file is not None:
        write_json(json_file, found.to_dict())
    if not found.safe:
        raise typer.Exit(2)
