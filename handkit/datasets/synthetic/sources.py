"""Where a hand comes from: its arm, the flesh that may not collide, and what renders it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from handkit.datasets.synthetic.arm import Arm
from handkit.datasets.synthetic.capsule_render import CapsuleRenderer
from handkit.datasets.synthetic.capsules import capsule_arm
from handkit.datasets.synthetic.flesh import Flesh, mesh_flesh
from handkit.datasets.synthetic.makehuman import CARD, FILES, read_makehuman
from handkit.datasets.synthetic.render import MeshRenderer
from handkit.datasets.synthetic.scene import Scene
from handkit.errors import DataError


class Renderer(Protocol):
    """Makes items of scenes, as `HandSynth` describes them."""

    def labels(self, scene: Scene) -> dict[str, Any]:
        """An item without ``img`` and ``mask``, which is much cheaper."""
        ...

    def render(self, scene: Scene) -> dict[str, Any]:
        """An item."""
        ...


@dataclass(frozen=True)
class Source:
    """One kind of hand.

    Args:
        arm: its bones and blend shapes.
        flesh: by which poses that collide are told.
        renderer: what makes pictures of it.
    """

    arm: Arm
    flesh: Flesh
    renderer: Renderer


def capsule() -> Source:
    """A hand of round cones."""
    arm = capsule_arm()
    return Source(arm, arm.flesh(), CapsuleRenderer(arm))


def makehuman(assets: str | os.PathLike[str] | None) -> Source:
    """MakeHuman's hand, from a folder or from the hub.

    Raises:
        DataError: there is no such folder, or a file is missing or damaged.
        MissingExtraError: embreex is not installed.
    """
    arm = read_makehuman(_files(assets))
    return Source(arm, mesh_flesh(arm), MeshRenderer(arm))


def _files(assets: str | os.PathLike[str] | None) -> Mapping[str, Path]:
    if assets is None:
        from handkit.hub import resolve_card

        return resolve_card(CARD)
    folder = Path(assets)
    if not folder.is_dir():
        raise DataError(f"assets: no folder {folder}; leave it out to take the files from the hub")
    return {name: folder / name for name in FILES}
