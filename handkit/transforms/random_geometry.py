"""What TopDownAffine is to do: mirror, scale, turn and shift, drawn here and done there in one warp."""

from __future__ import annotations

import math
from typing import ClassVar, Literal

import numpy as np

from handkit.errors import ConfigError, DataError, did_you_mean
from handkit.geometry import upright_turns
from handkit.registry import TRANSFORMS
from handkit.skeleton import HAND, SKELETONS
from handkit.transforms.base import Sample
from handkit.transforms.draws import (
    DISTRIBUTIONS,
    Distribution,
    check_at_least_0,
    check_range,
    check_shares,
    generator,
    spread,
)


@TRANSFORMS.register_module()
class TopDownRandomFlip:
    """Mirrors the crop left to right, by chance; with it the hand's side swaps.

    The order of a hand's joints stays. Points of other things, e.g. of faces, change places as the sample's ``mirror``
    says.

    Args:
        flip_prob: how often.

    Raises:
        ConfigError: no probability.
    """

    stage: ClassVar[Literal["image"]] = "image"

    def __init__(self, flip_prob: float = 0.5) -> None:
        check_shares(self, flip_prob=flip_prob)
        self.flip_prob = flip_prob

    def __call__(self, sample: Sample) -> Sample:
        """Toggles `flip`; with `mirror` the rows of `keypoints` and `visible` change places."""
        drawn = bool(generator(sample, self).random() < self.flip_prob)
        flipped: Sample = {**sample, "flip": bool(sample.get("flip", False)) != drawn}
        if drawn and "mirror" in sample:
            order = sample["mirror"]
            flipped |= {key: sample[key][order] for key in ("keypoints", "visible") if key in sample}
        return flipped


@TRANSFORMS.register_module()
class TopDownGetRandomScaleRotation:
    """Scales the region that is cut out, and turns it.

    The published recipes for hands: ``TopDownGetRandomScaleRotation()`` is mmpose 1.x's (scale 0.7-1.3, rotate 180,
    p 0.6), ``distribution='clipped_normal'`` with the same numbers is mmpose 0.x's and EasyCV's (scale_factor 0.3,
    rot_factor 90: half of our `rotate_factor`). ``distribution='uniform'`` covers the full circle evenly.

    Args:
        scale_factor: least and largest scale of the region; above 1 the hand gets smaller.
        scale_prob: how often it is scaled.
        rotate_factor: largest turn in degrees, either way.
        rotate_prob: how often it is turned.
        distribution: between the limits: 'truncnorm', a normal whose deviation is half the range, drawn until it
            falls inside; 'clipped_normal', the scale with that deviation and the turn with a deviation of
            `rotate_factor` / 2, clipped to the limits; or 'uniform'.

    Raises:
        ConfigError: limits out of order, no probability, or an unknown distribution.
    """

    stage: ClassVar[Literal["image"]] = "image"

    def __init__(
        self,
        scale_factor: tuple[float, float] = (0.7, 1.3),
        scale_prob: float = 1.0,
        rotate_factor: float = 180.0,
        rotate_prob: float = 0.6,
        distribution: Distribution = "truncnorm",
    ) -> None:
        check_range(self, "scale_factor", scale_factor, 1e-3)
        check_at_least_0(self, rotate_factor=rotate_factor)
        check_shares(self, scale_prob=scale_prob, rotate_prob=rotate_prob)
        _check_distribution(self, distribution)
        self.scale_factor = (float(scale_factor[0]), float(scale_factor[1]))
        self.scale_prob = scale_prob
        self.rotate_factor = rotate_factor
        self.rotate_prob = rotate_prob
        self.distribution: Distribution = distribution

    def __call__(self, sample: Sample) -> Sample:
        """Multiplies `scale` and adds to `rotation`."""
        scales, size, turns, turn = generator(sample, self).random(4).tolist()
        low, high = self.scale_factor
        scale, angle = 1.0, 0.0
        if scales < self.scale_prob:
            scale = (low + high) / 2 + (high - low) / 2 * spread(size, self.distribution)
        if turns < self.rotate_prob:
            angle = math.radians(self.rotate_factor) * spread(turn, self.distribution, sigma=0.5)
        return {
            **sample,
            "scale": float(sample.get("scale", 1.0)) * scale,
            "rotation": float(sample.get("rotation", 0.0)) + angle,
        }


@TRANSFORMS.register_module()
class TopDownRandomUpright:
    """Turns the region that is cut out so that the hand stands upright, by chance, whatever turned it before.

    For networks that are asked with ``second_look``: of what they learn from a share is as the second look shows it.

    Args:
        upright_prob: how often.
        rotate_sigma: degrees by which it misses, the deviation of a normal: the second look turns by what the first
            took for upright.
        skeleton: whose `upright` line is turned, by its name in `handkit.skeleton.SKELETONS`.

    Raises:
        ConfigError: no probability, a negative deviation, or an unknown skeleton.
    """

    stage: ClassVar[Literal["image"]] = "image"

    def __init__(self, upright_prob: float = 0.5, rotate_sigma: float = 0.0, skeleton: str = HAND.name) -> None:
        check_shares(self, upright_prob=upright_prob)
        check_at_least_0(self, rotate_sigma=rotate_sigma)
        if skeleton not in SKELETONS:
            raise ConfigError(f"TopDownRandomUpright: no skeleton {skeleton!r}; {did_you_mean(skeleton, SKELETONS)}")
        self.upright_prob = upright_prob
        self.rotate_sigma = rotate_sigma
        self.skeleton = SKELETONS[skeleton]

    def __call__(self, sample: Sample) -> Sample:
        """Sets `rotation`; without `keypoints`, or where one of the two joints is not labelled, nothing is done.

        Raises:
            DataError: `keypoints` of another skeleton.
        """
        draws = generator(sample, self)
        drawn, missed = draws.random() < self.upright_prob, draws.normal(0.0, math.radians(self.rotate_sigma))
        if not drawn or "keypoints" not in sample:
            return sample
        points = np.asarray(sample["keypoints"], np.float64)
        if len(points) != len(self.skeleton):
            raise DataError(
                f"TopDownRandomUpright: {len(points)} joints are none of the skeleton {self.skeleton.name!r}, which "
                f"has {len(self.skeleton)}"
            )
        ends = list(self.skeleton.upright)
        if "visible" in sample and not np.asarray(sample["visible"])[ends].all():
            return sample
        return {**sample, "rotation": float(upright_turns(*points[ends]) + missed)}


@TRANSFORMS.register_module()
class TopDownRandomShift:
    """Moves the centre of the region that is cut out.

    Args:
        shift_factor: furthest move along each axis, in shares of the padded box's width and height.
        shift_prob: how often it is moved.
        distribution: of the move along each axis: 'truncnorm' as in mmpose 1.x, 'uniform' as in mmpose 0.x, or
            'clipped_normal', a normal whose deviation is `shift_factor`, clipped to it.

    Raises:
        ConfigError: a negative factor, no probability, or an unknown distribution.
    """

    stage: ClassVar[Literal["image"]] = "image"

    def __init__(
        self, shift_factor: float = 0.16, shift_prob: float = 0.3, distribution: Distribution = "truncnorm"
    ) -> None:
        check_at_least_0(self, shift_factor=shift_factor)
        check_shares(self, shift_prob=shift_prob)
        _check_distribution(self, distribution)
        self.shift_factor = shift_factor
        self.shift_prob = shift_prob
        self.distribution: Distribution = distribution

    def __call__(self, sample: Sample) -> Sample:
        """Adds to `shift`."""
        shifts, *moves = generator(sample, self).random(3).tolist()
        if shifts >= self.shift_prob:
            return sample
        drawn = [self.shift_factor * spread(move, self.distribution) for move in moves]
        return {**sample, "shift": np.asarray(sample.get("shift", (0.0, 0.0)), np.float64) + drawn}


def _check_distribution(transform: object, distribution: str) -> None:
    if distribution not in DISTRIBUTIONS:
        raise ConfigError(
            f"{type(transform).__name__}: distribution must be one of {', '.join(DISTRIBUTIONS)}, not {distribution!r}"
        )
