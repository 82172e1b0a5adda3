"""`handkit data check`: what is wrong with a config's data."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Any

import typer


def check(
    config: Annotated[str, typer.Argument(help="Path, or name of one of handkit's own configs.")],
    limit: Annotated[int, typer.Option(help="Samples of each data set that are opened, spread evenly.")] = 5000,
    augmented: Annotated[int, typer.Option(help="Of those, samples that go through the transforms.")] = 200,
    model: Annotated[
        str | None, typer.Option(help="Also compare sides with a pipeline's: 'default', a bundle folder or a config.")
    ] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="File for all findings.")] = None,
    cfg_options: Annotated[
        list[str] | None, typer.Option("--cfg-options", help="KEY=VALUE, a change by dotted key; repeatable.")
    ] = None,
) -> None:
    """Finds faults in a config's data sets and says how to mend them. Exit code 2 when there is one."""
    from handkit.apps.cli.places import check_file
    from handkit.datasets.checking import check_data
    from handkit.files import write_json
    from handkit.registry.config import load_config, parse_options

    check_file("--json", json_file, (config, model))
    resolved = load_config(config, parse_options(cfg_options or []))
    report = check_data(resolved, limit, augmented, None if model is None else _judge(model))
    for line in [*report.looked, *(f"note: {note}" for note in report.notes)]:
        print(line)
    for finding in report.findings:
        print("\n".join(["", *finding.lines()]))
    if json_file is not None:
        write_json(json_file, report.to_dict())
    if report.findings:
        print(f"\n{len(report.findings)} to mend")
        raise typer.Exit(2)
    print("no fault found; look at the samples with `handkit data browse`")


def _judge(model: str) -> Any:
    """The side that a pipeline sees in a labelled box, where it is sure of it."""
    import numpy as np

    from handkit.pipelines import pipeline

    pipe = pipeline("hand_2d_keypoints", None if model == "default" else model)

    def judge(picture: Any, points: Any, box: Any) -> float:
        hands: Any = pipe(picture, boxes=np.asarray(box, np.float64)[None], channel_order="rgb")
        sure = len(hands) == 1 and hands.handedness[0] is not None and hands.handedness_scores[0] >= 0.8
        return float(hands.handedness[0] == "right") if sure else math.nan

    return judge
