"""Where a hand comes from: its arm, the flesh that may not collide, and what renders it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from numpy.typing import NDArray

from handkit.datasets.synthetic.arm import Arm
from handkit.datasets.synthetic.backdrops import Backdrops
from handkit.datasets.synthetic.capsule_render import CapsuleRenderer
from handkit.datasets.synthetic.capsules import capsule_arm
from handkit.datasets.synthetic.extras import Extras
from handkit.datasets.synthetic.flesh import Flesh, mesh_flesh
from handkit.datasets.synthetic.makehuman import CARD, FILES, read_makehuman
from handkit.datasets.synthetic.render import MeshRenderer
from handkit.datasets.synthetic.scene import Scene
from handkit.datasets.synthetic.skin_charts import SkinCharts
from handkit.datasets.synthetic.wide import WideRenderer
from handkit.errors import DataError


class Renderer(Protocol):
    """Makes pictures of scenes and labels of their hands."""

    def labels(self, scene: Scene) -> list[dict[str, Any]]:
        """Of every hand an item as `HandSynth` describes it, without ``img`` and ``mask``; much cheaper than both."""
        ...

    def render(self, scene: Scene) -> tuple[NDArray[Any], NDArray[Any], list[dict[str, Any]]]:
        """A picture, its mask as `picture.Window.cover` leaves it, and what `labels` gives."""
        ...


@dataclass(frozen=True)
class Source:
    """One kind of hand.

    Args:
        arm: its bones and blend shapes.
        flesh: by which poses that collide are told.
        renderer: what makes pictures of it.
        extras: draws what is with the hand; None for a source that shows the hand alone.
    """

    arm: Arm
    flesh: Flesh
    renderer: Renderer
    extras: Extras | None = None


def capsule() -> Source:
    """A hand of round cones."""
    arm = capsule_arm()
    return Source(arm, arm.flesh(), CapsuleRenderer(arm))


def makehuman(
    assets: str | os.PathLike[str] | None, skins: str | os.PathLike[str] | None = None, fine: bool = False
) -> Source:
    """MakeHuman's hand, from a folder or from the hub.

    Args:
        assets: the folder with its files, or None.
        skins: a folder that `SkinCharts` reads, or None.
        fine: see `MeshRenderer`.

    Raises:
        DataError: there is no such folder, or a file is missing or damaged.
        MissingExtraError: embreex is not installed.
    """
    arm = read_makehuman(_files(assets))
    charts = None if skins is None else SkinCharts(Path(skins))
    return Source(arm, mesh_flesh(arm), MeshRenderer(arm, charts, fine), Extras(() if charts is None else charts.names))


def makehuman_scenes(
    assets: str | os.PathLike[str] | None, skins: str | os.PathLike[str] | None, backdrops: Backdrops | None
) -> Source:
    """MakeHuman's hand for pictures of people.

    Args:
        assets: as of `makehuman`.
        skins: as of `makehuman`.
        backdrops: pictures to put behind, or None.

    Raises:
        DataError: see `makehuman`.
        MissingExtraError: embreex is not installed.
    """
    arm = read_makehuman(_files(assets))
    charts = None if skins is None else SkinCharts(Path(skins))
    extras = Extras(() if charts is None else charts.names)
    return Source(arm, mesh_flesh(arm), WideRenderer(arm, charts, backdrops), extras)


def _files(assets: str | os.PathLike[str] | None) -> Mapping[str, Path]:
    if assets is None:
        from handkit.hub import resolve_card

        return resolve_card(CARD)
    folder = Path(assets)
    if not folder.is_dir():
        raise DataError(f"assets: no folder {folder}; leave it out to take the files from the hub")
    return {name: folder / name for name in FILES}
