"""Random poses within the joints' limits in which fingers do not run through each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from handkit.datasets.synthetic.arm import Geometry
from handkit.datasets.synthetic.flesh import Flesh
from handkit.datasets.synthetic.gestures import GESTURES, blend, within_limits
from handkit.datasets.synthetic.posing import Kinematics, Pose, moved

# Deepest overlap of flesh that is taken for contact, metres.
_CONTACT = 2e-3
# Spheres whose gap at rest is smaller belong to neighbouring flesh.
_NEIGHBOURS = 1e-3


class PoseSampler:
    """Draws poses.

    Args:
        rest: the bones at rest.
        flesh: what may not collide.
    """

    def __init__(self, rest: Geometry, flesh: Flesh) -> None:
        self._kinematics = Kinematics(rest)
        self._flesh = flesh
        self._pairs = flesh.pairs(_NEIGHBOURS)

    def sample(self, rng: np.random.Generator, gestures: Sequence[str] | None = None) -> Pose:
        """A gesture or a mix of two, with noise; what collides is drawn back towards the gesture.

        Args:
            rng: the only source of randomness.
            gestures: names of those to choose from; None takes all.
        """
        names = sorted(GESTURES) if gestures is None else list(gestures)
        base, other = (GESTURES[names[rng.integers(len(names))]] for _ in range(2))
        mix = blend(base, other, float(rng.beta(0.5, 1.5)))
        together, size = rng.normal(0, 1), rng.choice([0.3, 0.7, 1.4])
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
        centres = moved(self._kinematics.transforms(pose)[self._flesh.bone], self._flesh.centres)
        return float(max(0.0, -self._flesh.gaps(centres, self._pairs).min()))
