"""Are crops of hands told from crops of other things?"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from handkit.metrics.samples import HandSamples, Metric
from handkit.registry import METRICS

Array = NDArray[Any]


@METRICS.register_module()
class PresenceAUC(Metric):
    """The area under the ROC curve of a model's `presence`: how often a hand has a higher one than a crop of no hand.

    Equal ones count half (Mann and Whitney's U over the number of pairs). Negatives are samples with ``hand`` 0, such
    as those of `NegativePhotos`, `SquaresBesideHands` and `FalseDetections`. Not measured (NaN) for a model that tells
    no presence, and on a set without hands or without negatives.
    """

    def resampled(self, samples: HandSamples, times: Array) -> dict[str, Array]:
        """{'presence_auc': areas}."""
        crops = samples.presence
        if crops is None:
            return {"presence_auc": np.full(len(times), np.nan)}
        _, rank = np.unique(crops.probabilities, return_inverse=True)
        weights = times[:, crops.images]
        hands, others = (_by_rank(weights * kind, rank) for kind in (crops.hands, ~crops.hands))
        below = np.cumsum(others, axis=1) - others / 2
        pairs = hands.sum(1) * others.sum(1)
        won = (hands * below).sum(1)
        return {"presence_auc": np.divide(won, pairs, out=np.full(len(times), np.nan), where=pairs > 0)}


def _by_rank(weights: Array, rank: Array) -> Array:
    """(B, C) weights of crops -> (B, R) their sums over the crops of each rank."""
    sums = np.zeros((len(weights), int(rank.max(initial=-1)) + 1))
    np.add.at(sums.T, rank, weights.T)
    return sums
