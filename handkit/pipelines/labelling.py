"""What ``handkit label`` does: a pipeline's joints on photographs of one's own, as labels to train another model by."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track

from handkit.datasets.labels import GOOD_DISAGREEMENT
from handkit.errors import ConfigError, DataError, ImageError
from handkit.files import writing
from handkit.geometry import hand_box
from handkit.images import picture_files, read_image
from handkit.pipelines.agreement import Agreement, View, agree
from handkit.pipelines.build import pipeline
from handkit.pipelines.inputs import OnError
from handkit.pipelines.label_journal import Journal
from handkit.pipelines.nets import used_nets
from handkit.skeleton import HAND

Array = NDArray[Any]

#: Clockwise turns in degrees under which every photograph is labelled again.
TURNS = (90.0, 180.0, 270.0)
#: Labels are worth learning from above this quality.
MIN_QUALITY = 1 - GOOD_DISAGREEMENT


@dataclass(frozen=True)
class Labelled:
    """What a run has labelled.

    Args:
        photographs: that are listed in the file.
        without_hand: of them, those in which no hand was found.
        hands: found in all.
        good: of them, those of at least the least quality.
        skipped: photographs that could not be read, and why.
    """

    photographs: int
    without_hand: int
    hands: int
    good: int
    skipped: Mapping[str, str] = field(default_factory=dict)


def label_photographs(
    photos: Sequence[str | os.PathLike[str]],
    out: str | os.PathLike[str],
    model: str | Path | None = None,
    device: str | None = None,
    *,
    checkpoint: str | Path | None = None,
    cfg_options: Mapping[str, Any] | None = None,
    turns: Sequence[float] = TURNS,
    min_quality: float = MIN_QUALITY,
    on_error: OnError = "raise",
    overwrite: bool = False,
) -> Labelled:
    """Labels photographs and writes COCO keypoint JSON, layout ``coco`` (`handkit.datasets.layouts`).

    Each photograph is labelled as it is, mirrored, and turned; joints are the mean over the views that agree
    (`handkit.pipelines.agreement`). A hand of less than `min_quality` is written with ``iscrowd`` 1: no reader makes a
    sample of it, and no place where it is found counts as empty. A photograph without a hand is listed without
    annotation and is no negative. Until the file is written, ``OUT.partial`` holds what is done; the same call goes on
    from there.

    Args:
        photos: picture files, or folders with pictures in every depth. Sides are told as of un-mirrored photographs.
        out: the JSON file.
        model: a bundle or config of a hand pipeline, as `handkit.pipeline` takes it; None for the default.
        device: where networks run.
        checkpoint: the weights of the config's model.
        cfg_options: changes to the config by dotted key.
        turns: degrees, clockwise; () for none.
        min_quality: in [0, 1], see `Agreement.quality`.
        on_error: what happens to a photograph that cannot be read: 'raise', or 'skip' to leave it out.
        overwrite: replace `out`, and begin anew.

    Raises:
        DataError: no photograph, no hand in any, none that is good enough, or `out` exists.
        ImageError: a photograph that cannot be read.
        ConfigError: an option out of its range, or a mistake in the config.
    """
    _check(turns, min_quality, on_error)
    out = Path(out)
    if out.is_dir() or (out.exists() and not overwrite):
        raise DataError(
            f"{out}: is a folder; name a file" if out.is_dir() else f"{out}: exists; --overwrite replaces it"
        )
    files = _files(photos)
    predict = pipeline("hand_2d_keypoints", model, device, checkpoint=checkpoint, cfg_options=cfg_options)
    labeller = _Labeller(predict, tuple(turns))
    partial = out.with_name(out.name + ".partial")
    if overwrite:
        partial.unlink(missing_ok=True)
    journal = Journal(partial, labeller.settings())
    answers, skipped = _answers(files, labeller, journal, on_error)
    found = [hand for answer in answers.values() for hand in answer["hands"]]
    good = [hand for hand in found if hand["quality"] >= min_quality]
    _check_found(photos, answers, skipped, found, good, min_quality, partial)
    info = {"handkit_layout": "coco", "description": "pseudo-labels by handkit label", "min_quality": min_quality}
    document = _document(answers, out, min_quality)
    with writing(out, "w") as file:
        json.dump({"info": {**info, **labeller.describe()}, **document}, file)
    partial.unlink()
    empty = sum(not answer["hands"] for answer in answers.values())
    return Labelled(len(answers), empty, len(found), len(good), skipped)


@dataclass(frozen=True)
class _Labeller:
    """A pipeline and the turns in which it sees every photograph."""

    predict: Any
    turns: tuple[float, ...]

    def __call__(self, photo: Path) -> dict[str, Any]:
        """The photograph's size and hands, as the journal keeps them."""
        limit = self.predict.load.max_pixels
        image = read_image(photo, max_pixels=limit)
        size = (image.shape[1], image.shape[0])
        views = [View.mirrored(size), *(View.turned(size, turn, limit) for turn in self.turns)]
        found, *others = self.predict([image, *(view.picture(image) for view in views)], channel_order="rgb")
        mirrored, *turned = (view.back(hands) for view, hands in zip(views, others, strict=True))
        return {"width": size[0], "height": size[1], "hands": _records(agree(found, mirrored, turned))}

    def describe(self) -> dict[str, Any]:
        """What the labels come from."""
        nets = [{"part": net.part, "net": net.name, "sha256": net.sha256()} for net in used_nets(self.predict.config)]
        return {"nets": nets, "turns": list(self.turns)}

    def settings(self) -> dict[str, Any]:
        """What the labels depend on."""
        return {"config": self.predict.config, **self.describe()}


def _records(hands: Agreement) -> list[dict[str, Any]]:
    """Per hand with a joint in the frame the fields of its annotation that no other hand decides."""
    records = []
    size = np.array(hands.image_size)
    for row in range(len(hands)):
        points = np.round(hands.keypoints[row], 3)
        inside = ((points >= -0.5) & (points <= size - 0.5)).all(-1)
        if not inside.any():
            continue
        x1, y1, x2, y2 = np.round(hand_box(points, hands.image_size), 3).tolist()
        record: dict[str, Any] = {
            "keypoints": [v for (x, y), i in zip(points.tolist(), inside, strict=True) for v in (x, y, 2 if i else 1)],
            "num_keypoints": int(inside.sum()),
            "bbox": [x1, y1, round(x2 - x1, 3), round(y2 - y1, 3)],
            "area": round((x2 - x1) * (y2 - y1), 3),
            "presence": _rounded(hands.presence[row]),
        }
        if hands.handedness[row] is not None:
            record["hand_side"] = hands.handedness[row]
            record["hand_side_score"] = _rounded(hands.handedness_scores[row])
        record["quality"] = _rounded(hands.quality[row])
        record["flip_disagreement"] = _rounded(hands.flip_disagreement[row])
        if hands.turn_disagreement is not None:
            record["turn_disagreement"] = _rounded(hands.turn_disagreement[row])
        records.append({**record, "agreeing_views": int(hands.views[row])})
    return records


def _answers(
    files: Sequence[tuple[Path, str]], labeller: Callable[[Path], dict[str, Any]], journal: Journal, on_error: OnError
) -> tuple[dict[tuple[Path, str], Any], dict[str, str]]:
    """Per photograph its answer, from the journal where that has one; and those that could not be read."""
    console = Console(stderr=True)
    answers: dict[tuple[Path, str], Any] = {}
    skipped: dict[str, str] = {}
    for photo, source in track(files, "photographs", console=console, disable=not console.is_terminal, transient=True):
        answer = journal.get(photo)
        if answer is None:
            try:
                answer = labeller(photo)
            except ImageError as error:
                if on_error == "raise":
                    raise
                skipped[str(photo)] = str(error).removeprefix(f"{photo}: ")
                continue
            journal.add(photo, answer)
        answers[photo, source] = answer
    return answers, skipped


def _document(answers: Mapping[tuple[Path, str], Any], out: Path, min_quality: float) -> dict[str, Any]:
    """The lists of a COCO JSON."""
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    folder = out.parent.resolve()
    for number, ((photo, source), answer) in enumerate(answers.items(), 1):
        name = Path(os.path.relpath(photo.parent.resolve() / photo.name, folder)).as_posix()
        size = {"width": answer["width"], "height": answer["height"]}
        images.append({"id": number, "file_name": name, **size, "source": source})
        for hand in answer["hands"]:
            ids = {"id": len(annotations) + 1, "image_id": number, "category_id": 1}
            annotations.append({**ids, "iscrowd": int(hand["quality"] < min_quality), **hand})
    bones = [[parent + 1, child + 1] for parent, child in HAND.edges]
    category = {"id": 1, "name": HAND.name, "keypoints": list(HAND.joints), "skeleton": bones}
    return {"categories": [category], "images": images, "annotations": annotations}


def _files(photos: Sequence[str | os.PathLike[str]]) -> list[tuple[Path, str]]:
    """Every photograph once, with its source: the folder below the named one that it lies in, or its own folder.

    Raises:
        DataError: nothing is named, or a folder holds no picture, or there is no such file.
    """
    found: dict[Path, tuple[Path, str]] = {}
    for name in map(Path, photos):
        if not name.exists():
            raise DataError(f"{name}: no such file or folder")
        for photo in picture_files(name) if name.is_dir() else [name]:
            below = photo.relative_to(name).parts[:-1] if name.is_dir() else ()
            source = below[0] if below else photo.resolve().parent.name
            found.setdefault(photo.resolve(), (photo, source))
    if not found:
        raise DataError("no photograph is named; name files or folders")
    return list(found.values())


def _check(turns: Sequence[float], min_quality: float, on_error: str) -> None:
    if not 0 <= min_quality <= 1:
        raise ConfigError(f"min_quality must lie in [0, 1], not {min_quality}")
    if on_error not in ("raise", "skip"):
        raise ConfigError(f"on_error must be 'raise' or 'skip', not {on_error!r}")
    for turn in turns:
        if not math.isfinite(turn) or turn % 360 == 0:
            raise ConfigError(f"a turn of {turn} degrees shows the same picture again; name others, or none")
    if len({turn % 360 for turn in turns}) < len(turns):
        raise ConfigError(
            f"turns of {', '.join(f'{turn:g}' for turn in turns)} degrees: one of them stands there twice"
        )


def _check_found(
    photos: Sequence[Any],
    answers: Mapping[Any, Any],
    skipped: Mapping[str, str],
    found: Sequence[Any],
    good: Sequence[Any],
    least: float,
    kept: Path,
) -> None:
    named = ", ".join(map(str, photos[:3])) + (", ..." if len(photos) > 3 else "")
    if not answers:
        kept.unlink()
        photo, reason = next(iter(skipped.items()))
        raise DataError(f"{named}: none of the photographs can be read; the first, {photo}: {reason}")
    if not found:
        kept.unlink()
        raise DataError(f"{named}: no hand is found in any of {len(answers)} photographs, so there is nothing to write")
    if not good:
        best = max(hand["quality"] for hand in found)
        raise DataError(
            f"{named}: of {len(found)} hands none reaches min_quality {least:g}, the best has {best:g}; call again "
            f"with a lower one, {kept} keeps what is done"
        )


def _rounded(value: Any) -> float:
    return round(float(value), 4)
