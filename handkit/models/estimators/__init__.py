"""Estimators: networks from a normalised batch (N, 3, H, W) of crops or whole images to a dict of outputs.

They predict ``heatmaps`` (N, K, h, w), or ``simcc_x`` and ``simcc_y`` (N, K, bins), or ``coordinates`` (N, K, 2) in
shares of the input's sides, or ``heatmaps`` with ``offsets`` (N, K, 2, h, w), whichever the codec reads, and, where the
model has them, ``presence`` (N,) the probability that there is a hand, ``handedness`` (N,) the probability that it is
the person's right hand in an un-mirrored image, ``xyz_root`` (N, K, 3) metres relative to the wrist, and ``xyz_bone``
the same in lengths of the forefinger's proximal bone; of whole images also ``displacements`` (N, 2 (K - 1), 2, h, w).
`MaskHead` gives ``mask`` (N, H, W) in place of joints, the probability of a hand; `GestureMLP`, which reads joints and
not pixels, ``gesture_probabilities`` (N, C). In the mode 'loss' they answer scalars instead, see
`handkit.models.estimators.base.PoseEstimator`.
"""

from handkit.models.estimators.bottom_up import BottomUpEstimator
from handkit.models.estimators.flip_test import FlipTest
from handkit.models.estimators.gesture_mlp import GestureMLP
from handkit.models.estimators.top_down import TopDownEstimator

__all__ = ["BottomUpEstimator", "FlipTest", "GestureMLP", "TopDownEstimator"]
