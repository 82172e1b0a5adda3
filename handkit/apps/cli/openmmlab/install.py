"""`handkit openmmlab install`: an environment with mmpose, mmdet and mmcv."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def install(
    venv: Annotated[Path, typer.Option("--venv", help="Folder of the new environment; it must not be there yet.")],
    handkit: Annotated[
        str | None, typer.Option("--handkit", help="What pip installs as handkit; default: as this one was installed.")
    ] = None,
) -> None:
    """Makes an environment with handkit, mmpose 1.3.2, mmdet 3.3.0 and mmcv-lite 2.1.0; this one is not touched."""
    from handkit.interop.environments import install as make

    python = make(venv, handkit)
    print(f"ready: {python}")
