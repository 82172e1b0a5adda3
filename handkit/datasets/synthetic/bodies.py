"""What makes a picture of hands one of people, and what may be taken for a hand: bodies, and skin that is no hand."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from handkit.datasets.synthetic.scene import Camera
from handkit.datasets.synthetic.shading import unit
from handkit.datasets.synthetic.skin import Skin, linear_to_srgb, tones
from handkit.datasets.synthetic.things import Kind, Thing

Array = NDArray[Any]
_Color = tuple[float, float, float]

# Half extents of ellipsoids in metres.
_TRUNK, _SHOULDER, _HEAD = np.array([0.2, 0.33, 0.13]), np.array([0.1, 0.09, 0.09]), np.array([0.075, 0.11, 0.095])
# Where the trunk's and the head's middle lie from a shoulder, in metres towards the other shoulder and up.
_TO_TRUNK, _TO_HEAD = (0.13, -0.2), (0.16, 0.24)


def body(rng: np.random.Generator, shoulder: Array, arm: Array, skin: Skin, cloth: _Color) -> tuple[Thing, ...]:
    """A trunk and the round of a shoulder that hides where the arm ends, a head, and hair.

    Args:
        rng: how the person stands and what hair it has.
        shoulder: (3,) metres in the camera's frame.
        arm: (3,) from there to the hand.
        skin: the person's.
        cloth: sRGB of what it wears.
    """
    lean = np.radians(rng.normal(0, 15) if rng.random() < 0.85 else rng.uniform(-180, 180))
    up = np.array([np.sin(lean), -np.cos(lean), 0.0])
    inward = np.array([-up[1], up[0], 0.0])
    # Arms mostly hang or reach away from the trunk.
    inward *= -np.sign(arm @ inward or 1.0) * (1 if rng.random() < 0.85 else -1)
    axes = np.stack([inward, -up, np.cross(inward, -up)], 1) @ Rotation.from_euler("y", rng.normal(0, 0.25)).as_matrix()
    away = np.array([0, 0, 0.06])
    trunk = shoulder + away + _TO_TRUNK[0] * inward + _TO_TRUNK[1] * up
    head = shoulder + away + _TO_HEAD[0] * inward + _TO_HEAD[1] * up
    size = rng.uniform(0.9, 1.1, 3)
    hair = head + 0.03 * up + np.array([0, 0, rng.uniform(-0.01, 0.05)])
    return (
        _thing(rng, "ball", axes, trunk, _TRUNK * size, cloth),
        _thing(rng, "ball", axes, shoulder + 0.02 * unit(arm), _SHOULDER * size, cloth),
        _thing(rng, "ball", axes, head, _HEAD * size, skin_color(skin)),
        _thing(rng, "ball", axes, hair, _HEAD * size * 1.05, _hair(rng)),
    )


def blocks(things: tuple[Thing, ...], points: Array) -> bool:
    """Whether one of (N, 3) points lies in one of these ellipsoids, or one hides most of the points."""
    for thing in things:
        own, eye = ((p - thing.centre) @ thing.rotation / thing.size for p in (points, np.zeros(3)))
        if ((own**2).sum(1) < 1.05).any():
            return True
        # |eye + t (own - eye)| = 1 has a solution between the camera (t = 0) and the point (t = 1).
        way = own - eye
        a, b, c = (way**2).sum(1), way @ eye, eye @ eye - 1
        inside = b * b - a * c
        near = (-b - np.sqrt(np.maximum(inside, 0))) / a
        if ((inside > 0) & (near > 0) & (near < 1)).mean() > 0.5:
            return True
    return False


def skin_thing(rng: np.random.Generator, camera: Camera, skin: Skin, distance: float) -> Thing:
    """A face's or a leg's form in the colour of skin, somewhere in the frame, behind what is at a distance."""
    depth = distance + rng.uniform(0.15, 1.0)
    centre = camera.rays(rng.uniform(0, 1, 2) * camera.image_size) * depth
    pixels = max(camera.image_size) * np.exp(rng.uniform(np.log(0.03), np.log(0.25)))
    extent = min(pixels / camera.focal * depth, 0.6 * (depth - distance) + 0.05)
    axes = np.asarray(Rotation.from_quat(rng.standard_normal(4)).as_matrix())
    if rng.random() < 0.6:
        return _thing(rng, "ball", axes, centre, extent * rng.uniform(0.6, 1.0, 3), skin_color(skin))
    return _thing(rng, "cylinder", axes, centre, extent * np.array([0.3, rng.uniform(0.7, 1.5), 0.3]), skin_color(skin))


def skin_color(skin: Skin) -> _Color:
    """sRGB of a person's skin."""
    red, green, blue = linear_to_srgb(np.mean(tones(skin), axis=0)).tolist()
    return red, green, blue


def _hair(rng: np.random.Generator) -> _Color:
    value = rng.beta(1, 3)
    red, green, blue = np.clip(value * np.array([1.0, 0.8, 0.6]) + 0.03, 0, 0.8).tolist()
    return red, green, blue


def _thing(rng: np.random.Generator, kind: Kind, axes: Array, centre: Array, size: Array, color: _Color) -> Thing:
    accent = np.clip(np.array(color) * rng.uniform(0.9, 1.0), 0, 1).tolist()
    return Thing(
        kind=kind,
        rotation=unit(axes.T).T,
        centre=np.asarray(centre, float),
        size=np.asarray(size, float),
        held=False,
        color=color,
        accent=(accent[0], accent[1], accent[2]),
        pattern=float(-rng.uniform(0.01, 0.05)),
        roughness=float(rng.uniform(0.5, 0.9)),
        mirror=0.03,
        seed=float(rng.uniform(0, 64)),
    )
