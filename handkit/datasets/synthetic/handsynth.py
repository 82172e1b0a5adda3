"""Rendered hands with exact labels."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from handkit.datasets.synthetic import makehuman
from handkit.datasets.synthetic.arm import ArmModel
from handkit.errors import DataError, did_you_mean
from handkit.registry import DATASETS

if TYPE_CHECKING:
    from handkit.datasets.synthetic.render import Renderer
    from handkit.datasets.synthetic.sampling import SceneSampler
    from handkit.datasets.synthetic.scene import Scene

_Source = Callable[[Mapping[str, Path]], ArmModel]
#: Name of a source -> card of its files, their names, and what reads them.
SOURCES: dict[str, tuple[str, tuple[str, ...], _Source]] = {
    "makehuman": (makehuman.CARD, makehuman.FILES, makehuman.read_makehuman),
}


@DATASETS.register_module()
class HandSynth:
    """One rendered hand per item, each a pure function of (seed, index).

    Items are dicts:

    - ``img`` (H, W, 3) uint8 RGB;
    - ``keypoints`` (21, 2) float32 pixels, integers at pixel centres;
    - ``visible`` (21,) uint8: 0 outside the frame, 1 hidden behind something, 2 seen (by depth);
    - ``xyz_cam`` (21, 3) float32 metres, x right, y down, z forward;
    - ``camera`` (3, 3) float64 intrinsics;
    - ``mask`` (H, W) uint8: 1 where the hand, down to a centimetre behind the wrist, covers half of the pixel or more;
    - ``box`` (4,) float32 the hand box of the joints;
    - ``handedness`` 'left' or 'right'.

    Args:
        source: where the hand comes from: 'makehuman'.
        seed: another seed, other hands; not negative.
        count: how many items.
        image_size: (width, height) in pixels.
        assets: folder with the source's files; None takes them from the hub.

    Raises:
        DataError: the source is unknown, an argument is out of its range, or, at the first rendered item, a file of
            the source is missing or damaged.
        MissingExtraError: at the first rendered item, where embreex is not installed.
    """

    def __init__(
        self,
        source: str = "makehuman",
        seed: int = 0,
        count: int = 64,
        image_size: tuple[int, int] = (256, 256),
        assets: str | os.PathLike[str] | None = None,
    ) -> None:
        if source not in SOURCES:
            raise DataError(f"no hand source is called {source!r}; {did_you_mean(source, SOURCES)}")
        if min(seed, count) < 0 or min(image_size) < 16:
            raise DataError(
                f"HandSynth needs seed and count >= 0 and images of at least 16 px, got {seed}, {count}, {image_size}"
            )
        self.source = source
        self.seed = seed
        self.image_size = (int(image_size[0]), int(image_size[1]))
        self._count = count
        self._assets = assets
        self._made: tuple[SceneSampler, Renderer] | None = None

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> dict[str, Any]:
        """Renders item `index`; see the class."""
        return self.render(self.scene(index))

    def scene(self, index: int) -> Scene:
        """What item `index` is a picture of."""
        if not -len(self) <= index < len(self):
            raise IndexError(f"item {index} of {len(self)}")
        return self._tools()[0].sample(np.random.default_rng([self.seed, index % len(self)]))

    def render(self, scene: Scene) -> dict[str, Any]:
        """An item of any scene, for instance of one made by hand."""
        return self._tools()[1].render(scene)

    def __getstate__(self) -> dict[str, Any]:
        """Without the refined mesh: a worker process makes its own."""
        return self.__dict__ | {"_made": None}

    def _tools(self) -> tuple[SceneSampler, Renderer]:
        """The scene sampler and the renderer, made when first needed: reading and refining the mesh takes seconds."""
        if self._made is None:
            from handkit.datasets.synthetic.render import Renderer
            from handkit.datasets.synthetic.sampling import SceneSampler

            card, names, read = SOURCES[self.source]
            model = read(self._files(card, names))
            self._made = SceneSampler(model, self.image_size), Renderer(model)
        return self._made

    def _files(self, card: str, names: tuple[str, ...]) -> Mapping[str, Path]:
        if self._assets is None:
            from handkit.hub import resolve_card

            return resolve_card(card)
        folder = Path(self._assets)
        if not folder.is_dir():
            raise DataError(f"assets: no folder {folder}; leave it out to take the files from the hub")
        return {name: folder / name for name in names}
