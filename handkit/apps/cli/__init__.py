"""The command `handkit`: one file per verb."""

from handkit.apps.cli.main import main

__all__ = ["main"]
