"""Random poses within the joints' limits in which fingers do not run through each other."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from handkit.datasets.synthetic.arm import BONES, PALM_BONES, ArmModel, finger_bones
from handkit.datasets.synthetic.gestures import GESTURES, blend, within_limits
from handkit.datasets.synthetic.posing import Pose, bone_transforms, moved

Array = NDArray[Any]

# Deepest overlap of flesh that is taken for contact, metres.
_CONTACT = 2e-3
# Spheres whose gap at rest is smaller belong to neighbouring flesh.
_NEIGHBOURS = 1e-3
_SPHERES_PER_BONE = 5


@dataclass(frozen=True)
class _Flesh:
    """Spheres along the bones of palm and fingers, at rest.

    Args:
        bone: (n,) index into `BONES`.
        part: (n,) 0 for the palm, 1 to 5 for a finger.
        centres: (n, 3) metres.
        radii: (n,) metres.
    """

    bone: Array
    part: Array
    centres: Array
    radii: Array

    def gaps(self, centres: Array) -> Array:
        """(n, n) free space between every two spheres moved to these centres."""
        apart = np.linalg.norm(centres[:, None] - centres, axis=-1)
        return np.asarray(apart - self.radii[:, None] - self.radii)


class PoseSampler:
    """Draws poses.

    Args:
        model: the arm, whose flesh is approximated by spheres along its bones.
    """

    def __init__(self, model: ArmModel) -> None:
        self._rest = model.rest
        self._flesh = _flesh(model)
        part = self._flesh.part
        self._pairs = (part[:, None] != part) & (self._flesh.gaps(self._flesh.centres) > _NEIGHBOURS)

    def sample(self, rng: np.random.Generator) -> Pose:
        """A gesture or a mix of two, with noise; what collides is drawn back towards the gesture."""
        names = sorted(GESTURES)
        base, other = (GESTURES[names[rng.integers(len(names))]] for _ in range(2))
        mix = blend(base, other, float(rng.beta(0.5, 1.5)))
        together, size = rng.normal(0, 1), rng.choice([0.4, 1.0, 1.8])
        fingers = rng.normal(0, 1, (4, 4)) * (10, 10, 6, 3) + together * np.array([6, 8, 5, 0])
        wished = Pose(
            fingers=mix.fingers + size * fingers,
            thumb=mix.thumb + size * rng.normal(0, 1, 5) * (6, 7, 6, 8, 10),
            wrist=rng.normal(0, 1, 2) * (20, 9),
            cupping=mix.cupping + rng.normal(0, 3),
            forearm=rng.normal(0, 20),
            elbow=rng.uniform(-10, 70),
        )
        base = within_limits(replace(base, wrist=wished.wrist, forearm=wished.forearm, elbow=wished.elbow))
        allowed = max(_CONTACT, self.penetration(base))
        for share in (1.0, 0.7, 0.45, 0.25, 0.1):
            pose = within_limits(blend(base, wished, share))
            if self.penetration(pose) <= allowed:
                return pose
        return base

    def penetration(self, pose: Pose) -> float:
        """How deep, in metres, the flesh of two fingers or of finger and palm would lie in each other."""
        centres = moved(bone_transforms(self._rest, pose)[self._flesh.bone], self._flesh.centres)
        return float(max(0.0, -self._flesh.gaps(centres)[self._pairs].min()))


def _flesh(model: ArmModel) -> _Flesh:
    rest, strongest = model.rest, model.weights.argmax(1)
    part_of = {bone: finger for finger in range(1, 6) for bone in range(len(BONES))[finger_bones(finger)]}
    rows = []
    for bone in range(BONES.index(PALM_BONES[0]), len(BONES)):
        skin = rest.vertices[strongest == bone]
        for t in (np.arange(_SPHERES_PER_BONE) + 1) / _SPHERES_PER_BONE:
            centre = rest.heads[bone] * (1 - t) + rest.tails[bone] * t
            rows.append((bone, part_of.get(bone, 0), *centre, 0.9 * np.linalg.norm(skin - centre, axis=1).min()))
    table = np.array(rows)
    return _Flesh(table[:, 0].astype(int), table[:, 1].astype(int), table[:, 2:5], table[:, 5])
