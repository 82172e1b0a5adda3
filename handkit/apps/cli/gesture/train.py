"""`handkit gesture train`: from photographs sorted by gesture, or from rendered joints, to a classifier."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from handkit.engine.gestures import TrainedGestures


def train(
    out: Annotated[Path, typer.Option(metavar="FILE.safetensors", help="The classifier to write.")],
    photos: Annotated[
        Path | None, typer.Argument(help="Folder with a folder of photographs per gesture; none: rendered joints.")
    ] = None,
    model: Annotated[str | None, typer.Option(help="What finds the joints; default: the default pipeline.")] = None,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, cuda:0, ...")] = None,
    direction: Annotated[
        bool, typer.Option("--direction", help="A thumb up is not a thumb down: hands are not turned upright.")
    ] = False,
    epochs: Annotated[int, typer.Option(help="Passes over the hands.")] = 40,
    hidden: Annotated[int, typer.Option(help="Width of the hidden layer.")] = 96,
    noise: Annotated[float, typer.Option(help="Deviation of the joints in training, in palm lengths.")] = 0.06,
    seed: Annotated[int, typer.Option(help="Of the weights, the held-out hands and the noise.")] = 0,
    count: Annotated[int, typer.Option(help="Rendered hands per gesture, where there are no photographs.")] = 400,
    source: Annotated[str, typer.Option(help="Rendered hands' bones: makehuman or capsule.")] = "makehuman",
) -> None:
    """Learns gestures; a fifth of the hands is held out and tells the accuracy.

    Use it with `--cfg-options gesture.checkpoint=FILE.safetensors` of `handkit predict --task hand_gesture`.
    """
    from rich.console import Console

    from handkit.datasets.synthetic.gesture_joints import GESTURE_POSES, gesture_joints
    from handkit.engine.gestures import GestureTraining, train_gestures
    from handkit.errors import ConfigError

    settings = GestureTraining(hidden=hidden, epochs=epochs, noise=noise, upright=not direction, seed=seed)
    if source not in ("makehuman", "capsule"):
        raise ConfigError(f"--source must be makehuman or capsule, not {source}")
    console = Console(highlight=False, markup=False, soft_wrap=True)
    classes: tuple[str, ...] = tuple(GESTURE_POSES)
    if photos is None:
        points, labels = gesture_joints(count, seed, source)  # type: ignore[arg-type]
    else:
        points, labels, classes = _photographed(photos, model, device, console)
    trained = train_gestures(points, labels, classes, settings)
    trained.weights.save(out)
    _report(console, trained)
    console.print(f"{out}: {len(classes)} gestures, accuracy {trained.accuracy:.3f} on hands held out")


def _photographed(
    photos: Path, model: str | None, device: str | None, console: Any
) -> tuple[Any, Any, tuple[str, ...]]:
    from handkit.pipelines import pipeline
    from handkit.pipelines.gestures import read_sorted

    def told(name: str, pictures: int, hands: int) -> None:
        console.print(f"{name}: {hands} hands in {pictures} photographs")

    found = read_sorted(photos, pipeline("hand_2d_keypoints", model, device), told)
    return found.points, found.labels, found.classes


def _report(console: Any, trained: TrainedGestures) -> None:
    """Per gesture how many of the hands held out were known, and what the others were taken for."""
    classes = trained.weights.classes
    for name, row in zip(classes, trained.confusion, strict=True):
        right = row[classes.index(name)]
        wrong = [f"{other} {count}" for other, count in zip(classes, row, strict=True) if count and other != name]
        console.print(f"{name}: {right} of {row.sum()}" + (f"; taken for {', '.join(wrong)}" if wrong else ""))
