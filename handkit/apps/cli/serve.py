"""`handkit serve`: the page and the JSON interface."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer


def serve(
    host: Annotated[str, typer.Option(help="Address to listen at; 0.0.0.0 opens it to the network.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port; 0 takes a free one.", min=0, max=65535)] = 8000,
    model: Annotated[str | None, typer.Option(help="Bundle folder or config; default: the task's own.")] = None,
    checkpoint: Annotated[str | None, typer.Option(help="Weights for the config's model.")] = None,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, cuda:0, ...")] = None,
    cfg_options: Annotated[
        list[str] | None, typer.Option("--cfg-options", help="KEY=VALUE, a change by dotted key; repeatable.")
    ] = None,
) -> None:
    """A page in the browser: upload a picture, see its joints, download them as JSON. Needs the extra serve."""
    from handkit.apps import web
    from handkit.apps.cli.foreign import tell_translation
    from handkit.pipelines import pipeline
    from handkit.registry.config import parse_options

    if model is not None:
        tell_translation(model)
    options = parse_options(cfg_options or [])
    load = partial(pipeline, model=model, device=device, checkpoint=checkpoint, cfg_options=options)
    web.serve(load, host, port)
