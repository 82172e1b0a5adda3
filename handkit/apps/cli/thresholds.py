"""`handkit thresholds`: what a pipeline finds at many pairs of thresholds, as a Markdown table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def thresholds(
    model: Annotated[str, typer.Argument(help="Bundle folder, or a config that names its weights.")],
    data: Annotated[Path, typer.Option(metavar="LABELS.json", help="COCO keypoint JSON of hands.")],
    box: Annotated[str, typer.Option(help="Least scores of a box.")] = "0.2,0.3,0.4,0.5",
    presence: Annotated[str, typer.Option(help="Least probabilities of a hand; none: the model's own.")] = "",
    negatives: Annotated[Path | None, typer.Option(help="Folder of pictures without hands.")] = None,
    checkpoint: Annotated[str | None, typer.Option(help="Weights of the config's model.")] = None,
    good_only: Annotated[bool, typer.Option("--good-only", help="Of --data only hands with good labels.")] = False,
    rotate: Annotated[int, typer.Option(help="Degrees by which photographs are turned clockwise.")] = 0,
    limit: Annotated[int | None, typer.Option(help="So many photographs, spread evenly.")] = None,
    negatives_count: Annotated[int, typer.Option(help="So many pictures without hands, the first by name.")] = 100,
    json_file: Annotated[Path | None, typer.Option("--json", help="File for every number.")] = None,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, cuda:0, ...")] = None,
    cfg_options: Annotated[
        list[str] | None, typer.Option("--cfg-options", help="KEY=VALUE, a change by dotted key; repeatable.")
    ] = None,
) -> None:
    """Looks at every photograph once and judges what was seen by every pair of thresholds."""
    from handkit.apps.cli.places import check_file
    from handkit.files import write_json
    from handkit.pipelines.sweeping import markdown, sweep_thresholds
    from handkit.registry.config import parse_options

    check_file("--json", json_file, (data, model, checkpoint))
    choices = sweep_thresholds(
        model,
        data,
        negatives,
        device,
        box=_numbers("--box", box),
        presence=_numbers("--presence", presence),
        checkpoint=checkpoint,
        good_only=good_only,
        rotate=rotate,
        limit=limit,
        negatives_count=negatives_count,
        cfg_options=parse_options(cfg_options or []),
    )
    print(markdown(choices), end="")
    if json_file is not None:
        write_json(json_file, {"model": model, "data": str(data), "choices": [one.to_dict() for one in choices]})


def _numbers(option: str, text: str) -> list[float]:
    from handkit.errors import ConfigError

    try:
        return [float(part) for part in text.split(",") if part.strip()]
    except ValueError:
        raise ConfigError(f"{option} takes numbers with commas between them, not {text!r}") from None
