"""What is with a hand, by chance: jewellery, polish, things held, things in front."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from handkit.datasets.synthetic.adornment import Band
from handkit.datasets.synthetic.arm import BONES, ELBOW
from handkit.datasets.synthetic.grasp import grip
from handkit.datasets.synthetic.skin import Skin
from handkit.datasets.synthetic.things import Kind, Thing

Array = NDArray[Any]
_Color = tuple[float, float, float]

#: How often a scene has something in front.
IN_FRONT = 0.08
#: Gestures that a holding hand is posed by.
HOLDING_GESTURES = ("claw", "curved", "grip", "grip", "pinch", "fist", "relaxed", "letter_c", "letter_o", "flat")
_RINGS, _WRISTWEAR, _POLISH, _PHOTOGRAPHED = 0.2, 0.2, 0.15, 0.5


@dataclass(frozen=True)
class Company:
    """How often a hand is not alone.

    Args:
        holding: the share of all hands that hold something.
        second: the share of all hands that hold nothing and have a second hand at them or beside them; both shares
            together are at most 1.
        clasping: the share of second hands that clasp the first.
        framed: the camera looks at both hands, not at the first alone.
    """

    holding: float
    second: float
    clasping: float = 0.0
    framed: bool = False


#: What `HandSynth` calls its companions.
COMPANY = {
    "some": Company(0.16, 0.15),
    "many": Company(0.45, 0.55, 0.7),
    "pairs": Company(0.3, 0.7, 0.7, framed=True),
}
#: Gestures that hands which clasp each other are posed by.
CLASPING_GESTURES = ("relaxed", "curved", "claw", "grip", "flat", "fist")

_MM = 1e-3
_METALS: tuple[_Color, ...] = ((0.88, 0.72, 0.4), (0.85, 0.85, 0.86), (0.86, 0.62, 0.5), (0.3, 0.3, 0.32))
_POLISHES: tuple[_Color, ...] = (
    (0.7, 0.05, 0.1),
    (0.85, 0.4, 0.5),
    (0.1, 0.1, 0.12),
    (0.9, 0.85, 0.8),
    (0.2, 0.3, 0.6),
)


class Extras:
    """Draws extras.

    Args:
        skins: names of photographed skins that half of the hands then have.
    """

    def __init__(self, skins: tuple[str, ...] = ()) -> None:
        self._skins = skins

    def skin(self, rng: np.random.Generator, skin: Skin) -> Skin:
        """The skin with polish or a photograph, sometimes."""
        if rng.random() < _POLISH:
            color = _POLISHES[rng.integers(len(_POLISHES))] if rng.random() < 0.6 else _color(rng)
            skin = replace(skin, polish=color)
        if self._skins and rng.random() < _PHOTOGRAPHED:
            skin = replace(skin, chart=self._skins[rng.integers(len(self._skins))])
        return skin

    def bands(self, rng: np.random.Generator) -> tuple[Band, ...]:
        """Rings, and one thing around the wrist, sometimes."""
        bands = []
        if rng.random() < _RINGS:
            bands += [_ring(rng, int(finger)) for finger in rng.permutation(range(1, 6))[: rng.choice((1, 1, 2, 3))]]
        if rng.random() < _WRISTWEAR:
            bands.append(_wristwear(rng))
        return tuple(bands)


def held_thing(rng: np.random.Generator, joints: Array) -> Thing:
    """Something that fits into a hand with these (21, 3) joints in the hand's frame."""
    kind, axes, centre, size = grip(rng, joints)
    return _thing(rng, kind, axes, centre, size, held=True)


def thing_in_front(rng: np.random.Generator, joints: Array) -> Thing:
    """A rod, a plate or a ball between the camera and (21, 3) joints in its frame, that hides some of them."""
    share = rng.uniform(0.45, 0.85)
    extent = float(np.ptp(joints[:, :2], axis=0).max()) * share
    centre = joints[rng.integers(21)] * share + rng.normal(0, 0.12 * extent, 3) * (1, 1, 0)
    axes = np.asarray(Rotation.from_quat(rng.standard_normal(4)).as_matrix())
    form = rng.random()
    if form < 0.45:
        return _thing(rng, "cylinder", axes, centre, np.array([rng.uniform(0.025, 0.08), 3, 0.05]) * extent, held=False)
    if form < 0.8:
        size = np.array([*rng.uniform(0.08, 0.35, 2), rng.uniform(0.01, 0.1)]) * extent
        return _thing(rng, "box", axes, centre, size, held=False)
    return _thing(rng, "ball", axes, centre, np.full(3, rng.uniform(0.08, 0.22) * extent), held=False)


def _thing(rng: np.random.Generator, kind: Kind, axes: Array, centre: Array, size: Array, *, held: bool) -> Thing:
    pattern = rng.choice(3, p=(0.55, 0.2, 0.25))
    dull = rng.random() < 0.6
    return Thing(
        kind=kind,
        rotation=axes,
        centre=centre,
        size=size,
        held=held,
        color=_color(rng),
        accent=_color(rng),
        pattern=float((0.0, 1.0, -1.0)[pattern] * rng.uniform(3, 25) * _MM),
        roughness=float(rng.uniform(0.5, 0.9) if dull else rng.uniform(0.15, 0.5)),
        mirror=float(0.03 if dull else rng.choice((0.04, 0.06, 0.4))),
        seed=float(rng.uniform(0, 64)),
    )


def _ring(rng: np.random.Generator, finger: int) -> Band:
    return Band(
        bone=BONES.index(f"finger{finger}-1" if finger > 1 else "finger1-2"),
        place=float(rng.uniform(0.45, 0.62)),
        half=float(rng.uniform(1.0, 3.5) * _MM),
        height=float(rng.uniform(0.8, 1.6) * _MM),
        color=_METALS[rng.integers(len(_METALS))],
        roughness=float(rng.uniform(0.2, 0.4)),
        mirror=float(rng.uniform(0.3, 0.6)),
    )


def _wristwear(rng: np.random.Generator) -> Band:
    metal = rng.random() < 0.4
    watch = rng.random() < 0.5
    return Band(
        bone=ELBOW,
        place=float(rng.uniform(8, 30) * _MM),
        half=float((rng.uniform(7, 11) if watch else np.exp(rng.uniform(np.log(1.5), np.log(14)))) * _MM),
        height=float(rng.uniform(1, 3) * _MM),
        color=_METALS[rng.integers(len(_METALS))] if metal else _color(rng),
        roughness=0.3 if metal else float(rng.uniform(0.4, 0.8)),
        mirror=float(rng.uniform(0.25, 0.5)) if metal else 0.04,
        dial=float(rng.uniform(14, 21) * _MM) if watch else 0.0,
        dial_color=_color(rng),
    )


def _color(rng: np.random.Generator) -> _Color:
    value, tint = rng.beta(1.2, 1.2), rng.beta(1, 2)
    red, green, blue = np.clip(value * (1 + tint * rng.uniform(-1, 1, 3)), 0.02, 0.97).tolist()
    return red, green, blue
