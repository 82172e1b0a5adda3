"""What is said where a config of another toolkit stands in the place of handkit's."""

from __future__ import annotations

from pathlib import Path


def tell_translation(config: str) -> None:
    """Prints, on standard error, the config of another toolkit as a file of handkit's, with every decision taken.

    Of handkit's own configs, of folders and ids nothing is said. What is printed is a config file itself.

    Raises:
        ConfigError: what handkit cannot translate.
    """
    import typer

    from handkit.registry.config import translated
    from handkit.registry.copying import as_python

    if not Path(config).is_file() or (made := translated(config)) is None:
        return
    title = f"{Path(config).name} of {made.toolkit}, as handkit reads it."
    lines = [as_python(made.config, title), *(f"# {line}" for line in made.decisions), ""]
    typer.echo("\n".join(lines), err=True)
