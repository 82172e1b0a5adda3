"""Two of mmcv's compiled ops in plain torch: those that detectors of one and of two stages call."""

from __future__ import annotations

import torch
from torch import Tensor

from handkit.models.detectors.nms import nms as greedy_nms


def nms(boxes: Tensor, scores: Tensor, iou_threshold: float, offset: int = 0) -> Tensor:
    """mmcv's signature for `handkit.models.detectors.nms.nms`.

    Args:
        boxes: (N, 4) xyxy.
        scores: (N,).
        iou_threshold: a box that overlaps a better one by more is dropped.
        offset: 1 where boxes count their last pixel too.

    Returns:
        (M,) int64, the places of the kept boxes, best first.
    """
    return greedy_nms(boxes.float() + boxes.new_tensor([0.0, 0.0, offset, offset]), scores, iou_threshold)


def roi_align_forward(
    features: Tensor,
    rois: Tensor,
    output: Tensor,
    argmax_y: Tensor,
    argmax_x: Tensor,
    aligned_height: int,
    aligned_width: int,
    spatial_scale: float,
    sampling_ratio: int,
    pool_mode: int,
    aligned: bool,
) -> None:
    """RoIAlign (He et al., Mask R-CNN, ICCV 2017) by means; it is not differentiable here.

    Each region is parted into cells, and each cell's value is the mean of samples on a grid in it, bilinear between the
    four nearest places; a sample more than one place outside the map counts as 0.

    Args:
        features: (N, C, H, W).
        rois: (R, 5): image, and xyxy in pixels of the image.
        output: (R, C, aligned_height, aligned_width), filled in place.
        argmax_y: of the maximum; not used by means.
        argmax_x: likewise.
        aligned_height: cells along y.
        aligned_width: cells along x.
        spatial_scale: places of the map per pixel.
        sampling_ratio: samples along a cell's side; 0: as many as it has places, rounded up.
        pool_mode: 1 for the mean.
        aligned: half a place is taken off, so that integers are centres.

    Raises:
        NotImplementedError: the maximum is asked for.
    """
    if pool_mode != 1:
        raise NotImplementedError("handkit's stand-in for mmcv's roi_align has the mean only, not the maximum")
    shift = 0.5 if aligned else 0.0
    for row, roi in enumerate(rois):
        left, top, right, bottom = (roi[1:].double() * spatial_scale - shift).tolist()
        least = 0.0 if aligned else 1.0
        sizes = (max(bottom - top, least), max(right - left, least))
        y = _places(top, sizes[0] / aligned_height, aligned_height, sampling_ratio)
        x = _places(left, sizes[1] / aligned_width, aligned_width, sampling_ratio)
        samples = _bilinear(features[int(roi[0])], y.flatten().to(features), x.flatten().to(features))
        cells = samples.reshape(-1, aligned_height, y.shape[1], aligned_width, x.shape[1])
        output[row] = cells.mean(dim=(2, 4)) if y.shape[1] and x.shape[1] else 0.0


def _places(start: float, step: float, cells: int, ratio: int) -> Tensor:
    """(cells, samples) where samples lie along an axis."""
    count = ratio if ratio > 0 else int(-(-step // 1))
    inside = (torch.arange(count, dtype=torch.float64) + 0.5) / max(count, 1)
    return start + step * (torch.arange(cells, dtype=torch.float64)[:, None] + inside)


def _bilinear(features: Tensor, y: Tensor, x: Tensor) -> Tensor:
    """(C, H, W), (A,) and (B,) -> (C, A, B)."""
    down, right = (_weights(place, size) for place, size in ((y, features.shape[1]), (x, features.shape[2])))
    return torch.einsum("chw,ah,bw->cab", features, down, right)


def _weights(places: Tensor, size: int) -> Tensor:
    """(A,) places along an axis -> (A, size) how much of each cell is taken."""
    within = places.clamp(0, size - 1)
    low = within.floor().long()
    high = (low + 1).clamp(max=size - 1)
    part = within - low
    weights = torch.zeros(len(places), size, dtype=places.dtype, device=places.device)
    rows = torch.arange(len(places), device=places.device)
    weights.index_put_((rows, low), 1 - part, accumulate=True)
    weights.index_put_((rows, high), part, accumulate=True)
    return weights * ((places >= -1) & (places <= size))[:, None]
