"""`handkit checkpoint strip`: the weights alone."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def strip(
    source: Annotated[Path, typer.Argument(help="A training state, e.g. last.pth, or any weight file.")],
    target: Annotated[Path, typer.Argument(help="The new file, safetensors.")],
    half: Annotated[bool, typer.Option("--half", help="float16, but for vectors: biases and norms.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a file.")] = False,
) -> None:
    """Writes the weights (averaged ones, where ema_decay made them) under handkit's names, and reads back."""
    from handkit.checkpoints import strip_weights

    done = strip_weights(source, target, half, overwrite)
    for name in done.key_maps:
        print(name)
    print(f"left out: {', '.join(done.left_out) or 'nothing'}")
    print(f"{target}: {done.keys} tensors, {done.after} bytes instead of {done.before}")
    print(f"self-check: read back, the weights differ by at most {done.difference:g}")
