"""What the generators of pictures share: numbered scenes of a seed, and what is made of them when first needed."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from handkit.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from handkit.datasets.synthetic.sampling import SceneSampler
    from handkit.datasets.synthetic.scene import Scene
    from handkit.datasets.synthetic.sources import Renderer

Array: TypeAlias = "NDArray[Any]"


class Generated(ABC):
    """Pictures, each a pure function of (seed, index).

    Args:
        seed: another seed, other pictures; not negative.
        count: how many items.
        image_size: (width, height) in pixels.
        assets: folder with the files of the hand; None takes them from the hub.
        endless: every epoch (see `set_epoch`) shows new pictures; otherwise all show the same.
        skins: folder of photographed skins, see `skin_charts`.

    Raises:
        DataError: an argument is out of its range.
    """

    def __init__(
        self,
        seed: int,
        count: int,
        image_size: tuple[int, int],
        assets: str | os.PathLike[str] | None,
        endless: bool,
        skins: str | os.PathLike[str] | None,
    ) -> None:
        if min(seed, count) < 0 or min(image_size) < 16:
            raise DataError(
                f"{type(self).__name__} needs seed and count >= 0 and images of at least 16 px, got {seed}, {count}, "
                f"{image_size}"
            )
        self.seed = seed
        self.image_size = (int(image_size[0]), int(image_size[1]))
        self.endless = endless
        self._count = count
        self._assets = assets
        self._skins = skins
        self.epoch = 0
        self._made: tuple[SceneSampler, Renderer] | None = None

    def __len__(self) -> int:
        return self._count

    def set_epoch(self, epoch: int) -> None:
        """The items to come are those of this epoch, if the data set is endless."""
        self.epoch = epoch

    def scene(self, index: int) -> Scene:
        """What item `index` is a picture of."""
        rng = np.random.default_rng([self.seed, self._number(index)])
        return self._tools()[0].sample(rng)

    def picture(self, scene: Scene) -> tuple[Array, Array, list[dict[str, Any]]]:
        """A picture with the labels of all its hands.

        Returns:
            ``img`` (H, W, 3); (H, W) uint8 which hand each pixel shows, counted from 1, `picture.FOREGROUND` for
            anything else before the background, 0 for the background; of every hand an item without picture and mask.
        """
        return self._tools()[1].render(scene)

    @abstractmethod
    def recipe(self) -> dict[str, Any]:
        """What decides the pictures, in plain values; of the folders only their names."""

    @abstractmethod
    def _make(self) -> tuple[SceneSampler, Renderer]:
        """Reads and refines the mesh, which takes seconds."""

    def __getstate__(self) -> dict[str, Any]:
        """Without the refined mesh: a worker process makes its own."""
        return self.__dict__ | {"_made": None}

    def _number(self, index: int) -> int:
        """How many pictures of this seed come before it."""
        if not -len(self) <= index < len(self):
            raise IndexError(f"item {index} of {len(self)}")
        return index % len(self) + (self.epoch * len(self) if self.endless else 0)

    def _tools(self) -> tuple[SceneSampler, Renderer]:
        """The scene sampler and the renderer, made when first needed."""
        if self._made is None:
            self._made = self._make()
        return self._made


def folder_name(folder: str | os.PathLike[str] | None) -> str | None:
    """A folder's name without where it lies, as recipes have it."""
    return None if folder is None else Path(folder).name
