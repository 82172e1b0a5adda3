"""Random scenes: hands of all sizes and tones, in any pose, light and view, alone or with something."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from handkit.datasets.synthetic.arm import ELBOW, WRIST, Arm, Geometry
from handkit.datasets.synthetic.cloth import Sleeve
from handkit.datasets.synthetic.extras import (
    CLASPING_GESTURES,
    COMPANY,
    HOLDING_GESTURES,
    IN_FRONT,
    Company,
    Extras,
    held_thing,
    thing_in_front,
)
from handkit.datasets.synthetic.flesh import Flesh
from handkit.datasets.synthetic.pairs import clasping, facing, limbs, meeting
from handkit.datasets.synthetic.poses import PoseSampler
from handkit.datasets.synthetic.posing import bone_transforms, posed_bones
from handkit.datasets.synthetic.scene import MIRROR, UPRIGHT, Camera, Scene, Sensor
from handkit.datasets.synthetic.shading import Light, unit
from handkit.datasets.synthetic.skin import Skin
from handkit.hands import Side

Array = NDArray[Any]
_View = Callable[[np.random.Generator], Array]

# A view is drawn anew where the forearm would hide the hand or the arm's end be in the frame.
_TRIES = 20
# How far a forearm may come towards the camera: the least z of its direction.
_TOWARDS = -0.55


class SceneSampler:
    """Draws scenes.

    Args:
        arm: the arm.
        flesh: its flesh, by which poses that collide are told.
        image_size: (width, height) in pixels.
        front: the hand is seen close to head-on with the fingers up, instead of from anywhere.
        extras: draws what is with the hand; None: the hand is alone.
        company: how often that is another hand or something it holds.
    """

    def __init__(
        self,
        arm: Arm,
        flesh: Flesh,
        image_size: tuple[int, int],
        front: bool = False,
        extras: Extras | None = None,
        company: Company = COMPANY["some"],
    ) -> None:
        self._arm = arm
        self._size = image_size
        self._view: _View = _from_the_front if front else from_anywhere
        self._poses = PoseSampler(arm.rest, flesh)
        self._extras = extras
        self._company = company

    def sample(self, rng: np.random.Generator) -> Scene:
        """One scene; the same generator state gives the same scene."""
        if self._extras is None:
            return self._hand(rng)
        kind = rng.random()
        company = self._company
        holding = kind < company.holding
        scene = self._hand(rng, HOLDING_GESTURES if holding else None)
        scene = replace(scene, skin=self._extras.skin(rng, scene.skin), bands=self._extras.bands(rng))
        things = []
        if holding:
            things.append(held_thing(rng, self._bent(scene).joints()))
        elif kind < company.holding + company.second:
            # A share of nothing draws nothing, so that what was rendered before there were such hands stays as it was.
            clasps = company.clasping > 0 and rng.random() < company.clasping
            scene = replace(scene, other=self._second(rng, scene, clasps))
            if company.framed and scene.other is not None:
                scene = self._framed(rng, scene, scene.other)
        if rng.random() < IN_FRONT:
            things.append(thing_in_front(rng, self._before_camera(scene)[0]))
        return replace(scene, things=tuple(things))

    def joints(self, rng: np.random.Generator, gesture: str) -> tuple[Array, Array]:
        """One hand that does a gesture, with noise, as no more than joints.

        Returns:
            (21, 2) pixels and (21, 3) metres in the camera's frame.
        """
        scene = self._hand(rng, (gesture,))
        joints = self._before_camera(scene)[0]
        return scene.camera.project(joints), joints

    def _hand(self, rng: np.random.Generator, gestures: Sequence[str] | None = None) -> Scene:
        """One hand with nothing."""
        side: Side = "right" if rng.random() < 0.5 else "left"
        pose = self._poses.sample(rng, gestures)
        shape = _shape(rng, tuple(self._arm.shapes))
        scale = float(np.clip(rng.normal(1.05, 0.09), 0.8, 1.3))
        rest = self._arm.shaped(shape, scale)
        bent = posed_bones(rest, bone_transforms(rest, pose))
        camera = Camera(float(max(self._size) * rng.uniform(0.9, 2.2)), self._size)
        rotation, position = _aim(rng, self._view, camera, bent, _mirror(side))
        return Scene(
            side=side,
            pose=pose,
            rotation=rotation,
            position=position,
            camera=camera,
            light=_light(rng),
            skin=_skin(rng),
            sensor=_sensor(rng),
            sleeve=_sleeve(rng) if rng.random() < 0.55 else None,
            shape=shape,
            scale=scale,
            seed=int(rng.integers(2**31)),
        )

    def _second(self, rng: np.random.Generator, first: Scene, clasps: bool = False) -> Scene | None:
        """Another hand near the first, before the same camera: the same person's other one, or somebody else's."""
        assert self._extras is not None
        other = replace(self._hand(rng, CLASPING_GESTURES if clasps else None), camera=first.camera)
        if rng.random() < 0.6:
            side: Side = "left" if first.side == "right" else "right"
            kept = {name: getattr(first, name) for name in ("skin", "sleeve", "shape", "scale")}
            other = replace(other, side=side, **kept, bands=self._extras.bands(rng))
        else:
            other = replace(other, skin=self._extras.skin(rng, other.skin), bands=self._extras.bands(rng))
        if clasps:
            return self._clasped(rng, first, other)
        move = meeting(rng, limbs(*self._before_camera(first)), limbs(*self._before_camera(other)))
        return None if move is None else self._moved(other, move)

    def _clasped(self, rng: np.random.Generator, first: Scene, other: Scene) -> Scene | None:
        """The other hand turned and put to where it clasps the first; None where no place for its arm was found."""
        held = self._before_camera(first)
        for _ in range(_TRIES):
            turn, away = facing(rng, held[0], first.side, self._before_camera(other)[0], other.side)
            turned = replace(other, rotation=turn @ other.rotation)
            move = clasping(rng, limbs(*held), limbs(*self._before_camera(turned)), away)
            found = None if move is None else self._moved(turned, move)
            if found is not None and self._arm_aside(found):
                return found
        return None

    def _moved(self, hand: Scene, move: Array) -> Scene | None:
        """The hand moved by (3,), unless it then is at the camera."""
        hand = replace(hand, position=hand.position + move)
        joints, _, elbow = self._before_camera(hand)
        return hand if joints[:, 2].min() > 0.08 and elbow[2] > 0.08 else None

    def _framed(self, rng: np.random.Generator, first: Scene, other: Scene) -> Scene:
        """Both hands moved so that together they fill a random part of the frame; as they were if an arm ends in it."""
        joints = np.concatenate([self._before_camera(hand)[0] for hand in (first, other)])
        middle = (joints.min(0) + joints.max(0)) / 2
        for _ in range(_TRIES):
            move = _position(rng, first.camera, joints) - middle
            pair = [replace(hand, position=hand.position + move) for hand in (first, other)]
            if not any(in_frame(hand.camera, self._shoulder(hand)) for hand in pair):
                return replace(pair[0], other=pair[1])
        return replace(first, other=other)

    def _arm_aside(self, scene: Scene) -> bool:
        """Whether the arm neither hides the hand nor ends in the frame."""
        _, wrist, elbow = self._before_camera(scene)
        return bool(unit(elbow - wrist)[2] > _TOWARDS) and not in_frame(scene.camera, self._shoulder(scene))

    def _bent(self, scene: Scene) -> Geometry:
        rest = self._arm.shaped(scene.shape, scene.scale)
        return posed_bones(rest, bone_transforms(rest, scene.pose))

    def _shoulder(self, scene: Scene) -> Array:
        """(3,) where the arm ends, in the camera's frame."""
        bent, to_camera = self._bent(scene), (scene.rotation * _mirror(scene.side)).T
        joints = bent.joints() @ to_camera
        return np.asarray(bent.heads[0] @ to_camera - (joints.min(0) + joints.max(0)) / 2 + scene.position)

    def _before_camera(self, scene: Scene) -> tuple[Array, Array, Array]:
        """(21, 3) joints, (3,) the rig's wrist and (3,) elbow in the camera's frame."""
        bent, to_camera = self._bent(scene), (scene.rotation * _mirror(scene.side)).T
        joints = bent.joints() @ to_camera
        shift = scene.position - (joints.min(0) + joints.max(0)) / 2
        return joints + shift, bent.heads[WRIST] @ to_camera + shift, bent.heads[ELBOW] @ to_camera + shift


def _mirror(side: Side) -> Array:
    return MIRROR if side == "left" else np.ones(3)


def _aim(rng: np.random.Generator, view: _View, camera: Camera, bent: Geometry, mirror: Array) -> tuple[Array, Array]:
    """A scene's rotation and position, such that the arm neither hides the hand nor ends in the frame, if possible."""
    forearm = unit((bent.heads[ELBOW] - bent.heads[WRIST]) * mirror)
    for _ in range(_TRIES):
        rotation = view(rng)
        joints = (bent.joints() * mirror) @ rotation.T
        position = _position(rng, camera, joints)
        shoulder = rotation @ (bent.heads[0] * mirror) - (joints.min(0) + joints.max(0)) / 2 + position
        if (rotation @ forearm)[2] > _TOWARDS and not in_frame(camera, shoulder):
            break
    return rotation, position


def _shape(rng: np.random.Generator, names: tuple[str, ...]) -> dict[str, float]:
    """Strengths of one to three blend shapes, mostly weak."""
    chosen = rng.permutation(len(names))[: rng.integers(1, 4)]
    limits = {"long_fingers": 0.45, "short_fingers": 0.8}
    return {names[k]: float(rng.beta(1.2, 2.0) * limits.get(names[k], 1.0)) for k in sorted(chosen)}


def from_anywhere(rng: np.random.Generator, even: bool = False) -> Array:
    """(3, 3) hand to camera: mostly the palm or the back within 60 degrees of head-on, one in seven from anywhere.

    The fingers point mostly up, or, if `even`, in every direction of the picture as often.
    """
    if rng.random() < 0.15:
        # A direction in four dimensions is an even choice of rotation.
        return np.asarray(Rotation.from_quat(rng.standard_normal(4)).as_matrix())
    face = 180 * int(rng.integers(2))
    azimuth, tilt = rng.uniform(0, 2 * np.pi), 60 * np.sqrt(rng.random())
    roll = rng.normal(0, 40) if rng.random() < (0 if even else 0.7) else rng.uniform(-180, 180)
    return _turned(face, azimuth, tilt, roll)


def _from_the_front(rng: np.random.Generator) -> Array:
    """(3, 3) hand to camera: the palm or the back within 20 degrees of head-on, the fingers up."""
    face = 180 * int(rng.integers(2))
    azimuth, tilt = rng.uniform(0, 2 * np.pi), 20 * np.sqrt(rng.random())
    return _turned(face, azimuth, tilt, rng.normal(0, 8))


def _turned(face: float, azimuth: float, tilt: float, roll: float) -> Array:
    """(3, 3) hand to camera: turned by `face` about its axis, leant by `tilt` and rolled, in degrees.

    `azimuth`, in radians, is the direction of the axis it leans about.
    """
    lean = Rotation.from_rotvec(np.radians(tilt) * np.array([np.cos(azimuth), np.sin(azimuth), 0]))
    rolled, faced = (Rotation.from_euler(axis, angle, degrees=True) for axis, angle in (("z", roll), ("y", face)))
    return np.asarray(UPRIGHT @ (rolled * lean * faced).as_matrix())


def _position(rng: np.random.Generator, camera: Camera, joints: Array) -> Array:
    """(3,) where the middle of the joints lies, so that they fill a random part of the frame."""
    extent = np.ptp(joints, axis=0)
    size = np.array(camera.image_size, float)
    part = rng.uniform(0.38, 0.92)
    distance = camera.focal * (extent[:2] / (part * size)).max() + extent[2] / 2
    slack = np.clip(size - camera.focal * extent[:2] / distance, 0, None) / 2
    # One in eight may reach over the frame's edge.
    reach = 1.5 if rng.random() < 0.125 else 0.85
    offset = rng.uniform(-1, 1, 2) * slack * reach / camera.focal * distance
    return np.array([*offset, distance])


def in_frame(camera: Camera, point: Array) -> bool:
    """Whether a point, or what lies within a hand's breadth of it, is in the picture."""
    if point[2] <= 0.05:
        return False
    margin = 0.1 * camera.focal / point[2]
    pixel = camera.project(point)
    return bool((pixel > -margin).all() and (pixel < np.array(camera.image_size) + margin).all())


def _warmth(rng: np.random.Generator) -> Array:
    """(3,) colour of a light between candle and blue sky, green 1."""
    warm = rng.normal(0, 0.12)
    return np.array([1 + warm, 1.0, 1 - warm])


def _light(rng: np.random.Generator) -> Light:
    key = unit(np.array([rng.normal(0, 0.8), rng.normal(-0.6, 0.6), -abs(rng.normal(0.7, 0.4))]))
    fill = unit(np.array([-np.sign(key[0]) * rng.uniform(0.3, 1), rng.uniform(-0.5, 0.5), -rng.uniform(0.2, 1)]))
    share = rng.uniform(0.15, 0.75)
    around = _warmth(rng)
    ground = rng.uniform(0.3, 0.8) * (0.7 * around + 0.3 * rng.uniform(0.5, 1.2, 3))
    return Light(
        key=key,
        key_color=1.2 * share * _warmth(rng),
        softness=float(np.exp(rng.uniform(np.log(0.02), np.log(0.35)))),
        fill=fill,
        fill_color=rng.uniform(0.0, 0.25) * _warmth(rng),
        up=unit(np.array([rng.normal(0, 0.2), -1.0, rng.normal(0, 0.3)])),
        sky_color=(1 - share) * around,
        ground_color=(1 - share) * ground,
    )


def _skin(rng: np.random.Generator) -> Skin:
    return Skin(
        tone=float(rng.beta(1.0, 1.4)),
        flush=float(rng.uniform(0.4, 1.5)),
        mottling=float(rng.uniform(0.4, 1.4)),
        relief=float(rng.uniform(0.25, 1.2)),
        roughness=float(rng.uniform(0.4, 0.66)),
        seed=float(rng.uniform(0, 64)),
    )


def _sleeve(rng: np.random.Generator) -> Sleeve:
    value, tint = rng.beta(1.2, 1.5), rng.beta(1, 3)
    color = np.clip(value * (1 + tint * rng.uniform(-1, 1, 3)), 0.02, 0.95)
    return Sleeve(
        start=float(rng.uniform(0.02, 0.22)),
        thickness=float(rng.uniform(2e-3, 9e-3)),
        folds=float(rng.uniform(0, 7e-3)),
        color=_rgb(color),
        stripes=float(rng.uniform(0.1, 0.7)) if rng.random() < 0.2 else 0.0,
        seed=float(rng.uniform(0, 64)),
    )


def _sensor(rng: np.random.Generator) -> Sensor:
    tint = np.exp(rng.normal(0, 0.05, 3))
    return Sensor(
        blur=float(rng.uniform(0.2, 0.9)),
        grain=float(rng.gamma(1.5, 1.6)),
        exposure=float(np.exp(rng.normal(0, 0.25))),
        balance=_rgb(tint / tint.mean()),
    )


def _rgb(values: Array) -> tuple[float, float, float]:
    red, green, blue = values.tolist()
    return red, green, blue
