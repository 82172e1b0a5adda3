"""Joints of rendered hands that do a known gesture, to learn gestures from without rendering anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from handkit.datasets.synthetic.sampling import SceneSampler
from handkit.datasets.synthetic.sources import capsule, makehuman

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


def gesture_joints(
    count: int,
    seed: int = 0,
    source: Literal["capsule", "makehuman"] = "makehuman",
    poses: Mapping[str, Sequence[str]] = GESTURE_POSES,
) -> tuple[Array, Array]:
    """Hands as `HandSynth` draws them, seen from anywhere, with noise in every joint.

    Args:
        count: hands of each class.
        seed: another seed, other hands.
        source: whose bones, see `HandSynth`.
        poses: per class the poses of `GESTURES` to choose from.

    Returns:
        (N, 21, 2) pixels of pictures of 256 x 256, and (N,) indices into `poses`.

    Raises:
        DataError: see `sources.makehuman`.
    """
    made = makehuman(None) if source == "makehuman" else capsule()
    sampler = SceneSampler(made.arm, made.flesh, (256, 256))
    points = []
    for number, names in enumerate(poses.values()):
        for index in range(count):
            rng = np.random.default_rng([seed, number, index])
            points.append(sampler.joints(rng, names[index % len(names)])[0])
    return np.array(points, np.float32).reshape(-1, 21, 2), np.repeat(np.arange(len(poses)), count)
