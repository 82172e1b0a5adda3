"""`handkit export bundle`: from trained weights to a folder that pipelines read."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def bundle(
    config: Annotated[str, typer.Argument(help="Config of the network: a path, or the name of one of handkit's own.")],
    checkpoint: Annotated[str, typer.Argument(help="Its weights: a path, or hub:CARD/FILE.")],
    out: Annotated[Path, typer.Option(help="Folder of the bundle.")],
    card: Annotated[Path, typer.Option(help="JSON: title, licence, training_data, command, scores, limits.")],
    detector: Annotated[
        str | None, typer.Option(help="Config with the detector, or a bundle in the package; default: CONFIG.")
    ] = None,
    detector_checkpoint: Annotated[str | None, typer.Option(help="The detector's weights.")] = None,
    layout: Annotated[
        str, typer.Option(help="Names and keys of the files: 'modelscope' as on its hub, or 'handkit'.")
    ] = "modelscope",
    base: Annotated[
        str | None, typer.Option(help="Weights that users have, e.g. bundle:NAME/FILE: what is shared is left out.")
    ] = None,
    full_precision: Annotated[bool, typer.Option("--full-precision", help="float32 instead of float16.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the folder.")] = False,
    cfg_options: Annotated[
        list[str] | None, typer.Option("--cfg-options", help="KEY=VALUE, a change by dotted key; repeatable.")
    ] = None,
) -> None:
    """Writes a bundle: configuration.json, float16 weights, detection/, card.json and README.md."""
    from handkit.engine.bundling import write_bundle
    from handkit.hub.bundle_card import BundleCard
    from handkit.registry.config import parse_options

    folder = write_bundle(
        out,
        config,
        checkpoint,
        BundleCard.read(card),
        detector,
        detector_checkpoint,
        parse_options(cfg_options or []),
        half=not full_precision,
        layout=layout,
        overwrite=overwrite,
        base=base,
    )
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    print(f"{folder}: {size / 1e6:.1f} MB")
