"""Something for a posed hand to hold: its place and size follow from where the joints are."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from handkit.datasets.synthetic.shading import unit
from handkit.datasets.synthetic.things import Kind

Array = NDArray[Any]
#: Form, axes (3, 3), centre (3,) and half extents (3,) in the hand's frame, metres.
Grip = tuple[Kind, Array, Array, Array]

_MM = 1e-3
# How deep joints lie under the skin of fingers.
_FLESH = 9 * _MM
_LARGEST = 42 * _MM


def grip(rng: np.random.Generator, joints: Array) -> Grip:
    """What would fit between the fingers of a right hand.

    Curled fingers close around a cylinder or a ball, a pinch holds a pen, and a flat hand carries a slab.

    Args:
        rng: chooses among what fits.
        joints: (21, 3) posed, in the hand's frame.
    """
    fingers = joints[5:].reshape(4, 4, 3)
    axis = unit(fingers[0, :2].mean(0) - fingers[3, :2].mean(0))
    centre, radius = _inscribed(fingers, axis)
    apart = float(np.linalg.norm(joints[4] - joints[8]))
    if apart < 40 * _MM and (radius < 10 * _MM or rng.random() < 0.6):
        return _pen(rng, joints)
    if 9 * _MM <= radius < _LARGEST + 10 * _MM:
        return _around(rng, axis, centre, min(radius, _LARGEST), fingers)
    if radius < 9 * _MM:
        return "cylinder", _frame(axis, fingers), centre, np.array([4.5, rng.uniform(60, 110), 4.5]) * _MM
    return _slab(rng, fingers, axis)


def _inscribed(fingers: Array, axis: Array) -> tuple[Array, float]:
    """Centre and radius of the cylinder about `axis` that the fingers touch: the circle nearest to their joints."""
    points = fingers.reshape(-1, 3)
    across = np.linalg.svd(np.eye(3) - np.outer(axis, axis))[0][:, :2]
    flat = points @ across
    # x^2 + y^2 = 2 a x + 2 b y + c (Kasa, "A circle fitting procedure and its error analysis", 1976).
    a, b, c = np.linalg.lstsq(np.column_stack([2 * flat, np.ones(len(flat))]), (flat**2).sum(1), rcond=None)[0]
    radius = float(np.sqrt(max(c + a * a + b * b, 0)))
    nearest = float(np.linalg.norm(flat - (a, b), axis=1).min())
    return across @ (a, b) + axis * (points @ axis).mean(), min(radius, nearest + 4 * _MM) - _FLESH


def _frame(axis: Array, fingers: Array) -> Array:
    """(3, 3) columns: along the first phalanges, along `axis`, and out of the back of the hand."""
    first = unit(fingers[:, 1].mean(0) - fingers[:, 0].mean(0))
    third = unit(np.cross(first, axis))
    return np.stack([np.cross(axis, third), axis, third], 1)


def _around(rng: np.random.Generator, axis: Array, centre: Array, radius: float, fingers: Array) -> Grip:
    frame = _frame(axis, fingers)
    choice = rng.random()
    if choice < 0.25:
        return "ball", frame, centre, np.full(3, radius)
    length = rng.uniform(45, 120) * _MM
    centre = centre + axis * rng.uniform(-0.4, 0.4) * length
    if choice < 0.7:
        return "cylinder", frame, centre, np.array([radius, length, radius])
    return "box", frame, centre, np.array([0.85 * radius, length, rng.uniform(0.35, 0.75) * radius])


def _pen(rng: np.random.Generator, joints: Array) -> Grip:
    tips = (joints[4] + joints[8]) / 2
    axis = unit(tips - (joints[5] + joints[2]) / 2 + rng.normal(0, 8 * _MM, 3))
    frame = _frame(axis, joints[5:].reshape(4, 4, 3))
    half, radius = rng.uniform(55, 80) * _MM, rng.uniform(3, 6) * _MM
    return "cylinder", frame, tips - axis * rng.uniform(0.0, 0.6) * half, np.array([radius, half, radius])


def _slab(rng: np.random.Generator, fingers: Array, axis: Array) -> Grip:
    """A telephone or a book that lies on the fingers' palmar side."""
    frame = _frame(axis, fingers)
    along, out = frame[:, 0], frame[:, 2] * np.sign(frame[2, 2] or 1.0)
    thickness = rng.uniform(3, 9) * _MM
    size = np.array([rng.uniform(30, 60) * _MM, rng.uniform(55, 80) * _MM, thickness])
    high = ((fingers.reshape(-1, 3) - fingers[:, 0].mean(0)) @ out).max()
    centre = fingers[:, 0].mean(0) + along * rng.uniform(0, 40) * _MM + out * (high + thickness + 7 * _MM)
    return "box", frame, centre, size
