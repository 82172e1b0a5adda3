"""`handkit test`: a network on labelled hands, or with --detector a whole pipeline on labelled photographs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer


def measure(
    config: Annotated[str, typer.Argument(help="Path, bundle folder, or name of one of handkit's own configs.")],
    checkpoint: Annotated[
        str | None, typer.Argument(help="The weights: a path, or hub:CARD/FILE; default: the config's.")
    ] = None,
    detector: Annotated[
        bool, typer.Option("--detector", help="The whole pipeline on whole photographs, instead of labelled boxes.")
    ] = False,
    data: Annotated[
        Path | None, typer.Option(metavar="LABELS.json", help="COCO keypoint JSON; default: the config's val_dataset.")
    ] = None,
    good_only: Annotated[bool, typer.Option("--good-only", help="Of --data only hands with good labels.")] = False,
    rotate: Annotated[int, typer.Option(help="Turn clockwise first; photographs by 90, 180 or 270 degrees.")] = 0,
    limit: Annotated[int | None, typer.Option(help="So many photographs, spread evenly.")] = None,
    negatives: Annotated[Path | None, typer.Option(help="Folder of pictures without hands.")] = None,
    negatives_count: Annotated[int | None, typer.Option(help="So many of them, the first; default: 100.")] = None,
    bootstrap: Annotated[int, typer.Option(help="Add 95 % intervals by so many resampled sets, e.g. 1000.")] = 0,
    baseline: Annotated[
        bool, typer.Option("--baseline", help="Add what the mean pose of the train_dataset scores, without a look.")
    ] = False,
    log: Annotated[
        Path | None, typer.Option(help="JSON lines: adds this measurement, and shows all that are there.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="JSON file for the numbers and all predictions.")] = None,
    report: Annotated[Path | None, typer.Option(metavar="DIR", help="Folder for report.html and report.json.")] = None,
    report_against: Annotated[
        Path | None, typer.Option(metavar="FILE", help="report.json of another run, which --report compares with.")
    ] = None,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, cuda:0, ...")] = None,
    launcher: Annotated[
        str, typer.Option(help="What started several processes: none, pytorch (torchrun) or slurm (srun).")
    ] = "none",
    cfg_options: Annotated[
        list[str] | None, typer.Option("--cfg-options", help="KEY=VALUE, a change by dotted key; repeatable.")
    ] = None,
) -> None:
    """Measures a config's network with its weights, every hand cut by its labelled box; one row per number.

    With --detector the pipeline finds the hands itself; --limit and --negatives need it.
    """
    from handkit.apps.cli.foreign import tell_translation
    from handkit.engine.launching import launched
    from handkit.errors import ConfigError
    from handkit.metrics.score_log import append, rows
    from handkit.pipelines.measuring import measure_pipeline
    from handkit.registry.config import parse_options
    from handkit.reports import ReportWriter

    if bootstrap < 0:
        raise ConfigError(f"--bootstrap takes a number of resampled sets, not {bootstrap}")
    if negatives_count is not None and negatives is None:
        raise ConfigError("--negatives-count counts pictures of --negatives: name their folder")
    _check_places(out, log, report, (data, config, checkpoint, report_against))
    if report_against is not None and report is None:
        raise ConfigError("--report-against is compared with in a report: name its folder by --report DIR")
    writer = None if report is None else ReportWriter(report, report_against)
    common: dict[str, Any] = {"cfg_options": parse_options(cfg_options or []), "out": out, "bootstrap": bootstrap}
    common["report"] = writer
    if detector and baseline:
        raise ConfigError("--baseline guesses joints in labelled boxes: leave out --detector")
    with launched(launcher, device) as processes:
        common["processes"] = processes
        if processes.first:
            tell_translation(config)
        if detector:
            scores = measure_pipeline(
                config,
                checkpoint,
                processes.device,
                data=data,
                good_only=good_only,
                rotate=rotate,
                limit=limit,
                negatives=negatives,
                negatives_count=100 if negatives_count is None else negatives_count,
                **common,
            )
        elif limit is not None or negatives is not None:
            raise ConfigError("--limit and --negatives are for whole photographs: add --detector")
        else:
            options = {**common, "baseline": baseline, "rotate": rotate}
            scores = _measure_crops(config, checkpoint, processes.device, data, good_only, options)
    if not processes.first:
        return
    print("\n".join(scores.rows()))
    if log is not None:
        settings = {"rotate": rotate, "good_only": good_only, "limit": limit}
        given = {"config": config, "checkpoint": checkpoint, "data": data, "negatives": negatives}
        settings = {key: value for key, value in settings.items() if value} | common["cfg_options"]
        settings["detector"] = detector
        append(log, {key: str(value) for key, value in given.items() if value is not None}, settings, scores)
        print("\n".join(["", *rows(log)]))


def _check_places(out: Path | None, log: Path | None, report: Path | None, read: tuple[str | Path | None, ...]) -> None:
    """Raises where what is measured could not be written, would replace what is read, or be added to what is no log."""
    from handkit.apps.cli.places import check_file, check_folder
    from handkit.metrics.score_log import rows

    check_file("--out", out, (*read, log))
    check_file("--log", log, read)
    if report is not None:
        check_folder(f"--report {report}", report)
    if log is not None and log.is_file():
        rows(log)


def _measure_crops(
    config: str, checkpoint: str | None, device: str | None, data: Path | None, good_only: bool, options: dict[str, Any]
) -> Any:
    from handkit.datasets.reader import HandReader
    from handkit.engine import measure as run
    from handkit.errors import ConfigError
    from handkit.pipelines.build import read_model

    if good_only and data is None:
        raise ConfigError("--good-only judges the labels of --data; of a val_dataset max_disagreement does")
    dataset = None if data is None else HandReader.of_file(data, good_only)
    model: Any = read_model(config) if Path(config).is_dir() else config
    return run(model, checkpoint, device, dataset=dataset, **options)
