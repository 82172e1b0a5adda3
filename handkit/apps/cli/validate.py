"""`handkit validate`: find a config's mistakes before anything is built."""

from __future__ import annotations

from typing import Annotated

import typer

from handkit.errors import HandkitError


def validate(
    configs: Annotated[list[str] | None, typer.Argument(help="Paths, or names of handkit's own configs.")] = None,
    every: Annotated[bool, typer.Option("--all", help="All configs installed with handkit.")] = False,
    cfg_options: Annotated[
        list[str] | None, typer.Option("--cfg-options", help="KEY=VALUE, a change by dotted key; repeatable.")
    ] = None,
) -> None:
    """Binds every node of a config to its constructor and every key to the known ones; builds nothing.

    Exit code 2 when a config has a mistake.
    """
    from handkit.apps.cli.foreign import tell_translation
    from handkit.registry import config as files
    from handkit.registry.validate import validate as check

    names = [*(configs or []), *(files.config_names() if every else [])]
    if not names:
        raise typer.BadParameter("name a config, or --all")
    options = files.parse_options(cfg_options or [])
    wrong = 0
    for name in names:
        try:
            tell_translation(name)
            count = check(files.load_config(name, options), name)
            print(f"{name}: {count} nodes, no mistake")
        except HandkitError as error:
            wrong += 1
            typer.echo(f"error: {error}", err=True)
    if wrong:
        raise typer.Exit(2)
