"""How well masks of hands fit: intersection over union."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from handkit.errors import ConfigError, DataError
from handkit.metrics.samples import HandSamples, Metric
from handkit.registry import METRICS

Array = NDArray[Any]


def mask_pixels(predicted: Array, labelled: Array) -> Array:
    """Pixels in the intersection and in the union of masks.

    Args:
        predicted: (N, H, W) probabilities of a hand.
        labelled: (N, H, W), 1 where a hand is seen, other numbers elsewhere.

    Returns:
        (N, 2) intersection and union, a pixel being said to show a hand from a probability of a half on.

    Raises:
        DataError: masks of another size than the predictions.
    """
    if predicted.shape != labelled.shape:
        raise DataError(f"masks of {labelled.shape} do not fit predictions of {predicted.shape}")
    told, true = predicted >= 0.5, labelled == 1
    return np.stack([(told & true).sum((1, 2)), (told | true).sum((1, 2))], -1)


@METRICS.register_module()
class MaskIoU(Metric):
    """Intersection over union of the pixels that show a hand and those that are said to.

    ``IoU`` takes the pixels of all images together, ``IoU_image`` is the mean of the images' own; an image in which
    neither has a hand counts in neither.

    Raises:
        ConfigError: in a call, samples without masks.
    """

    def resampled(self, samples: HandSamples, times: Array) -> dict[str, Array]:
        """{'IoU': over all pixels, 'IoU_image': mean over the images}."""
        if samples.masks is None:
            raise ConfigError("MaskIoU measures networks with task='hand_segmentation'; these samples have no masks")
        both, either = samples.masks.T.astype(np.float64)
        seen = either > 0
        shares = np.divide(both, either, out=np.zeros(len(both)), where=seen)
        with np.errstate(invalid="ignore"):
            return {"IoU": times @ both / (times @ either), "IoU_image": times @ shares / (times @ seen)}
