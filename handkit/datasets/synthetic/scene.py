"""Everything a picture is made from, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from handkit.datasets.synthetic.adornment import Band
from handkit.datasets.synthetic.cloth import Sleeve
from handkit.datasets.synthetic.posing import Pose
from handkit.datasets.synthetic.shading import Light
from handkit.datasets.synthetic.skin import Skin
from handkit.datasets.synthetic.things import Thing
from handkit.hands import Side

Array = NDArray[Any]

#: From the hand's frame (see `arm`) to the camera's with the palm to the camera and the fingers up.
UPRIGHT = np.diag([1.0, -1.0, -1.0])
#: What makes a left hand of a right one.
MIRROR = np.array([-1.0, 1.0, 1.0])


@dataclass(frozen=True)
class Camera:
    """A pinhole camera.

    Args:
        focal: focal length in pixels.
        image_size: (width, height); the optical axis meets its middle.
    """

    focal: float
    image_size: tuple[int, int]

    def matrix(self) -> Array:
        """(3, 3) intrinsics for pixel-centre coordinates."""
        width, height = self.image_size
        return np.array([[self.focal, 0, (width - 1) / 2], [0, self.focal, (height - 1) / 2], [0, 0, 1]])

    def project(self, points: Array) -> Array:
        """(..., 3) metres in the camera's frame (x right, y down, z forward) -> (..., 2) pixels."""
        middle = (np.array(self.image_size) - 1) / 2
        return np.asarray(points[..., :2] / points[..., 2:] * self.focal + middle)

    def rays(self, pixels: Array) -> Array:
        """(..., 2) pixels -> (..., 3) directions with z = 1."""
        middle = (np.array(self.image_size) - 1) / 2
        flat = (pixels - middle) / self.focal
        return np.concatenate([flat, np.ones_like(flat[..., :1])], -1)


@dataclass(frozen=True)
class Sensor:
    """What the camera does to the picture.

    Args:
        blur: deviation of its blur in pixels.
        grain: deviation of its noise in grey levels of a mid grey.
        exposure: factor on the light.
        balance: (3,) factors on red, green and blue.
    """

    blur: float = 0.5
    grain: float = 2.0
    exposure: float = 1.0
    balance: tuple[float, float, float] = (1.0, 1.0, 1.0)


@dataclass(frozen=True)
class Scene:
    """A hand before a camera, and what is with it.

    Args:
        side: whose hand; a left one is the mirrored right one.
        pose: joint angles.
        rotation: (3, 3) from the hand's frame (see `arm`; for a left hand mirrored in x) to the camera's.
        position: (3,) where the middle of the 21 joints lies in the camera's frame, metres.
        camera: the camera.
        light: the light.
        skin: the skin.
        sensor: blur and noise.
        shape: strengths of the source's blend shapes.
        scale: of the hand, 1 as the source has it.
        sleeve: what the arm wears, or None.
        seed: of the background, the soft shadows and the noise.
        bands: rings, bracelets and watches it wears.
        things: what it holds and what else is there.
        other: the next hand before the same camera in the same light, or None. Of it count the side, the pose, the
            rotation, the position, the shape, the scale, the skin, the sleeve, the bands, the things and its own next.
    """

    side: Side
    pose: Pose
    rotation: Array
    position: Array
    camera: Camera
    light: Light
    skin: Skin = field(default_factory=Skin)
    sensor: Sensor = field(default_factory=Sensor)
    shape: Mapping[str, float] = field(default_factory=dict)
    scale: float = 1.0
    sleeve: Sleeve | None = None
    seed: int = 0
    bands: tuple[Band, ...] = ()
    things: tuple[Thing, ...] = ()
    other: Scene | None = None

    @property
    def hands(self) -> tuple[Scene, ...]:
        """The scene of each hand, the first one's first."""
        return (self,) if self.other is None else (self, *self.other.hands)

    @property
    def unoccluded(self) -> bool:
        """Nothing but the hand itself can hide its joints."""
        return not self.things and self.other is None
