"""What every format is read into and written from."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from handkit.errors import DataError
from handkit.geometry import hand_box
from handkit.skeleton import HAND

Array = NDArray[Any]
Side = Literal["left", "right"]
SIDES: tuple[str, ...] = get_args(Side)


@dataclass(eq=False)
class LabelledHand:
    """One hand. Coordinates have integers at pixel centres.

    Args:
        joints: (21, 3) x, y, v in handkit's order; v is 0 not labelled, 1 hidden, 2 visible.
        box: (4,) xyxy; None: the file has none.
        side: the person's own in a photograph that is not mirrored; None unknown.
        crowd: a group of hands that are not told apart.
        extra: what else a COCO annotation says.
    """

    joints: Array
    box: Array | None = None
    side: str | None = None
    crowd: bool = False
    extra: dict[str, Any] = field(default_factory=dict)

    def some_box(self, size: tuple[int, int]) -> Array:
        """The box; without one handkit's hand box, that of the joints x 1.15, of which one must be labelled."""
        if self.box is not None:
            return self.box
        return np.asarray(hand_box(self.joints[self.joints[:, 2] > 0, :2], size), np.float64)


@dataclass(eq=False)
class LabelledImage:
    """One image and its hands.

    Args:
        name: its file, relative to the folder of the pictures, with forward slashes.
        size: (width, height).
        hands: of it.
        source: where it was collected; '' unknown.
        drawn: (M, 4) xyxy boxes that people drew around hands, apart from those of the hands.
        extra: what else a COCO image says.
    """

    name: str
    size: tuple[int, int]
    hands: list[LabelledHand] = field(default_factory=list)
    source: str = ""
    drawn: Array = field(default_factory=lambda: np.zeros((0, 4)))
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass(eq=False)
class Labels:
    """A file's images, and what else it holds.

    Args:
        images: in the file's order.
        notes: what was assumed or changed while it was read.
        extra: other top-level entries of a COCO file.
    """

    images: list[LabelledImage]
    notes: list[str] = field(default_factory=list)
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def hands(self) -> list[LabelledHand]:
        """All hands."""
        return [hand for image in self.images for hand in image.hands]


class Lost:
    """Counts what a format cannot hold."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def add(self, what: str, count: int = 1) -> None:
        """Notes a loss, if there is one."""
        if count:
            self._counts[what] += count

    def extras(self, labels: Labels) -> None:
        """Notes the fields that COCO alone keeps."""
        for name in labels.extra:
            self.add(f"the top-level entry {name!r}")
        for image in labels.images:
            self.add("the source of images", int(bool(image.source)))
            for name in image.extra:
                self.add(f"the field {name!r} of images")
        for hand in labels.hands:
            for name in hand.extra:
                self.add(f"the field {name!r} of annotations")

    def lines(self) -> list[str]:
        """One line per kind of loss."""
        return [what if count == 1 else f"{what}: {count} times" for what, count in self._counts.items()]


def boxed_hands(image: LabelledImage, lost: Lost) -> list[LabelledHand]:
    """The hands that have a box or a joint to put one around; the others are noted as left out."""
    hands = [hand for hand in image.hands if hand.box is not None or (hand.joints[:, 2] > 0).any()]
    lost.add("hands without a box and without a labelled joint, which are left out", len(image.hands) - len(hands))
    return hands


def joint_order(names: object, where: str) -> Array:
    """The places in a file's list of joint names at which handkit's joints stand.

    Raises:
        DataError: they are not the 21 names, in whatever order.
    """
    if not isinstance(names, (list, tuple)) or sorted(map(str, names)) != sorted(HAND.joints):
        strange = [str(name) for name in names if name not in HAND.joints] if isinstance(names, (list, tuple)) else []
        raise DataError(
            f"{where}: the joints are not named as handkit's are, so their order cannot be checked"
            f"{': unknown ' + ', '.join(strange[:4]) if strange else ''}; rename them to {', '.join(HAND.joints)}"
        )
    return np.array([list(names).index(joint) for joint in HAND.joints])


def check_joints(joints: Array, where: str) -> Array:
    """(21, 3) as it is, if it can be a hand.

    Raises:
        DataError: another shape, a coordinate that is not finite, or v other than 0, 1 and 2.
    """
    if joints.shape != (len(HAND), 3):
        raise DataError(f"{where}: a hand has {len(HAND)} joints of x, y, v, not the shape {joints.shape}")
    if not np.isfinite(joints).all() or not np.isin(joints[:, 2], (0, 1, 2)).all():
        raise DataError(f"{where}: joints must be finite and v must be 0, 1 or 2")
    return joints
