"""What must not run through itself when a hand is bent: spheres of flesh along the bones of palm and fingers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from handkit.datasets.synthetic.arm import BONES, FINGERS_AT, PALM_BONES, MeshArm

Array = NDArray[Any]

SPHERES_PER_BONE = 5
#: Bones that carry flesh: those of palm and fingers.
FLESHY = range(BONES.index(PALM_BONES[0]), len(BONES))
#: Where along its bone, from 0 to 1, each sphere lies.
PLACES = (np.arange(SPHERES_PER_BONE) + 1) / SPHERES_PER_BONE


@dataclass(frozen=True)
class Flesh:
    """Spheres along the bones of palm and fingers, at rest.

    Args:
        bone: (n,) index into `BONES`.
        centres: (n, 3) metres.
        radii: (n,) metres.
    """

    bone: Array
    centres: Array
    radii: Array

    @property
    def part(self) -> Array:
        """(n,) 0 for the palm, 1 to 5 for a finger."""
        return np.asarray(np.maximum(self.bone - FINGERS_AT + 3, 0) // 3)

    def pairs(self, least: float) -> tuple[Array, Array]:
        """Every two spheres of different parts that lie further apart at rest than `least`: two (m,) of indices."""
        first, second = np.triu_indices(len(self.bone), 1)
        kept = (self.part[first] != self.part[second]) & (self.gaps(self.centres, (first, second)) > least)
        return first[kept], second[kept]

    def gaps(self, centres: Array, pairs: tuple[Array, Array]) -> Array:
        """(m,) free space between pairs of spheres moved to these (n, 3) centres; negative where they overlap."""
        first, second = pairs
        apart = centres[first] - centres[second]
        return np.asarray(np.sqrt((apart * apart).sum(1)) - self.radii[first] - self.radii[second])


def mesh_flesh(arm: MeshArm) -> Flesh:
    """Spheres that nearly reach the skin that moves with their bone."""
    rest, strongest = arm.rest, arm.weights.argmax(1)
    bones, centres, radii = [], [], []
    for bone in FLESHY:
        skin = rest.vertices[strongest == bone]
        for place in PLACES:
            centre = rest.heads[bone] * (1 - place) + rest.tails[bone] * place
            bones.append(bone)
            centres.append(centre)
            radii.append(0.9 * np.linalg.norm(skin - centre, axis=1).min())
    return Flesh(np.array(bones), np.array(centres), np.array(radii))
