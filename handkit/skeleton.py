"""The joints of a hand: names, bones, tolerances, the orders in which other data sets list them; the points of a face.

handkit's order is that of COCO-WholeBody's hands (Jin et al., ECCV 2020), which OneHand10K, FreiHAND, Panoptic,
OpenPose and MediaPipe share: the wrist, then thumb, forefinger, middle, ring and pinky finger, each from base to tip.
Mirroring an image leaves this order alone and swaps the hand's side.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from handkit.errors import DataError, did_you_mean


@dataclass(frozen=True)
class Skeleton:
    """A named set of joints.

    Args:
        name: how configs call it.
        joints: K joint names, in order.
        edges: pairs of joint indices (parent, child) that are bones.
        sigmas: K per-joint constants of OKS, or () where none are published.
        colors: K RGB colours for drawing.
        upright: the two joints (from, to) whose line points straight up when the hand is not turned.
        mirror: K indices: joint k of a mirrored picture is joint mirror[k] of the picture; () where the order stays.
    """

    name: str
    joints: tuple[str, ...]
    edges: tuple[tuple[int, int], ...]
    sigmas: tuple[float, ...] = ()
    colors: tuple[tuple[int, int, int], ...] = ()
    upright: tuple[int, int] = (0, 1)
    mirror: tuple[int, ...] = ()

    def __len__(self) -> int:
        return len(self.joints)


_BASES = (1, 5, 9, 13, 17)
_FINGERS = ("thumb", "forefinger", "middle_finger", "ring_finger", "pinky_finger")
_FINGER_COLORS = ((255, 128, 0), (255, 153, 255), (102, 178, 255), (255, 51, 51), (0, 255, 0))

#: The 21 joints of one hand. Sigmas: COCO-WholeBody's, the same for left and right.
HAND = Skeleton(
    name="hand",
    joints=("wrist", *(f"{finger}{joint}" for finger in _FINGERS for joint in (1, 2, 3, 4))),
    edges=tuple((base + joint - 1 if joint else 0, base + joint) for base in _BASES for joint in range(4)),
    sigmas=(
        *(0.029, 0.022, 0.035, 0.037, 0.047, 0.026, 0.025, 0.024, 0.035, 0.018, 0.024),
        *(0.022, 0.026, 0.017, 0.021, 0.021, 0.032, 0.02, 0.019, 0.022, 0.031),
    ),
    colors=((255, 255, 255), *(color for color in _FINGER_COLORS for _ in range(4))),
    upright=(0, 9),
)

#: The lines of a face in WFLW's order: name, number of points, whether it is closed, colour.
_FACE_LINES = (
    ("contour", 33, False, (255, 255, 255)),
    ("right_eyebrow", 9, True, (255, 128, 0)),
    ("left_eyebrow", 9, True, (255, 153, 255)),
    ("nose_bridge", 4, False, (102, 178, 255)),
    ("nose_base", 5, False, (102, 178, 255)),
    ("right_eye", 8, True, (255, 128, 0)),
    ("left_eye", 8, True, (255, 153, 255)),
    ("outer_mouth", 12, True, (255, 51, 51)),
    ("inner_mouth", 8, True, (0, 255, 0)),
    ("right_pupil", 1, False, (255, 255, 0)),
    ("left_pupil", 1, False, (255, 255, 0)),
)


def _face_edges() -> Iterator[tuple[int, int]]:
    first = 0
    for _, count, closed, _ in _FACE_LINES:
        yield from ((first + point, first + point + 1) for point in range(count - 1))
        if closed:
            yield first + count - 1, first
        first += count


#: The 98 points of a face of WFLW (Wu et al., Look at Boundary, CVPR 2018); sides are the person's own.
WFLW = Skeleton(
    name="wflw",
    joints=tuple(f"{name}{point}" for name, count, _, _ in _FACE_LINES for point in range(count)),
    edges=tuple(_face_edges()),
    colors=tuple(color for _, count, _, color in _FACE_LINES for _ in range(count)),
    upright=(16, 51),
    mirror=(
        *range(32, -1, -1),
        *(*range(46, 41, -1), *range(50, 46, -1), *range(37, 32, -1), *range(41, 37, -1)),
        *(51, 52, 53, 54, *range(59, 54, -1)),
        *(*range(72, 67, -1), *range(75, 72, -1), *range(64, 59, -1), *range(67, 64, -1)),
        *(*range(82, 75, -1), *range(87, 82, -1), *range(92, 87, -1), *range(95, 92, -1), 97, 96),
    ),
)

SKELETONS: dict[str, Skeleton] = {HAND.name: HAND, WFLW.name: WFLW}

#: ``points[..., ORDERS[source], :]`` brings a source's 21 joints into handkit's order.
ORDERS: dict[str, tuple[int, ...]] = {
    "coco_wholebody_hand": tuple(range(21)),
    # RHD lists the wrist, then each finger from tip to base.
    "rhd": (0, *(base + joint for base in _BASES for joint in (3, 2, 1, 0))),
    # InterHand2.6M lists each finger from tip to base, then the wrist.
    "interhand": (20, *(base + joint for base in (0, 4, 8, 12, 16) for joint in (3, 2, 1, 0))),
}


def from_order(values: NDArray[Any], source: str, axis: int = -2) -> NDArray[Any]:
    """Reorders the joints along `axis` from a source's order into handkit's.

    Raises:
        DataError: the source is unknown, or the axis does not hold 21 joints.
    """
    return _reorder(values, source, axis, np.array(_order(source)))


def to_order(values: NDArray[Any], source: str, axis: int = -2) -> NDArray[Any]:
    """The inverse of `from_order`: from handkit's order into a source's."""
    return _reorder(values, source, axis, np.argsort(_order(source)))


def _order(source: str) -> tuple[int, ...]:
    if source not in ORDERS:
        raise DataError(f"no joint order is known as {source!r}; {did_you_mean(source, ORDERS)}")
    return ORDERS[source]


def _reorder(values: NDArray[Any], source: str, axis: int, index: NDArray[Any]) -> NDArray[Any]:
    if values.shape[axis] != len(index):
        raise DataError(f"{source}: expected {len(index)} joints on axis {axis}, got the shape {values.shape}")
    return np.take(values, index, axis=axis)
