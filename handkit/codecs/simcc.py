"""Joints as two distributions, one along each axis."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor

from handkit.codecs.arrays import decoded, encoded, highest_cells, labelled_joints
from handkit.errors import ConfigError
from handkit.registry import CODECS

_FLOOR = 1e-10
#: exp(-this) squared is still a normal float32.
_LARGEST_EXPONENT = 43.0


@CODECS.register_module()
class SimCC:
    """Joints as gaussians over the bins of either axis, each a part of a pixel wide (SimCC, Li et al., ECCV 2022).

    An input pixel x lies at bin x times `simcc_split_ratio`. Targets with ``unbiased=False`` are those of mmpose's
    ``SimCCLabel``. Decoding reads probabilities, as `SimCCHead` and `RTMCCHead` predict them. Mean distance between
    joints and what their own targets decode to, in pixels of a 256 input: 0.19 as in mmpose, 0.00001 with `use_dark`.

    Args:
        input_size: (width, height) of the network's input in pixels.
        simcc_split_ratio: bins per pixel.
        sigma: of the gaussians in bins, or those along (x, y).
        normalize: divide each gaussian by its integral, sqrt(2 pi) sigma; otherwise its height is 1.
        use_dark: decode to a fraction of a bin: blur the distribution, and step from the highest bin to the top of the
            parabola that is its logarithm there (as `handkit.codecs.dark`, along one axis; the blur is mmpose's). A
            step is at most sigma long, and there is none where the parabola has no top.
        unbiased: targets are centred on the joint itself; otherwise on the nearest bin.
        label_beta: the loss sends the targets through a softmax with this factor
            (``KLDiscretLoss(label_softmax=True, label_beta=...)``), which changes what an ideal network answers, and
            with it the scores; None: it does not.

    Raises:
        ConfigError: a size, ratio, sigma or factor that is not positive, or bins that do not fill the input.
    """

    reads: tuple[str, ...] = ("simcc_x", "simcc_y")
    targets: tuple[str, ...] = ("simcc_x", "simcc_y", "target_weight")
    decoding: tuple[str, ...] = ("use_dark",)
    udp: bool = False

    def __init__(
        self,
        input_size: tuple[int, int] = (256, 256),
        simcc_split_ratio: float = 2.0,
        sigma: float | tuple[float, float] = 6.0,
        normalize: bool = True,
        use_dark: bool = False,
        unbiased: bool = True,
        label_beta: float | None = None,
    ) -> None:
        x, y = sigma if isinstance(sigma, (list, tuple)) else (sigma, sigma)
        if min(*input_size, simcc_split_ratio, x, y) <= 0 or (label_beta is not None and label_beta <= 0):
            raise ConfigError(
                f"SimCC needs positive numbers, got input_size={input_size}, simcc_split_ratio={simcc_split_ratio}, "
                f"sigma={sigma}, label_beta={label_beta}"
            )
        bins = [side * simcc_split_ratio for side in input_size]
        if any(abs(count - round(count)) > 1e-6 for count in bins):
            raise ConfigError(
                f"SimCC: simcc_split_ratio {simcc_split_ratio} parts {tuple(input_size)} into {bins} bins"
            )
        self.input_size = (int(input_size[0]), int(input_size[1]))
        self.simcc_split_ratio = float(simcc_split_ratio)
        self.sigma = (float(x), float(y))
        self.normalize = normalize
        self.use_dark = use_dark
        self.unbiased = unbiased
        self.label_beta = label_beta
        self.bins = (round(bins[0]), round(bins[1]))
        #: What the highest bin of an ideal answer holds, along either axis.
        self.peaks = (self._ideal_peak(0), self._ideal_peak(1))

    def encode(self, keypoints: Any, visible: Any) -> dict[str, Any]:
        """Targets of any number of hands, computed where the joints are: numpy in, numpy out; torch in, torch out.

        Args:
            keypoints: (..., K, 2) in input pixels; where a joint is not visible, anything.
            visible: (..., K), 0 where the joint is not labelled.

        Returns:
            ``simcc_x`` (..., K, width x ratio), ``simcc_y`` (..., K, height x ratio), and ``target_weight`` (..., K):
            1, or 0 with empty targets where a joint is not visible or its gaussians, as far as 3 sigma, miss the input.
            float32; values below 1e-18 may be 0 instead.

        Raises:
            DataError: shapes that disagree, or a visible joint that is not finite.
        """
        return encoded(self._encode, keypoints, visible)

    def _encode(self, keypoints: Tensor, visible: Tensor) -> dict[str, Tensor]:
        joints, weight = labelled_joints(keypoints, visible)
        centers = joints * self.simcc_split_ratio
        profiles = []
        for axis in (0, 1):
            center, sigma = centers[..., axis], self.sigma[axis]
            nearest = center.round()
            weight = weight & (nearest - 3 * sigma < self.bins[axis]) & (nearest + 3 * sigma + 1 >= 0)
            profiles.append(self._profile(center if self.unbiased else nearest, axis))
        x, y = (profile * weight[..., None] for profile in profiles)
        return {"simcc_x": x, "simcc_y": y, "target_weight": weight.float()}

    def _profile(self, center: Tensor, axis: int) -> Tensor:
        """(...) centres in bins -> (..., bins) gaussians along an axis."""
        sigma = self.sigma[axis]
        apart = torch.arange(self.bins[axis], device=center.device) - center[..., None]
        exponent = apart**2 / (2 * sigma**2)
        height = 1 / (math.sqrt(2 * math.pi) * sigma) if self.normalize else 1.0
        return torch.where(exponent < _LARGEST_EXPONENT, height * (-exponent).exp(), 0)

    def _ideal_peak(self, axis: int) -> float:
        """The highest probability of the distribution that a joint amid the axis asks for."""
        label = self._profile(torch.tensor(float(self.bins[axis] // 2)), axis).double()
        shares = label / label.sum() if self.label_beta is None else (label * self.label_beta).softmax(0)
        return float(shares.max())

    def decode(self, outputs: Mapping[str, Any]) -> tuple[Any, Any]:
        """Joints of N hands, without a loop over joints and on the device of the outputs.

        Args:
            outputs: ``simcc_x`` (N, K, bins along x) and ``simcc_y`` (N, K, bins along y), probabilities, numpy or
                torch.

        Returns:
            Joints (N, K, 2) in input pixels and scores (N, K): the highest probability in shares of an ideal one, the
            lower of both axes', at most 1. float32, numpy or torch as the outputs were. Nothing is ever NaN: a joint
            without a positive value along both axes (or with a NaN) scores 0 at the crop's centre.

        Raises:
            ConfigError: another number of bins than the input has.
        """
        return decoded(self._decode, outputs["simcc_x"], outputs["simcc_y"])

    @torch.no_grad()
    def _decode(self, *outputs: Tensor) -> tuple[Tensor, Tensor]:
        if tuple(output.shape[-1] for output in outputs) != self.bins:
            shapes = [tuple(output.shape) for output in outputs]
            raise ConfigError(f"SimCC: simcc_x and simcc_y {shapes} do not have {self.bins} bins: compare input_size")
        places, shares = [], []
        for axis, output in enumerate(outputs):
            rows = output.flatten(0, 1).float()
            cells, peak = highest_cells(rows[:, None])
            step = self._steps(rows, cells[:, 0], axis) if self.use_dark else 0.0
            places.append((cells[:, 0] + step) / self.simcc_split_ratio)
            shares.append(peak / self.peaks[axis])
        score = torch.stack(shares).amin(0)
        found = score > 0
        keypoints = torch.stack(places, dim=1)
        middle = keypoints.new_tensor(self.input_size) / 2
        keypoints = torch.where(found[:, None] & keypoints.isfinite().all(1, keepdim=True), keypoints, middle)
        scores = torch.where(found, score, 0).clamp(0, 1)
        count, joints = outputs[0].shape[:2]
        return keypoints.reshape(count, joints, 2), scores.reshape(count, joints)

    def _steps(self, rows: Tensor, cells: Tensor, axis: int) -> Tensor:
        """(M, bins) distributions and their highest bins (M,) -> (M,) steps in bins."""
        sigma = self.sigma[axis]
        kernel = max(1, int((20 * sigma - 7) // 3))
        weights = cv2.getGaussianKernel(kernel - (kernel % 2 == 0), 0, cv2.CV_32F)[:, 0]
        taps = torch.from_numpy(np.asarray(weights)).to(rows.device)
        last, radius = rows.shape[1] - 1, len(taps) // 2
        centers = (cells[:, None] + torch.arange(-2, 3, device=rows.device)).clamp(0, last)
        wanted = centers[:, :, None] + torch.arange(-radius, radius + 1, device=rows.device)
        nearest = wanted.clamp(0, last)
        values = rows.gather(1, nearest.flatten(1)).view_as(nearest) * (nearest == wanted)
        logs = (values @ taps).clamp(min=_FLOOR).log()
        slope = (logs[:, 3] - logs[:, 1]) / 2
        bend = (logs[:, 4] - 2 * logs[:, 2] + logs[:, 0]) / 4
        step = (-slope / bend).clamp(-sigma, sigma)
        return torch.where((bend < 0) & step.isfinite(), step, 0)
