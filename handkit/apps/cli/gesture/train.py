"""`handkit gesture train`: from photographs sorted by gesture, or from rendered joints, to a classifier."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

#: The recipe that is run.
CONFIG = "hand_gesture/gesture_mlp_handsynth"


def train(
    photos: Annotated[
        Path | None,
        typer.Argument(
            help="Folder with a folder of photographs per gesture, or the JSON of joints that was written for one; "
            "none: rendered joints."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.safetensors",
            help="The classifier to write; default: beside the photographs' folder or the JSON, named as it; of "
            "rendered joints gestures.safetensors.",
        ),
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="What finds the joints in photographs; default: the default pipeline.")
    ] = None,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, cuda:0, ...")] = None,
    direction: Annotated[
        bool,
        typer.Option(
            "--direction",
            help="A thumb up is not a thumb down: hands are not turned upright. Left and right are not told apart.",
        ),
    ] = False,
    epochs: Annotated[int, typer.Option(help="Passes over the hands.", min=1)] = 40,
    hidden: Annotated[int, typer.Option(help="Width of the hidden layer.", min=1)] = 96,
    noise: Annotated[float, typer.Option(help="Deviation of the joints in training, in palm lengths.", min=0)] = 0.06,
    seed: Annotated[
        int, typer.Option(help="Of the weights, the held-out hands and the noise.", min=0, max=2**32 - 1)
    ] = 0,
    count: Annotated[int | None, typer.Option(help="Rendered hands per gesture; default: 400.", min=1)] = None,
    source: Annotated[str | None, typer.Option(help="Their bones: makehuman, the default, or capsule.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace FILE.safetensors and FILE.json.")] = False,
) -> None:
    """Learns gestures; a fifth of the hands is held out and tells the accuracy.

    Use it with `--cfg-options gesture.checkpoint=FILE.safetensors` of `handkit predict --task hand_gesture`. The joints
    of photographs are written beside it, as FILE.json. It runs the config hand_gesture/gesture_mlp_handsynth.
    """
    import tempfile

    from rich.console import Console

    rendered = {name: value for name, value in (("count", count), ("source", source)) if value is not None}
    from_pictures = photos is not None and not photos.is_file()
    _refuse_idle(photos, from_pictures, model, rendered)
    target = _target(photos, out, from_pictures, overwrite)
    console = Console(highlight=False, markup=False, soft_wrap=True)
    options: dict[str, Any] = {"seed": seed, "max_epochs": epochs, "val_interval": epochs, "model.hidden": hidden}
    options["train_transforms.0.noise"] = noise
    for key in ("model", "train_transforms.0", "test_transforms.0"):
        options[f"{key}.upright"] = not direction
    with tempfile.TemporaryDirectory() as folder:
        found, joints = None, photos
        if photos is not None and from_pictures:
            found, joints = _found(photos, model, device, console), Path(folder, "joints.json")
            found.save(joints)
        data = {"count": 400, "source": "makehuman", **rendered} if joints is None else _data(joints)
        if "classes" in data:
            options["model.classes"] = data["classes"]
        for part in ("train", "val"):
            options[f"{part}_dataset"] = {**data, "part": part, "seed": seed}
        weights, line = _learnt(Path(folder, "work"), options, device, console)
        _write(target, weights, found)
    console.print(f"{target}: {line}")


def _refuse_idle(photos: Path | None, from_pictures: bool, model: str | None, rendered: dict[str, Any]) -> None:
    """Refuses options that would do nothing."""
    from handkit.errors import ConfigError

    if model is not None and not from_pictures:
        raise ConfigError("--model finds hands in photographs: name their folder, or leave it out")
    if photos is not None and rendered:
        options = " and ".join(f"--{name}" for name in rendered)
        raise ConfigError(f"{options}: of rendered joints alone, but hands come from {photos}; leave it out")


def _target(photos: Path | None, out: Path | None, from_pictures: bool, overwrite: bool) -> Path:
    """The file to write, checked."""
    from handkit.errors import ConfigError, DataError

    if out is None:
        whole = Path("gestures") if photos is None else photos.absolute() if photos.name in ("", "..") else photos
        whole = whole if from_pictures or photos is None else whole.with_suffix("")
        out = whole.with_name(f"{whole.name}.safetensors")
    if out.suffix != ".safetensors":
        raise ConfigError(f"--out {out}: the name must end in .safetensors")
    if photos is not None and out.resolve() == photos.resolve():
        raise ConfigError(f"--out {out} is what is read; choose another name")
    for path in (out, out.with_suffix(".json")) if from_pictures else (out,):
        if path.is_dir() or (path.exists() and not overwrite):
            raise DataError(f"{path} is there already; choose another name for --out, or --overwrite")
    return out


def _found(photos: Path, model: str | None, device: str | None, console: Any) -> Any:
    """The joints of the best hand of each photograph; refuses what cannot be learnt before it looks for any."""
    from handkit.datasets.gesture_hands import LEAST_HANDS
    from handkit.pipelines import pipeline
    from handkit.pipelines.gestures import read_sorted, sorted_pictures

    def told(name: str, pictures: int, hands: int, unread: int) -> None:
        none = pictures - hands - unread
        rest = f"; {none} without a hand" * (none > 0) + f"; {unread} cannot be read" * (unread > 0)
        console.print(f"{name}: {hands} hands in {pictures} photographs{rest}")

    sorted_pictures(photos, LEAST_HANDS)
    found = read_sorted(photos, pipeline("hand_2d_keypoints", model, device), told)
    for bad in found.unreadable:
        console.print(f"left out: {bad.name}: {bad.reason}")
    return found


def _data(joints: Path) -> dict[str, Any]:
    """The data set of a file of joints."""
    from handkit.datasets.gesture_hands import read_gestures

    classes = sorted(set(read_gestures(joints)[1]))
    return {"_delete_": True, "type": "GestureHands", "ann_file": str(joints), "classes": classes}


def _learnt(work: Path, options: dict[str, Any], device: str | None, console: Any) -> tuple[bytes, str]:
    """The classifier's file, and what is told of it; a table says what the held-out hands were taken for."""
    from rich.console import Console

    from handkit.engine import measure
    from handkit.engine import train as run
    from handkit.registry.config import load_config

    result = run(CONFIG, work, device=device, cfg_options=options, console=Console(quiet=True))
    if result.exit_code:
        raise typer.Exit(result.exit_code)
    made = result.work_dir
    scores, classes = measure(made.config, made.best, device), load_config(made.config)["model"]["classes"]
    for line in scores.details:
        console.print(line)
    accuracy = scores["gesture_accuracy"]
    return made.best.read_bytes(), f"{len(classes)} gestures, accuracy {accuracy:.3f} on hands held out"


def _write(target: Path, weights: bytes, found: Any) -> None:
    """Both files, now that nothing has failed."""
    from handkit.files import writing

    if found is not None:
        found.save(target.with_suffix(".json"))
    with writing(target) as file:
        file.write(weights)
