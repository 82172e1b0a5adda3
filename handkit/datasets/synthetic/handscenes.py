"""Rendered pictures of people, in which a detector learns to find hands."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from handkit.datasets.labels import HandLabels
from handkit.datasets.synthetic.generated import Array, Generated, folder_name
from handkit.datasets.synthetic.picture import FOREGROUND, mask_of_all
from handkit.errors import DataError
from handkit.geometry import points_box
from handkit.registry import DATASETS

if TYPE_CHECKING:
    from handkit.datasets.synthetic.sampling import SceneSampler
    from handkit.datasets.synthetic.scene import Scene
    from handkit.datasets.synthetic.sources import Renderer

#: A hand of which less is seen is ignored: finding it is no error, and missing it neither.
LEAST_SHARE = 0.2


@DATASETS.register_module()
class HandScenes(Generated):
    """Rendered pictures with one to three hands of one or more people, each a pure function of (seed, index).

    The longer side of a hand's joint box is drawn evenly on a logarithmic scale from 24 pixels to the picture's longer
    side. Hands lie anywhere, turned by any angle, one in five perhaps cut by the frame; they wear and hold what hands
    of `HandSynth` do, and two may touch. An arm that ends within the frame has a body. A few pictures show bare arms
    whose hand is outside and no hand at all, some have balls and cylinders in the colour of skin.

    Items are samples (see `handkit.transforms.base.SAMPLE_KEYS`) as `ImageBoxes` gives them, with pixels:

    - ``img`` (H, W, 3) uint8 RGB and ``image_size``;
    - ``boxes`` (M, 4) float32 the hand boxes of the joints, and ``box_points`` (M, 21, 2) those in the frame, else NaN;
    - ``ignored_boxes`` (K, 4) those of hands of which less than a fifth is in the frame and not hidden by other things;
    - ``mask`` (H, W) uint8: 1 hands, 2 arms, bodies and things; and ``sample_id``.

    It takes the mesh of MakeHuman, see `HandSynth`.

    Args:
        seed: another seed, other pictures; not negative.
        count: how many items.
        image_size: (width, height) in pixels.
        assets: folder with MakeHuman's files; None takes them from the hub.
        endless: every epoch (see `set_epoch`) shows new pictures; otherwise all show the same.
        skins: folder of photographed skins for half of the people, see `skin_charts`.
        backgrounds: folder of pictures without hands, parts of which are behind three quarters of the scenes; None:
            all are before rooms made by rule.
        skip: leaves out the first backgrounds in the order of their names, e.g. because they are held out for testing.

    Raises:
        DataError: an argument is out of its range, or, at the first item, a file is missing or damaged, or no
            background is left.
        MissingExtraError: at the first item, embreex is not installed.
    """

    def __init__(
        self,
        seed: int = 0,
        count: int = 64,
        image_size: tuple[int, int] = (640, 480),
        assets: str | os.PathLike[str] | None = None,
        endless: bool = False,
        skins: str | os.PathLike[str] | None = None,
        backgrounds: str | os.PathLike[str] | None = None,
        skip: int = 0,
    ) -> None:
        super().__init__(seed, count, image_size, assets, endless, skins)
        if max(image_size) < 64 or skip < 0:
            raise DataError(
                f"HandScenes needs images with a side of 64 px or more and skip >= 0, got {image_size}, {skip}"
            )
        if skip and backgrounds is None:
            raise DataError(f"skip={skip} says which backgrounds to leave out, and backgrounds names no folder")
        self._backgrounds = backgrounds
        self._skip = skip

    def __getitem__(self, index: int) -> dict[str, Any]:
        """Renders item `index`; see the class."""
        img, shown, hands = self.picture(self.scene(index))
        boxes = np.array([hand["box"] for hand in hands], np.float32).reshape(-1, 4)
        points = np.array([_labelled(hand) for hand in hands], np.float32).reshape(-1, 21, 2)
        ignored = np.array([hand["share"] < LEAST_SHARE for hand in hands], bool)
        return {
            "img": img,
            "image_size": self.image_size,
            "boxes": boxes[~ignored],
            "box_points": points[~ignored],
            "ignored_boxes": boxes[ignored],
            "mask": mask_of_all(shown),
            "sample_id": self._sample_id(index),
        }

    def hands(self, index: int) -> HandLabels:
        """The labels of all hands of item `index`, without rendering it."""
        hands = _seen(self._tools()[1].labels(self.scene(index)))
        points = np.array([hand["keypoints"] for hand in hands], np.float64).reshape(-1, 21, 2)
        return HandLabels(
            path=Path(self._sample_id(index)),
            image_size=self.image_size,
            keypoints=points,
            visible=np.array([hand["visible"] for hand in hands], np.uint8).reshape(-1, 21),
            joint_boxes=np.array([points_box(hand) for hand in points]).reshape(-1, 4),
            boxes=np.array([hand["box"] for hand in hands], np.float64).reshape(-1, 4),
            handedness=tuple("right" if hand["right"] else "left" for hand in hands),
            good=np.ones(len(hands), bool),
            ignored=np.array([hand["share"] < LEAST_SHARE for hand in hands], bool),
            human_boxes=np.zeros((0, 4)),
            xyz_cam=np.array([hand["xyz_cam"] for hand in hands], np.float64).reshape(-1, 21, 3),
        )

    def picture(self, scene: Scene) -> tuple[Array, Array, list[dict[str, Any]]]:
        """As `HandSynth.picture`, for the hands that are in the frame and not wholly hidden.

        Each has a ``share`` too: how much of it that is.
        """
        img, shown, hands = super().picture(scene)
        codes: Array = np.zeros(256, np.uint8)
        codes[FOREGROUND] = FOREGROUND
        seen = _seen(hands)
        for number, hand in enumerate(hands, 1):
            codes[number] = next((1 + i for i, other in enumerate(seen) if other is hand), FOREGROUND)
        return img, codes[shown], seen

    def recipe(self) -> dict[str, Any]:
        """What decides the pictures, in plain values; of the folders only their names."""
        return {
            "scenes": True,
            "seed": self.seed,
            "count": len(self),
            "image_size": list(self.image_size),
            "assets": folder_name(self._assets),
            "skins": folder_name(self._skins),
            "backgrounds": folder_name(self._backgrounds),
            "skip": self._skip,
        }

    def _sample_id(self, index: int) -> str:
        return f"scene {self._number(index)} of seed {self.seed}"

    def _make(self) -> tuple[SceneSampler, Renderer]:
        from handkit.datasets.synthetic.backdrops import Backdrops
        from handkit.datasets.synthetic.sources import makehuman_scenes
        from handkit.datasets.synthetic.wide_sampling import WideSceneSampler

        backdrops = None if self._backgrounds is None else Backdrops(self._backgrounds, self._skip)
        source = makehuman_scenes(self._assets, self._skins, backdrops)
        assert source.extras is not None
        return WideSceneSampler(source.arm, source.flesh, self.image_size, source.extras), source.renderer


def _seen(hands: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The hands of which a joint is in the frame, and anything is seen."""
    return [hand for hand in hands if hand["share"] > 0 and (hand["visible"] > 0).any()]


def _labelled(hand: dict[str, Any]) -> Array:
    """(21, 2) joints, NaN outside the frame."""
    labelled: Array = np.where(hand["visible"][:, None] > 0, hand["keypoints"], np.nan)
    return labelled
