"""`handkit gesture train`: from photographs sorted by gesture, or from rendered joints, to a classifier."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

#: The recipe that is run.
CONFIG = "hand_gesture/gesture_mlp_handsynth"


def train(
    out: Annotated[Path, typer.Option(metavar="FILE.safetensors", help="The classifier to write.")],
    photos: Annotated[
        Path | None,
        typer.Argument(
            help="Folder with a folder of photographs per gesture, or the JSON of joints that was written for one; "
            "none: rendered joints."
        ),
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
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace FILE.safetensors and FILE.json.")] = False,
) -> None:
    """Learns gestures; a fifth of the hands is held out and tells the accuracy.

    Use it with `--cfg-options gesture.checkpoint=FILE.safetensors` of `handkit predict --task hand_gesture`. The joints
    of photographs are written beside it, as FILE.json. It runs the config hand_gesture/gesture_mlp_handsynth.
    """
    import tempfile

    from rich.console import Console

    from handkit.engine import measure
    from handkit.engine import train as run
    from handkit.errors import DataError
    from handkit.files import writing
    from handkit.registry.config import load_config

    from_pictures = photos is not None and not photos.is_file()
    for path in (out, out.with_suffix(".json")) if from_pictures else (out,):
        if path.is_dir() or (path.exists() and not overwrite):
            raise DataError(f"{path} is there already; choose another name for --out, or --overwrite")
    console = Console(highlight=False, markup=False, soft_wrap=True)
    options: dict[str, Any] = {"seed": seed, "max_epochs": epochs, "val_interval": epochs, "model.hidden": hidden}
    options["train_transforms.0.noise"] = noise
    for key in ("model", "train_transforms.0", "test_transforms.0"):
        options[f"{key}.upright"] = not direction
    data: dict[str, Any] = {"count": count, "source": source}
    if photos is not None:
        joints = photos if photos.is_file() else _joints(photos, out.with_suffix(".json"), model, device, console)
        data = {"_delete_": True, "type": "GestureHands", "ann_file": str(joints), "classes": _classes(joints)}
        options["model.classes"] = data["classes"]
    for part in ("train", "val"):
        options[f"{part}_dataset"] = {**data, "part": part, "seed": seed}
    with tempfile.TemporaryDirectory() as folder:
        result = run(CONFIG, Path(folder, "work"), device=device, cfg_options=options, console=Console(quiet=True))
        if result.exit_code:
            raise typer.Exit(result.exit_code)
        made = result.work_dir
        scores, classes = measure(made.config, made.best, device), load_config(made.config)["model"]["classes"]
        with writing(out) as file:
            file.write(made.best.read_bytes())
    for line in scores.details:
        console.print(line)
    accuracy = scores["gesture_accuracy"]
    console.print(f"{out}: {len(classes)} gestures, accuracy {accuracy:.3f} on hands held out")


def _joints(photos: Path, out: Path, model: str | None, device: str | None, console: Any) -> Path:
    """Finds the hands, and writes their joints."""
    from handkit.pipelines import pipeline
    from handkit.pipelines.gestures import read_sorted

    def told(name: str, pictures: int, hands: int) -> None:
        console.print(f"{name}: {hands} hands in {pictures} photographs")

    read_sorted(photos, pipeline("hand_2d_keypoints", model, device), told).save(out)
    return out


def _classes(joints: Path) -> list[str]:
    from handkit.datasets.gesture_hands import read_gestures

    return sorted(set(read_gestures(joints)[1]))
