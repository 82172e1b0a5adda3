"""`handkit train`: from a config to weights."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def train(
    config: Annotated[str, typer.Argument(help="Path, or name of one of handkit's own configs.")],
    work_dir: Annotated[Path | None, typer.Option(help="Folder of this training; default: work_dirs/CONFIG.")] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from the folder's last.pth, if there is one.")
    ] = False,
    max_minutes: Annotated[float | None, typer.Option(help="Save and stop after so long.")] = None,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, cuda:0, ...")] = None,
    launcher: Annotated[
        str, typer.Option(help="What started several processes: none, pytorch (torchrun) or slurm (srun).")
    ] = "none",
    cfg_options: Annotated[
        list[str] | None, typer.Option("--cfg-options", help="KEY=VALUE, a change by dotted key; repeatable.")
    ] = None,
) -> None:
    """Trains the model of a config.

    Ctrl-C and SIGTERM save and stop, with the exit codes 130 and 143; --resume goes on exactly where it was.
    """
    from handkit.apps.cli.foreign import tell_translation
    from handkit.engine import train as run
    from handkit.engine.launching import launched
    from handkit.registry.config import parse_options

    with launched(launcher, device) as processes:
        if processes.first:
            tell_translation(config)
        options = parse_options(cfg_options or [])
        result = run(config, work_dir, resume, max_minutes, processes.device, options, processes=processes)
    if result.exit_code:
        raise typer.Exit(result.exit_code)
