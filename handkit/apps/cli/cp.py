"""`handkit cp`: a config of your own, begun from another."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def cp(
    config: Annotated[str, typer.Argument(help="Path, or name of one of handkit's own configs.")],
    folder: Annotated[Path, typer.Argument(help="Folder for the copy; no file in it is replaced.")],
    flat: Annotated[bool, typer.Option("--flat", help="One file: the resolved config.")] = False,
) -> None:
    """Copies a config with the files it is based on, so that it works from its new place."""
    from handkit.apps.cli.places import check_folder
    from handkit.registry.copying import copy_config

    check_folder(str(folder), folder)
    for path in copy_config(config, folder, flat):
        print(path)
