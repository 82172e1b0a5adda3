"""The pipeline of `hand_gesture`: `Hands` with names of what they do; and joints of photographs sorted by gesture."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from handkit.datasets.gesture_hands import write_gestures
from handkit.errors import DataError
from handkit.gestures.classifier import GestureClassifier
from handkit.hands import Hands
from handkit.pipelines.inputs import BadInput
from handkit.pipelines.keypoints import HandKeypoints

Array = NDArray[Any]
_PICTURES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp"})


@dataclass(frozen=True)
class HandGestures:
    """Call it as `HandKeypoints`; the `Hands` it answers have `gestures` and `gesture_scores`.

    Args:
        keypoints: finds the hands and their joints.
        classifier: names them.
    """

    keypoints: HandKeypoints
    classifier: GestureClassifier

    @property
    def config(self) -> Mapping[str, Any]:
        """The resolved config."""
        return self.keypoints.config

    def __call__(self, inputs: Any, boxes: Any = None, **options: Any) -> Any:
        """Finds and names the hands of one image, a list, or a generator of images; see `HandKeypoints`."""
        answers = self.keypoints(inputs, boxes, **options)
        if isinstance(answers, (Hands, BadInput)):
            return self._named(answers)
        if isinstance(answers, list):
            return [self._named(answer) for answer in answers]
        return (self._named(answer) for answer in answers)

    def _named(self, answer: Hands | BadInput) -> Hands | BadInput:
        if isinstance(answer, BadInput):
            return answer
        names, scores = self.classifier(answer.keypoints)
        return replace(answer, gestures=names, gesture_scores=scores)


@dataclass(frozen=True)
class SortedJoints:
    """Joints of photographs that were sorted into a folder per gesture.

    Args:
        points: (N, 21, 2) pixels of the best hand of each photograph.
        gestures: N names.
        files: N photographs, relative to `root`.
        sizes: their N (width, height).
        classes: the folders' names, sorted.
        without_hand: photographs in which no hand was found.
        unreadable: those that could not be read, and why.
        root: the folder of those folders.
    """

    points: Array
    gestures: tuple[str, ...]
    files: tuple[str, ...]
    sizes: tuple[tuple[int, int], ...]
    classes: tuple[str, ...]
    without_hand: tuple[Path, ...]
    unreadable: tuple[BadInput, ...]
    root: Path

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes them as `handkit.datasets.GestureHands` reads them, the photographs relative to the file's folder."""
        root, folder = self.root.resolve(), Path(path).parent.resolve()
        files = [Path(os.path.relpath(root / name, folder)).as_posix() for name in self.files]
        write_gestures(path, self.points, self.gestures, files, self.sizes)


def sorted_pictures(folder: str | os.PathLike[str], least: int = 1) -> dict[str, list[Path]]:
    """The photographs in the folders of a folder, by the folders' sorted names, which are the gestures'.

    Args:
        folder: with one folder of pictures for each gesture.
        least: pictures that each must have.

    Raises:
        DataError: there is no such folder, fewer than two gestures, or a gesture with too few pictures.
    """
    root = Path(folder)
    if not root.is_dir():
        raise DataError(f"{root}: there is no such folder")
    classes = sorted(path for path in root.iterdir() if path.is_dir() and not path.name.startswith("."))
    if len(classes) < 2:
        raise DataError(f"{root}: has {len(classes)} folders; put the photographs of each gesture into one")
    pictures = {path.name: sorted(_pictures(path)) for path in classes}
    few = [f"{name} has {len(files)}" for name, files in pictures.items() if len(files) < least]
    if few:
        kinds = ", ".join(sorted(_PICTURES))
        raise DataError(f"{root}: each folder needs at least {least} pictures ({kinds}), but {', '.join(few)}")
    return pictures


def read_sorted(
    folder: str | os.PathLike[str], pipe: Callable[..., Any], report: Callable[[str, int, int, int], None] | None = None
) -> SortedJoints:
    """Joints of the photographs in the folders of a folder, whose names are the gestures'.

    Args:
        folder: see `sorted_pictures`.
        pipe: finds hands: `HandKeypoints`.
        report: told of each class: its name, its photographs, those with a hand, and those that cannot be read.

    Raises:
        DataError: see `sorted_pictures`; a gesture of which no hand was found.
    """
    root = Path(folder)
    pictures = sorted_pictures(root)
    hands: list[tuple[Array, str, str, tuple[int, int]]] = []
    without: list[Path] = []
    bad: list[BadInput] = []
    for name, files in pictures.items():
        known, bad_before = len(hands), len(bad)
        for file, answer in zip(files, pipe([str(file) for file in files], on_error="skip"), strict=True):
            if isinstance(answer, BadInput):
                bad.append(answer)
            elif len(answer) > 0:
                hands.append((answer.keypoints[0], name, file.relative_to(root).as_posix(), answer.image_size))
            else:
                without.append(file)
        unread = len(bad) - bad_before
        if report is not None:
            report(name, len(files), len(hands) - known, unread)
        if len(hands) == known:
            reason = f"; {unread} cannot be read, e.g. {bad[-1].name}: {bad[-1].reason}" if unread else ""
            raise DataError(f"{root / name}: in none of its {len(files)} pictures a hand was found{reason}")
    points, gestures, names, sizes = zip(*hands, strict=True)
    return SortedJoints(np.array(points), gestures, names, sizes, tuple(pictures), tuple(without), tuple(bad), root)


def _pictures(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.suffix.lower() in _PICTURES and path.is_file())
