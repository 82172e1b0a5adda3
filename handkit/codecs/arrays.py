"""What codecs that compute with torch share: numpy in, numpy out; checked joints; highest cells."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from handkit.errors import DataError


@torch.no_grad()
def encoded(encode: Callable[..., dict[str, Tensor]], keypoints: Any, *labels: Any) -> dict[str, Any]:
    """The targets that `encode` makes of joints and further labels as tensors; numpy arrays if the joints are none."""
    if isinstance(keypoints, Tensor):
        return encode(keypoints, *(torch.as_tensor(label, device=keypoints.device) for label in labels))
    targets = encode(torch.tensor(np.asarray(keypoints, np.float32)), *map(torch.tensor, map(np.asarray, labels)))
    return {name: target.numpy() for name, target in targets.items()}


def decoded(decode: Callable[..., tuple[Tensor, Tensor]], *outputs: Any) -> tuple[Any, Any]:
    """What `decode` makes of tensors, in full precision; as numpy arrays if the outputs are such."""
    if isinstance(outputs[0], np.ndarray):
        tensors = (torch.from_numpy(np.require(output, requirements=["C", "W"])) for output in outputs)
        keypoints, scores = decode(*tensors)
        return keypoints.numpy(), scores.numpy()
    with torch.autocast(outputs[0].device.type, enabled=False):  # half precision would cost half a pixel
        return decode(*outputs)


def labelled_joints(keypoints: Tensor, visible: Tensor) -> tuple[Tensor, Tensor]:
    """Joints (..., K, 2) and visibility (..., K) -> float32 joints, 0 where not labelled, and (..., K) which are.

    Raises:
        DataError: shapes that disagree, or a visible joint that is not finite.
    """
    if keypoints.shape != (*visible.shape, 2):
        shapes = f"{tuple(keypoints.shape)} and visible {tuple(visible.shape)}"
        raise DataError(f"keypoints {shapes} must be (..., K, 2) and (..., K)")
    labelled = visible > 0
    if not (keypoints.isfinite().all(-1) | ~labelled).all():
        raise DataError("a visible joint has a coordinate that is not finite")
    return torch.where(labelled[..., None], keypoints, 0).float(), labelled


def highest_cells(maps: Tensor) -> tuple[Tensor, Tensor]:
    """(M, h, w) -> (M, 2) column and row of each map's maximum, the first in reading order, and (M,) its value."""
    flat = maps.flatten(1)
    # torch's argmax on a CPU is not vectorised: ten times slower than numpy's.
    index = torch.from_numpy(flat.numpy().argmax(1)) if flat.device.type == "cpu" else flat.argmax(1)
    width = maps.shape[2]
    return torch.stack([index % width, index // width], dim=1), flat.gather(1, index[:, None])[:, 0]
