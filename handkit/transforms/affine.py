"""The steps that note by which `Crop` the network's input was made: of one hand, or of the whole image."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from handkit.errors import ConfigError
from handkit.geometry import Border, Crop
from handkit.registry import TRANSFORMS
from handkit.transforms.base import Sample
from handkit.transforms.whole_images import mask_of

#: Keys that say what is still to be done to the picture; this step does it and drops them.
PENDING = ("flip", "scale", "shift")


@TRANSFORMS.register_module()
class TopDownAffine:
    """Replaces `img` by the crop of `box`, turned upright by `rotation`, and notes the `crop` itself.

    In training the pending `flip`, `scale` and `shift` are done in the same one warp, and the labels follow: the
    `keypoints` move, the `mask` is warped, and `right` swaps where the crop is mirrored. Where there is `xyz_cam`,
    `xyz_root` is the hand in space as the crop shows it: turned about the camera's axis and mirrored with the pixels.

    Args:
        input_size: (width, height) the network takes, in pixels.
        padding: the box is grown by this factor, then its short side lengthened to the input's aspect.
        use_udp: align corner pixels as UDP does; see `handkit.geometry.Crop`.
        border: what lies outside the image: black ('constant') or its edge repeated ('replicate').
        antialias: average pixels before reducing an image to less than half; see `handkit.geometry.Crop`.
        hide_outside: joints that leave the crop get `visible` 0 and with it no target; False leaves them to the codec,
            as mmpose does, which then also trains on joints up to 3 sigma beyond the edge.

    Raises:
        ConfigError: sizes or padding that are not positive.
    """

    stage: ClassVar[Literal["image"]] = "image"

    def __init__(
        self,
        input_size: tuple[int, int],
        padding: float = 1.25,
        use_udp: bool = False,
        border: Border = "constant",
        antialias: bool = True,
        hide_outside: bool = True,
    ) -> None:
        if len(input_size) != 2 or min(input_size) <= 0 or padding <= 0:
            raise ConfigError(f"TopDownAffine needs positive sizes, got input_size={input_size}, padding={padding}")
        if border not in ("constant", "replicate"):
            raise ConfigError(f"TopDownAffine: border must be 'constant' or 'replicate', not {border!r}")
        self.input_size = (int(input_size[0]), int(input_size[1]))
        self.padding = padding
        self.use_udp = use_udp
        self.border: Border = border
        self.antialias = antialias
        self.hide_outside = hide_outside

    def __call__(self, sample: Sample) -> Sample:
        """Sets `img` (h, w, 3) and `crop`, and moves the labels that are there.

        Raises:
            DataError: the `mask` is none of the picture.
        """
        crop, mask = self._crop(sample), mask_of(sample, self)
        done = {key: value for key, value in sample.items() if key not in PENDING}
        done |= {"img": crop.apply_image(sample["img"]), "crop": crop}
        if mask is not None:
            done["mask"] = cut_mask(crop, mask)
        if "keypoints" in sample:
            done["keypoints"] = crop.apply_points(sample["keypoints"]).astype(np.float32)
            if self.hide_outside and "visible" in sample:
                inside = in_frame(done["keypoints"], self.input_size)
                done["visible"] = np.where(inside, sample["visible"], 0).astype(np.uint8)
        if "xyz_cam" in sample:
            xyz = np.asarray(sample["xyz_cam"], np.float64)
            done["xyz_root"] = crop.apply_xyz(xyz - xyz[:1]).astype(np.float32)
        if "right" in sample and crop.flip:
            done["right"] = np.float32(1 - sample["right"])
        return done

    def _crop(self, sample: Sample) -> Crop:
        """The region; a shift is measured before the scale, in shares of the padded box."""
        rotation, scale = float(sample.get("rotation", 0.0)), float(sample.get("scale", 1.0))
        box = np.asarray(sample["box"], np.float64)
        padding = self.padding * scale
        crop = Crop.from_box(box, self.input_size, padding, rotation, self.border, self.use_udp, self.antialias)
        dx, dy = np.asarray(sample.get("shift", (0.0, 0.0)), np.float64) * self.padding * (box[2:] - box[:2])
        center = (crop.center[0] + float(dx), crop.center[1] + float(dy))
        return replace(crop, center=center, flip=bool(sample.get("flip", False)))


@TRANSFORMS.register_module()
class BottomUpResize:
    """Fits the whole image in the middle of the network's input, its sides in their ratio, and notes the `crop`.

    The centres of the image's corner pixels come to lie on the input's edge pixels, as UDP has them.

    Args:
        input_size: (width, height) the network takes, in pixels.
        border: what is beside the image: black ('constant') or its edge repeated ('replicate').

    Raises:
        ConfigError: sizes below 2, or another border.
    """

    stage: ClassVar[Literal["image"]] = "image"

    def __init__(self, input_size: tuple[int, int], border: Border = "constant") -> None:
        if len(input_size) != 2 or min(input_size) < 2:
            raise ConfigError(f"BottomUpResize needs a (width, height) of 2 or more, got input_size={input_size}")
        if border not in ("constant", "replicate"):
            raise ConfigError(f"BottomUpResize: border must be 'constant' or 'replicate', not {border!r}")
        self.input_size = (int(input_size[0]), int(input_size[1]))
        self.border: Border = border

    def __call__(self, sample: Sample) -> Sample:
        """Sets `img` (h, w, 3) and `crop`, and moves `boxes`, `ignored_boxes` and `box_points`, if they are there."""
        height, width = sample["img"].shape[:2]
        across, down = (side - 1 for side in self.input_size)
        scale = max((width - 1) / across, (height - 1) / down) or 1.0
        center = ((width - 1) / 2, (height - 1) / 2)
        crop = Crop(center, (across * scale, down * scale), self.input_size, border=self.border, udp=True)
        done = {key: value for key, value in sample.items() if key != "mask"}
        done |= {"img": crop.apply_image(sample["img"]), "crop": crop}
        for key in ("boxes", "ignored_boxes"):
            if key in sample:
                corners = np.asarray(sample[key], np.float32).reshape(-1, 2, 2)
                done[key] = crop.apply_points(corners).astype(np.float32).reshape(-1, 4)
        if "box_points" in sample:
            done["box_points"] = crop.apply_points(sample["box_points"]).astype(np.float32)
        return done


def cut_mask(crop: Crop, mask: NDArray[Any]) -> NDArray[np.uint8]:
    """The crop of a mask whose numbers are names: each is warped on its own."""
    hand, shown = (crop.apply_image(part.astype(np.uint8)) > 0 for part in (mask == 1, mask > 0))
    return np.where(hand, 1, np.where(shown, 2, 0)).astype(np.uint8)


def in_frame(points: NDArray[Any], size: tuple[int, int]) -> NDArray[np.bool_]:
    """(..., 2) points -> (...) whether they lie on a pixel of an image of (width, height)."""
    return np.asarray(((points >= -0.5) & (points < np.array(size) - 0.5)).all(-1))
