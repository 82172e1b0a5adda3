"""`handkit compare`: pipelines on the same photographs, as a Markdown table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def compare(
    models: Annotated[list[str], typer.Argument(help="Bundle folders, or configs that name their weights.")],
    data: Annotated[Path, typer.Option(metavar="LABELS.json", help="COCO keypoint JSON of hands.")],
    negatives: Annotated[Path | None, typer.Option(help="Folder of pictures without hands.")] = None,
    good_only: Annotated[bool, typer.Option("--good-only", help="Of --data only hands with good labels.")] = False,
    limit: Annotated[int | None, typer.Option(help="So many photographs, spread evenly.")] = None,
    negatives_count: Annotated[int, typer.Option(help="So many pictures without hands, the first by name.")] = 100,
    turns: Annotated[str, typer.Option(help="Degrees by which photographs are turned clockwise.")] = "0,90,180,270",
    timed: Annotated[int, typer.Option(help="So many photographs are timed; 0: none.")] = 50,
    out: Annotated[Path | None, typer.Option(metavar="TABLE.md", help="File for the table.")] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="File for every number.")] = None,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, cuda:0, ...")] = None,
) -> None:
    """Measures pipelines at their own thresholds, turned and upright, and times them on one thread."""
    from handkit.apps.cli.places import check_file
    from handkit.errors import ConfigError
    from handkit.files import write_json, writing
    from handkit.pipelines.comparing import compare_pipelines, markdown

    if not turns.replace(",", "").replace(" ", "").isdecimal():
        raise ConfigError(f"--turns takes degrees with commas between them, not {turns!r}")
    for option, path in (("--out", out), ("--json", json_file)):
        check_file(option, path, (data, *models))
    rows = compare_pipelines(
        models,
        data,
        negatives,
        device,
        good_only=good_only,
        limit=limit,
        negatives_count=negatives_count,
        turns=[int(turn) for turn in turns.split(",") if turn.strip()],
        timed=timed,
    )
    table = markdown(rows, data.name, None if negatives is None else negatives.name)
    print(table, end="")
    if out is not None:
        with writing(out, "w") as file:
            file.write(table)
    if json_file is not None:
        write_json(json_file, {"pipelines": [row.to_dict() for row in rows]})
