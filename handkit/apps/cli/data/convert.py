"""`handkit data convert`: labels of hands from one format to another."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def convert(
    source: Annotated[
        Path, typer.Argument(help="COCO JSON, CVAT XML, Label Studio JSON, or YOLO's data.yaml or folder.")
    ],
    target: Annotated[Path, typer.Argument(help="The new file; of yolo the new folder.")],
    to: Annotated[str, typer.Option(help="coco, yolo, cvat or label-studio.")],
    of: Annotated[str | None, typer.Option("--from", help="The source's format; default: by its ending.")] = None,
    joint_order: Annotated[
        str | None, typer.Option(help="Order of the joints where the source does not name them, e.g. rhd.")
    ] = None,
    image_root: Annotated[
        Path | None, typer.Option(help="Folder of the pictures; default: the source's, or its images.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a file.")] = False,
) -> None:
    """Converts labels, the order of their joints checked by name; prints what the new format cannot hold."""
    from handkit.datasets.exchange import convert as run

    done = run(source, target, to, of, joint_order, image_root, overwrite)
    for note in done.notes:
        print(f"note: {note}")
    for loss in done.lost:
        print(f"not in {to}: {loss}")
    print(f"{target}: {done.hands} hands in {done.images} images read and written")
