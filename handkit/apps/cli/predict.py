"""`handkit predict`: hands of files, folders, globs and URLs, drawn and as JSON."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from handkit.apps.cli.inputs import Picture


def predict(
    inputs: Annotated[list[str], typer.Argument(help="Files, folders, globs, URLs.")],
    out: Annotated[Path | None, typer.Option(help="Folder for the drawn pictures (PNG).")] = None,
    out_3d: Annotated[
        Path | None, typer.Option("--out-3d", help="Folder for hands in space: a picture and a page; extra \\[plot].")
    ] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="File for all results, written at the end.")] = None,
    task: Annotated[
        str, typer.Option(help="hand_2d_keypoints, hand_3d_keypoints, hand_gesture or hand_detection.")
    ] = "hand_2d_keypoints",
    model: Annotated[str | None, typer.Option(help="Bundle folder or config; default: the task's own.")] = None,
    checkpoint: Annotated[str | None, typer.Option(help="Weights for the config's model.")] = None,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, cuda:0, ...")] = None,
    cfg_options: Annotated[
        list[str] | None, typer.Option("--cfg-options", help="KEY=VALUE, a change by dotted key; repeatable.")
    ] = None,
    box_threshold: Annotated[float | None, typer.Option(help="Least score of a box; default: the card's.")] = None,
    presence_threshold: Annotated[float | None, typer.Option(help="Least probability of a hand.")] = None,
    nms_iou: Annotated[float | None, typer.Option(help="Overlap above which the weaker box is dropped.")] = None,
    max_hands: Annotated[int | None, typer.Option(help="Most hands per image.")] = None,
    mirrored: Annotated[bool, typer.Option(help="The images are mirrored, as from a selfie camera.")] = False,
    batch_size: Annotated[int, typer.Option(help="Images loaded, and crops run, together.")] = 8,
) -> None:
    """Finds the hands in pictures. A bad picture costs one line and exit code 2 at the end; the others are done."""
    from rich.console import Console
    from rich.markup import escape

    from handkit.apps.cli.foreign import tell_translation
    from handkit.apps.cli.inputs import pictures
    from handkit.drawing import require_plotly
    from handkit.errors import ConfigError
    from handkit.pipelines import BadInput, pipeline
    from handkit.registry.config import parse_options

    if task.replace("-", "_") == "hand_detection" and mirrored:
        raise ConfigError("hand_detection tells no sides, so it takes no --mirrored")
    wanted = pictures(inputs)
    _check_places(wanted, out, out_3d, json_file)
    if out_3d is not None:
        require_plotly()
    if model is not None:
        tell_translation(model)
    pipe = pipeline(
        task,
        model,
        device,
        checkpoint=checkpoint,
        cfg_options=parse_options(cfg_options or []),
        box_threshold=box_threshold,
        presence_threshold=presence_threshold,
        nms_iou=nms_iou,
        max_hands=max_hands,
        mirrored=mirrored,
        batch_size=batch_size,
        on_error="skip",
    )
    if out_3d is not None:
        _check_space(pipe.config, model)
    console, errors = Console(highlight=False), Console(stderr=True, highlight=False)
    records, bad = [], 0
    for picture, image, result in _progress(_answers(pipe, wanted), len(wanted), errors):
        if isinstance(result, BadInput):
            bad += 1
            errors.print(f"[red]error:[/] {escape(f'{picture.source}: {result.reason}')}", soft_wrap=True)
            records.append({"input": picture.source, "error": result.reason})
            continue
        records.append({"input": picture.source, **result.to_dict()})
        drawn = None if out is None else _save(out / picture.target, image, result)
        if out_3d is not None:
            _save_in_space(out_3d / picture.target, result)
        _report(console, picture, result, drawn, alone=len(wanted) == 1)
    if json_file is not None:
        from handkit.files import write_json

        write_json(json_file, {"images": records})
        console.print(f"{len(records)} results in {json_file}", markup=False)
    if bad:
        errors.print(f"{bad} of {len(wanted)} inputs could not be used")
        raise typer.Exit(2)


def _check_places(wanted: list[Picture], out: Path | None, out_3d: Path | None, json_file: Path | None) -> None:
    """Raises a ConfigError where a result cannot be written, or would replace a picture or another result."""
    from handkit.apps.cli.places import check_file, check_folder
    from handkit.errors import ConfigError

    check_file("--json", json_file)
    for option, folder in (("--out", out), ("--out-3d", out_3d)):
        if folder is not None:
            check_folder(f"{option} {folder}", folder)
    if out is not None and out_3d is not None and out.resolve() == out_3d.resolve():
        raise ConfigError(f"--out and --out-3d are both {out}: their pictures have the same names, so name two folders")
    sources = {Path(picture.source).resolve(): picture.source for picture in wanted}
    written = [json_file] if json_file is not None else []
    written += [folder / picture.target for folder in (out, out_3d) if folder is not None for picture in wanted]
    for path in written:
        if path.resolve() in sources:
            raise ConfigError(f"{path}: would replace {sources[path.resolve()]}, which is read; name another place")


def _check_space(config: Mapping[str, Any], model: str | None) -> None:
    """Raises a ConfigError where --out-3d would have nothing to draw."""
    from handkit.errors import ConfigError
    from handkit.registry.pairing import tells_space

    if tells_space(config) is False:
        mend = "" if model is None else ", and leave --model out or name one that gives xyz_root"
        raise ConfigError(f"--out-3d: this model tells no joints in space: name --task hand_3d_keypoints{mend}")


def _answers(pipe: Any, wanted: list[Picture]) -> Iterator[tuple[Picture, Any, Any]]:
    """(picture, its RGB pixels, result), with no more than a batch of images in memory and each read once.

    What cannot be read is handed to the pipeline as it is, so that it says why.
    """
    from handkit.errors import HandkitError
    from handkit.images import read_image

    waiting: deque[tuple[Picture, Any]] = deque()

    def images() -> Iterator[Any]:
        for picture in wanted:
            try:
                image = read_image(picture.source)
            except HandkitError:
                image = None
            waiting.append((picture, image))
            yield picture.source if image is None else image

    for result in pipe(images(), channel_order="rgb"):
        picture, image = waiting.popleft()
        yield picture, image, result


def _progress(answers: Iterator[Any], total: int, console: Any) -> Iterator[Any]:
    """A progress bar with the time left, on a terminal and from ten inputs on."""
    if total < 10 or not console.is_terminal:
        yield from answers
        return
    from rich.progress import track

    yield from track(answers, total=total, description="hands", console=console)


def _save(path: Path, image: Any, result: Any) -> Path:
    from PIL import Image

    from handkit.drawing import draw
    from handkit.files import writing

    with writing(path) as file:
        Image.fromarray(draw(image, result, channel_order="rgb")).save(file, "PNG")
    return path


def _save_in_space(path: Path, result: Any) -> None:
    from PIL import Image

    from handkit.drawing import draw_in_space, write_space_page
    from handkit.errors import ConfigError
    from handkit.files import writing
    from handkit.hands import Hands

    if not isinstance(result, Hands) or (len(result) and result.xyz_root is None):
        raise ConfigError("--out-3d: this model tells no joints in space")
    if not len(result):
        return
    with writing(path) as file:
        Image.fromarray(draw_in_space(result)).save(file, "PNG")
    write_space_page(path.with_suffix(".html"), result)


def _report(console: Any, picture: Picture, result: Any, drawn: Path | None, alone: bool) -> None:
    """One line per picture; for a single picture the joints as well."""
    from handkit.drawing import joint_table
    from handkit.hands import Hands

    if isinstance(result, Hands):
        if alone and len(result):
            console.print(joint_table(result, picture.source))
        words = [
            f"{side or 'hand'} {score:.2f}" for side, score in zip(result.handedness, result.box_scores, strict=True)
        ]
        if result.gestures is not None:
            words = [f"{word} {name or 'no gesture'}" for word, name in zip(words, result.gestures, strict=True)]
    else:
        words = [f"hand {score:.2f}" for score in result.scores]
    shown = f" -> {drawn}" if drawn else ""
    console.print(f"{picture.source}: {', '.join(words) or 'no hand'}{shown}", soft_wrap=True, markup=False)
