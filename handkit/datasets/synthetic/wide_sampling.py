"""Random scenes of people: one to three hands of any size anywhere, and pictures of arms whose hand is not in them."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from handkit.datasets.synthetic.arm import Arm
from handkit.datasets.synthetic.bodies import blocks, body, skin_thing
from handkit.datasets.synthetic.cloth import Sleeve
from handkit.datasets.synthetic.extras import (
    COMPANY,
    HOLDING_GESTURES,
    IN_FRONT,
    Extras,
    held_thing,
    thing_in_front,
)
from handkit.datasets.synthetic.flesh import Flesh
from handkit.datasets.synthetic.pairs import NEAREST, OF_THE_HAND, gap, limbs
from handkit.datasets.synthetic.sampling import SceneSampler, from_anywhere, in_frame
from handkit.datasets.synthetic.scene import Camera, Scene
from handkit.datasets.synthetic.skin import Skin
from handkit.datasets.synthetic.things import Thing
from handkit.hands import Side

Array = NDArray[Any]

#: The longer side of a hand's joint box in pixels is drawn from here to the picture's longer side.
SMALLEST = 24.0
#: How often a picture has one, two and three hands.
COUNTS = (0.5, 0.38, 0.12)
#: How often a picture shows bare arms instead of hands, and how often one with hands has a bare arm too.
BARE, ALSO_BARE = 0.06, 0.08
_CUT, _TOUCHING, _SAME_PERSON, _SKIN_THINGS = 0.2, 0.3, 0.6, 0.3
_TRIES = 24
# A shoulder that is seen is this far from the camera at least, so that its body does not fill the frame.
_NEAREST_SHOULDER = 0.7


class WideSceneSampler(SceneSampler):
    """Draws scenes of people.

    Args:
        arm: the arm.
        flesh: its flesh, by which poses that collide are told.
        image_size: (width, height) in pixels.
        extras: draws what is with the hands.
    """

    def __init__(self, arm: Arm, flesh: Flesh, image_size: tuple[int, int], extras: Extras) -> None:
        super().__init__(arm, flesh, image_size, extras=extras)
        self._view = partial(from_anywhere, even=True)

    def sample(self, rng: np.random.Generator) -> Scene:
        """One scene; the same generator state gives the same scene."""
        camera = Camera(float(max(self._size) * rng.uniform(0.8, 1.8)), self._size)
        people: list[Scene] = []
        if rng.random() < BARE:
            self._add(rng, people, camera, self._person(rng), bare=True)
        else:
            for index in range(1 + int(rng.choice(3, p=COUNTS))):
                self._add_hand(rng, people, camera, index)
        if rng.random() < ALSO_BARE or not people:
            self._add(rng, people, camera, self._person(rng), bare=True)
        if not people:
            people.append(self._placed(rng, replace(self._hand(rng), camera=camera)))
        return _chained(rng, people, camera)

    def _add_hand(self, rng: np.random.Generator, people: list[Scene], camera: Camera, index: int) -> None:
        """The next hand: at the first, of the same person, or of somebody else; none where no place is free."""
        if index == 1 and people and rng.random() < _TOUCHING:
            second = self._second(rng, people[0])
            if second is not None:
                self._settle(rng, people, camera, second)
                return
        same = index == 1 and bool(people) and rng.random() < _SAME_PERSON
        self._add(rng, people, camera, self._person(rng, people[0] if same else None))

    def _person(self, rng: np.random.Generator, same: Scene | None = None) -> Scene:
        """A hand with what it wears and holds, not yet put anywhere; the other one of the same person if given."""
        assert self._extras is not None
        holding = rng.random() < COMPANY["some"].holding
        hand = self._hand(rng, HOLDING_GESTURES if holding else None)
        if same is None:
            hand = replace(hand, skin=self._extras.skin(rng, hand.skin))
        else:
            side: Side = "left" if same.side == "right" else "right"
            hand = replace(hand, side=side, skin=same.skin, sleeve=same.sleeve, shape=same.shape, scale=same.scale)
        things = (held_thing(rng, self._bent(hand).joints()),) if holding else ()
        return replace(hand, bands=self._extras.bands(rng), things=things)

    def _add(
        self, rng: np.random.Generator, people: list[Scene], camera: Camera, hand: Scene, bare: bool = False
    ) -> None:
        """Puts a hand, or a bare arm, where it does not run through the others."""
        for _ in range(_TRIES):
            turned = replace(hand, rotation=self._view(rng), camera=camera)
            placed = self._bare(rng, turned) if bare else self._placed(rng, turned)
            if placed is not None and self._settle(rng, people, camera, placed):
                return

    def _placed(self, rng: np.random.Generator, hand: Scene) -> Scene:
        """A hand at a random size and place."""
        size = np.array(self._size, float)
        side = float(np.exp(rng.uniform(np.log(SMALLEST), np.log(max(size)))))
        low = np.zeros(2) if rng.random() < _CUT else np.minimum(side, size) / 2
        return self._at(hand, rng.uniform(low, size - low), side)

    def _at(self, hand: Scene, pixel: Array, side: float) -> Scene:
        """The hand so far away that its joints' box has that longer side, its middle on the ray of a pixel."""
        ray = hand.camera.rays(pixel)
        joints = self._before_camera(replace(hand, position=np.zeros(3)))[0]
        nearest = 0.1 - joints[:, 2].min()
        distance = max(nearest, hand.camera.focal * float(np.ptp(joints[:, :2], axis=0).max()) / side)
        for _ in range(4):
            seen = float(np.ptp(hand.camera.project(joints + ray * distance), axis=0).max())
            distance = max(nearest, distance * seen / side)
        return replace(hand, position=ray * distance)

    def _bare(self, rng: np.random.Generator, arm: Scene) -> Scene | None:
        """An arm in the frame whose hand is not; None where that does not come out."""
        side = float(np.exp(rng.uniform(np.log(60), np.log(max(self._size)))))
        size = np.array(self._size, float)
        away = rng.uniform(0, 2 * np.pi)
        pixel = size / 2 + np.array([np.cos(away), np.sin(away)]) * (size / 2 + 0.8 * side)
        placed = self._at(arm, pixel, side)
        joints, wrist, elbow = self._before_camera(placed)
        if min(joints[:, 2].min(), elbow[2]) < 0.1:
            return None
        middle = placed.camera.project(wrist + rng.uniform(0.2, 1.0) * (elbow - wrist))
        seen = placed.camera.project(joints)
        outside = ((seen < -8) | (seen > size + 8)).any(1).all()
        inside = bool(((middle > 0) & (middle < size)).all())
        return placed if outside and inside else None

    def _settle(self, rng: np.random.Generator, people: list[Scene], camera: Camera, hand: Scene) -> bool:
        """Adds a placed hand, with its body where the shoulder is seen; False, and nothing is added, if it may not."""
        hand = replace(hand, camera=camera)
        joints, wrist, elbow = self._before_camera(hand)
        if elbow[2] < 0.08 or (elbow - wrist)[2] < -0.55 * np.linalg.norm(elbow - wrist):
            return False
        mine = limbs(joints, wrist, elbow)
        others = [limbs(*self._before_camera(other)) for other in people]
        if any(gap(other, mine) < NEAREST for other in others):
            return False
        shoulder = self._shoulder(hand)
        figure: tuple[Thing, ...] = ()
        if in_frame(camera, shoulder):
            # Somebody who is seen reaches towards the camera rather than away from it.
            if shoulder[2] < max(_NEAREST_SHOULDER, joints[:, 2].mean() - 0.15):
                return False
            figure = body(rng, shoulder, joints[0] - shoulder, hand.skin, _cloth(rng, hand.sleeve))
        bodies = tuple(thing for person in people for thing in person.things if not thing.held)
        if blocks(figure + bodies, mine[OF_THE_HAND]) or any(blocks(figure, other[OF_THE_HAND]) for other in others):
            return False
        things = figure
        if rng.random() < IN_FRONT:
            things = (*things, thing_in_front(rng, joints))
        people.append(replace(hand, things=hand.things + things))
        return True


def _cloth(rng: np.random.Generator, sleeve: Sleeve | None) -> tuple[float, float, float]:
    """The colour of a body's cloth: the sleeve's."""
    if sleeve is not None:
        return sleeve.color
    red, green, blue = np.clip(rng.beta(1.2, 1.5) * rng.uniform(0.5, 1.4, 3), 0.02, 0.95).tolist()
    return red, green, blue


def _chained(rng: np.random.Generator, people: list[Scene], camera: Camera) -> Scene:
    """The hands as one scene, the first one's light and sensor for all, with skin that is no hand behind them."""
    blur = float(rng.uniform(0.2, 0.9))
    first = people[0]
    if rng.random() < _SKIN_THINGS:
        distance = max(float(person.position[2]) for person in people) + 0.1
        skins = [first.skin if rng.random() < 0.3 else Skin(tone=float(rng.beta(1.0, 1.4))) for _ in range(3)]
        more = tuple(skin_thing(rng, camera, skin, distance) for skin in skins[: rng.integers(1, 4)])
        people[0] = replace(first, things=first.things + more)
    scene = None
    for person in reversed(people):
        scene = replace(person, camera=camera, other=scene)
    assert scene is not None
    return replace(scene, sensor=replace(scene.sensor, blur=blur))
