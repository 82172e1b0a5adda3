"""Rendered hands with exact labels."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from handkit.datasets.labels import HandLabels
from handkit.datasets.synthetic.generated import Generated, folder_name
from handkit.datasets.synthetic.picture import mask_of
from handkit.errors import DataError, did_you_mean
from handkit.geometry import points_box
from handkit.registry import DATASETS

if TYPE_CHECKING:
    from handkit.datasets.synthetic.sampling import SceneSampler
    from handkit.datasets.synthetic.scene import Scene
    from handkit.datasets.synthetic.sources import Renderer

_SOURCES = ("capsule", "makehuman")
_VIEWS = ("any", "front")
_COMPANIONS = ("some", "many", "pairs")


@DATASETS.register_module()
class HandSynth(Generated):
    """Rendered hands, one sample per picture, each a pure function of (seed, index).

    A hand of 'makehuman' may wear rings, a watch or nail polish, hold something, be partly hidden, or touch a second
    hand, whose labels are in `picture`.

    Items are samples (see `handkit.transforms.base.SAMPLE_KEYS`) with

    - ``img`` (H, W, 3) uint8 RGB and ``image_size``;
    - ``keypoints`` (21, 2) float32 pixels, integers at pixel centres;
    - ``visible`` (21,) uint8: 0 outside the frame, 1 hidden behind something, 2 seen (by depth);
    - ``xyz_cam`` (21, 3) float32 metres, x right, y down, z forward;
    - ``camera`` (3, 3) float64 intrinsics;
    - ``mask`` (H, W) uint8: 1 where the hand, down to a centimetre behind the wrist, covers half of the pixel or more,
      2 where something else that belongs before the background does: the arm, a thing, another hand;
    - ``box`` (4,) float32 the hand box of the joints;
    - ``right`` float32 1 for a right hand and 0 for a left one, ``hand`` 1, and ``sample_id``.

    What is learnt from one seed is tested on another; equal seeds begin with the same hands.

    Args:
        source: where the hand comes from: 'makehuman', a mesh in light and shadow, or 'capsule', a simple hand of round
            cones that needs neither files nor a ray caster and renders small pictures ten times as fast.
        seed: another seed, other hands; not negative.
        count: how many items.
        image_size: (width, height) in pixels.
        assets: folder with the source's files, of which 'capsule' has none; None takes them from the hub.
        views: 'any': the hand is seen from anywhere, though mostly from the palm's or the back's side; 'front': the
            palm or the back within 20 degrees of head-on, the fingers up, for a first lesson.
        endless: every epoch (see `set_epoch`) shows new hands; otherwise all show the same.
        skins: folder of photographed skins for half of the hands of 'makehuman', see `skin_charts`; None: all skins are
            made by rule.
        companions: 'some': of ten hands of 'makehuman', one or two hold something and as many have a second hand near;
            'many': nearly every hand holds something, or is clasped by or has beside it a second one; 'pairs': of ten,
            seven have a second hand, which is in the frame as well, and the others hold something.
        fine: light four samples per pixel, for pictures to be looked at; otherwise, more than twice as fast, one. The
            source 'capsule' always lights one.

    Raises:
        DataError: the source is unknown, an argument is out of its range, or, at the first rendered item, a file of
            the source is missing or damaged.
        MissingExtraError: at the first rendered item of 'makehuman', where embreex is not installed.
    """

    def __init__(
        self,
        source: str = "makehuman",
        seed: int = 0,
        count: int = 64,
        image_size: tuple[int, int] = (256, 256),
        assets: str | os.PathLike[str] | None = None,
        endless: bool = False,
        views: str = "any",
        skins: str | os.PathLike[str] | None = None,
        fine: bool = False,
        companions: str = "some",
    ) -> None:
        if source not in _SOURCES:
            raise DataError(f"no hand source is called {source!r}; {did_you_mean(source, _SOURCES)}")
        for name, folder in (("assets", assets), ("skins", skins)):
            if source == "capsule" and folder is not None:
                raise DataError(f"the source 'capsule' is made without files: leave out {name}={str(folder)!r}")
        if views not in _VIEWS:
            raise DataError(f"views is 'any' or 'front', not {views!r}")
        if companions not in _COMPANIONS:
            raise DataError(f"companions are 'some', 'many' or 'pairs', not {companions!r}")
        if source == "capsule" and companions != "some":
            raise DataError(f"the source 'capsule' has hands alone: leave out companions={companions!r}")
        super().__init__(seed, count, image_size, assets, endless, skins)
        self.source = source
        self.views = views
        self.companions = companions
        self._fine = fine

    def __getitem__(self, index: int) -> dict[str, Any]:
        """Renders item `index`; see the class."""
        return {**self.render(self.scene(index)), "sample_id": self._sample_id(index)}

    def hands(self, index: int) -> HandLabels:
        """The labels of item `index`, without rendering it."""
        labels = self._tools()[1].labels(self.scene(index))[0]
        return HandLabels(
            path=Path(self._sample_id(index)),
            image_size=self.image_size,
            keypoints=labels["keypoints"][None].astype(np.float64),
            visible=labels["visible"][None],
            joint_boxes=points_box(labels["keypoints"][None].astype(np.float64)),
            boxes=labels["box"][None].astype(np.float64),
            handedness=("right" if labels["right"] else "left",),
            good=np.ones(1, bool),
            ignored=~(labels["visible"] > 0).any(keepdims=True),
            human_boxes=np.zeros((0, 4)),
            xyz_cam=labels["xyz_cam"][None].astype(np.float64),
        )

    def render(self, scene: Scene) -> dict[str, Any]:
        """An item of any scene, for instance of one made by hand; it has no ``sample_id``."""
        img, shown, labels = self._tools()[1].render(scene)
        return {**labels[0], "img": img, "mask": mask_of(shown, 0)}

    def recipe(self) -> dict[str, Any]:
        """What decides the pictures, in plain values; of the folders only their names."""
        return {
            "source": self.source,
            "seed": self.seed,
            "count": len(self),
            "image_size": list(self.image_size),
            "fine": self._fine,
            # Left out where it is the default, so that folders that were begun before there was a choice go on.
            **({} if self.companions == "some" else {"companions": self.companions}),
            **({} if self.views == "any" else {"views": self.views}),
            "assets": folder_name(self._assets),
            "skins": folder_name(self._skins),
        }

    def _sample_id(self, index: int) -> str:
        return f"{self.source} hand {self._number(index)} of seed {self.seed}"

    def _make(self) -> tuple[SceneSampler, Renderer]:
        from handkit.datasets.synthetic.extras import COMPANY
        from handkit.datasets.synthetic.sampling import SceneSampler
        from handkit.datasets.synthetic.sources import capsule, makehuman

        source = capsule() if self.source == "capsule" else makehuman(self._assets, self._skins, self._fine)
        front, company = self.views == "front", COMPANY[self.companions]
        sampler = SceneSampler(source.arm, source.flesh, self.image_size, front, source.extras, company)
        return sampler, source.renderer
