"""`handkit checkpoint mean`: one set of weights out of several trainings."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def mean(
    sources: Annotated[
        list[Path], typer.Argument(help="Two weight files or more, of trainings from the same weights.")
    ],
    out: Annotated[Path, typer.Option(help="The new file, safetensors.")],
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a file.")] = False,
) -> None:
    """Writes the mean of several files' weights, which is often better than each."""
    from handkit.checkpoints import mean_weights

    print(f"{out}: {mean_weights(sources, out, overwrite)} tensors, the mean of {len(sources)} files")
