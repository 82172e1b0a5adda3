"""Joints of rendered hands that do a known gesture, to learn gestures from without rendering anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from handkit.datasets.gesture_hands import GestureJoints, Part, part_rows
from handkit.datasets.synthetic.sampling import SceneSampler
from handkit.datasets.synthetic.sources import capsule, makehuman
from handkit.errors import ConfigError, did_you_mean
from handkit.registry import DATASETS

Array = NDArray[Any]
#: Classes by name, and the poses of `GESTURES` that show each. Digits are those of American Sign Language.
GESTURE_POSES: dict[str, tuple[str, ...]] = {
    "zero": ("letter_o",),
    "one": ("point",),
    "two": ("two",),
    "three": ("three_thumb",),
    "four": ("four",),
    "five": ("open", "spread"),
    "six": ("six",),
    "seven": ("seven",),
    "eight": ("eight",),
    "nine": ("ring",),
    "fist": ("fist", "letter_a"),
    "thumb": ("thumb_up",),
    "gun": ("gun",),
    "call": ("call",),
    "horns": ("horns",),
    "love": ("love",),
}


@DATASETS.register_module()
class RenderedGestures(GestureJoints):
    """Hands as `HandSynth` draws them, each doing a known gesture, seen from anywhere; their joints alone.

    See `GestureJoints` for its samples. Of the source 'makehuman' a hand takes 7 milliseconds, once.

    Args:
        classes: names of `GESTURE_POSES`, in the network's order.
        count: hands of each class.
        seed: another seed, other hands, and others of them are held out.
        source: whose bones, see `HandSynth`.
        part: 'all' hands, those to learn from ('train'), or those that are held out ('val').
        held_out: share of each class that is held out, at least one hand.

    Raises:
        ConfigError: an unknown class, fewer than two, another part, share or source.
        DataError: fewer hands of a class than are needed, or see `sources.makehuman`.
    """

    def __init__(
        self,
        classes: Sequence[str],
        count: int = 400,
        seed: int = 0,
        source: Literal["capsule", "makehuman"] = "makehuman",
        part: Part = "all",
        held_out: float = 0.2,
    ) -> None:
        for name in classes:
            if name not in GESTURE_POSES:
                raise ConfigError(f"no gesture {name!r} is rendered; {did_you_mean(name, GESTURE_POSES)}")
        labels = np.repeat(np.arange(len(classes)), max(count, 0))
        rows = part_rows(labels, classes, part, held_out, seed)
        poses = {name: GESTURE_POSES[name] for name in classes}
        points, labels = gesture_joints(count, seed, source, poses, rows)
        names = [f"{classes[row // count]}_{row % count}" for row in rows]
        super().__init__(points, labels, names, classes)


def gesture_joints(
    count: int,
    seed: int = 0,
    source: Literal["capsule", "makehuman"] = "makehuman",
    poses: Mapping[str, Sequence[str]] = GESTURE_POSES,
    rows: Array | None = None,
) -> tuple[Array, Array]:
    """Joints of hands that do known gestures, with noise in every joint.

    Args:
        count: hands of each class.
        seed: another seed, other hands.
        source: whose bones, see `HandSynth`.
        poses: per class the poses of `GESTURES` to choose from.
        rows: which of the count x C hands, class by class, are made; None: all.

    Returns:
        (N, 21, 2) pixels of pictures of 256 x 256, and (N,) indices into `poses`.

    Raises:
        ConfigError: another source.
        DataError: see `sources.makehuman`.
    """
    if source not in ("makehuman", "capsule"):
        raise ConfigError(f"source must be makehuman or capsule, not {source}")
    made = makehuman(None) if source == "makehuman" else capsule()
    sampler = SceneSampler(made.arm, made.flesh, (256, 256))
    names = list(poses.values())
    rows = np.arange(count * len(names)) if rows is None else rows
    points = []
    for row in rows.tolist():
        number, index = divmod(row, count)
        rng = np.random.default_rng([seed, number, index])
        points.append(sampler.joints(rng, names[number][index % len(names[number])])[0])
    return np.array(points, np.float32).reshape(-1, 21, 2), rows // max(count, 1)
