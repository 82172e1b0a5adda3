"""What every renderer ends with: the hand put before its background, the camera's faults, and the labels."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from handkit.datasets.synthetic.scene import Camera, Scene, Sensor
from handkit.datasets.synthetic.skin import linear_to_srgb
from handkit.geometry import hand_box

Array = NDArray[Any]

#: Samples per pixel and axis.
SUPERSAMPLING = 2
#: In the mask of a picture: something before the background that is no hand.
FOREGROUND = 255


class Window:
    """A rectangle of w by h cells, each with a grid of samples.

    Args:
        box: x1, y1, x2, y2 in pixels, the far edges not included.
        step: side of a cell in pixels.

    Attributes:
        step: as given.
        xs: (w * SUPERSAMPLING,) the samples' columns in pixels.
        ys: (h * SUPERSAMPLING,) their rows.
        shape: (h, w).
    """

    def __init__(self, box: tuple[int, int, int, int], step: int = 1) -> None:
        self._box = box
        self.step = step
        x1, y1, x2, y2 = box
        steps = step * ((np.arange(SUPERSAMPLING) + 0.5) / SUPERSAMPLING) - 0.5
        columns, rows = np.arange(x1, x2, step), np.arange(y1, y2, step)
        self.shape = (len(rows), len(columns))
        self.xs = (columns[:, None] + steps).ravel()
        self.ys = (rows[:, None] + steps).ravel()

    def per_pixel(self, values: Array) -> Array:
        """(h * SUPERSAMPLING, w * SUPERSAMPLING, ...) of the samples -> (h, w, samples per pixel, ...)."""
        height, width = self.shape
        split = values.reshape(height, SUPERSAMPLING, width, SUPERSAMPLING, *values.shape[2:])
        return np.asarray(split.swapaxes(1, 2).reshape(height, width, SUPERSAMPLING**2, *values.shape[2:]))

    def cover(self, image: Array, mask: Array, layers: Array, behind: Array | None = None) -> None:
        """Paints (H, W, 3) linear RGB and (H, W) mask.

        Args:
            image: changed.
            mask: set to 1 + i where hand i alone covers half of the pixel or more, and else to `FOREGROUND` where
                anything does.
            layers: (h, w, 4 + hands): RGB times coverage, coverage, coverage by each hand alone.
            behind: (H, W, 3) what is behind it all; None: the image.
        """
        x1, y1, x2, y2 = self._box
        if self.step > 1:
            size = (self.shape[1] * self.step, self.shape[0] * self.step)
            layers = cv2.resize(layers, size, interpolation=cv2.INTER_LINEAR)[: y2 - y1, : x2 - x1]
        rest = (image if behind is None else behind)[y1:y2, x1:x2]
        image[y1:y2, x1:x2] = rest * (1 - layers[..., 3:4]) + layers[..., :3]
        shown = np.where(layers[..., 3] >= 0.5, FOREGROUND, 0)
        for hand in range(layers.shape[2] - 4):
            shown[layers[..., 4 + hand] >= 0.5] = hand + 1
        mask[y1:y2, x1:x2] = shown


def window_of(boxes: Array, camera: Camera, step: int = 1) -> Window | None:
    """The window around (N, 4) boxes in pixels, or None where they are all outside the picture."""
    size = np.array(camera.image_size)
    low = np.clip(np.floor(boxes[:, :2].min(0)) - 1, 0, size).astype(int)
    high = np.clip(np.ceil(boxes[:, 2:].max(0)) + 2, 0, size).astype(int)
    return Window((*low.tolist(), *high.tolist()), step) if (low < high).all() else None


def labels_of(scene: Scene, joints: Array, visible: Array) -> dict[str, Any]:
    """An item of `HandSynth` without its picture and mask.

    Args:
        scene: the hand's.
        joints: (21, 3) metres in the camera's frame.
        visible: (21,).
    """
    keypoints = scene.camera.project(joints)
    return {
        "image_size": scene.camera.image_size,
        "keypoints": keypoints.astype(np.float32),
        "visible": visible,
        "xyz_cam": joints.astype(np.float32),
        "camera": scene.camera.matrix(),
        "box": hand_box(keypoints, scene.camera.image_size).astype(np.float32),
        "right": np.float32(scene.side == "right"),
        "hand": np.float32(1),
    }


def mask_of(shown: Array, hand: int) -> Array:
    """(H, W) mask of a picture as `Window.cover` leaves it -> the `mask` of one hand's sample: 1 it, 2 other things."""
    return np.asarray(np.where(shown == hand + 1, 1, np.where(shown > 0, 2, 0)).astype(np.uint8))


def mask_of_all(shown: Array) -> Array:
    """(H, W) mask of a picture as `Window.cover` leaves it -> the `mask` of a whole image: 1 hands, 2 other things."""
    return np.asarray(np.where(shown == FOREGROUND, 2, shown > 0).astype(np.uint8))


def expose(image: Array, sensor: Sensor, rng: np.random.Generator) -> Array:
    """(H, W, 3) light -> uint8 RGB through blur, a soft shoulder, the display's curve and grain."""
    light = cv2.GaussianBlur(image, (0, 0), sensor.blur) if sensor.blur > 0.2 else image
    light = light * sensor.exposure * np.array(sensor.balance, np.float32)
    light = np.where(light < 0.6, light, 0.6 + 0.4 * np.tanh((light - 0.6) / 0.4))
    shown = linear_to_srgb(light) * 255
    noise = rng.standard_normal(shown.shape, np.float32) * 0.8 + rng.standard_normal((*shown.shape[:2], 1), np.float32)
    shown = shown + sensor.grain / 1.28 * noise * (1.2 - 0.6 * shown / 255)
    return np.clip(np.round(shown), 0, 255).astype(np.uint8)
