"""`handkit checkpoint convert`: any supported weight file as safetensors for a config's model."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from handkit.errors import CheckpointError, ConfigError


def convert(
    config: Annotated[str, typer.Argument(help="Path, or name of one of handkit's own configs.")],
    source: Annotated[Path, typer.Argument(help="Weights of mmpose, mmdet, EasyCV, torchvision or handkit.")],
    target: Annotated[Path, typer.Argument(help="The new file, safetensors.")],
    backbone: Annotated[
        bool, typer.Option("--backbone", help="Only the config's backbone, as backbone_from reads it.")
    ] = False,
    json_file: Annotated[Path | None, typer.Option("--json", help="File for the whole report.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a file.")] = False,
    cfg_options: Annotated[
        list[str] | None, typer.Option("--cfg-options", help="KEY=VALUE, a change by dotted key; repeatable.")
    ] = None,
) -> None:
    """Converts weights, reports mapped, renamed and missing names, and compares outputs before and after.

    Exit code 2, with the report and without a file, if they do not fit.
    """
    from handkit.checkpoints.conversion import compare_keys, convert_weights
    from handkit.checkpoints.stripping import refuse_present, refuse_report
    from handkit.files import write_json
    from handkit.registry import MODELS, build
    from handkit.registry.config import load_config, parse_options

    resolved = load_config(config, parse_options(cfg_options or []))
    node, place = _node(resolved, config, backbone)
    part = "backbone" if backbone else None
    refuse_present(target, overwrite)
    refuse_report(json_file, (source, target), overwrite)
    model = build(node, MODELS, place)
    if not hasattr(model, "state_dict"):
        raise ConfigError(
            f"{config}: its {place}, {type(model).__name__}, is no torch module and takes no such weights"
        )
    report = compare_keys(model, source, part)
    print("\n".join(report.lines()))
    if json_file is not None:
        write_json(json_file, report.to_dict())
    if not report.fits:
        raise CheckpointError(
            f"{source} does not fit the {place} of {config}, see above; nothing is written (a file of a backbone alone "
            "takes --backbone)"
        )
    check = convert_weights(
        lambda: build(node, MODELS, place), source, target, _input_size(resolved), part, overwrite
    ).check
    print(
        f"self-check: {check.values} values of {check.outputs} outputs on an input of {check.shape} "
        f"differ by {check.difference:g}"
    )
    print(f"{target}: {target.stat().st_size} bytes")


def _node(config: Mapping[str, Any], where: str, backbone: bool) -> tuple[dict[str, Any], str]:
    """The node to build, and its place in the config."""
    model = config.get("model")
    if not isinstance(model, Mapping):
        raise ConfigError(f"{where}: names no 'model' whose weights could be converted")
    if not backbone:
        return {key: value for key, value in model.items() if key != "losses"}, "model"
    if not isinstance(model.get("backbone"), Mapping):
        raise ConfigError(f"{where}: its model names no 'backbone'")
    return dict(model["backbone"]), "model.backbone"


def _input_size(config: Mapping[str, Any]) -> tuple[int, int]:
    """(width, height) of the network's input as the config's codec or transforms have it."""
    nodes = [config.get("codec"), *(config.get("test_transforms") or [])]
    sizes = [node["input_size"] for node in nodes if isinstance(node, Mapping) and "input_size" in node]
    return tuple(sizes[0]) if sizes else (256, 256)
