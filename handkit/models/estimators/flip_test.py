"""Flip test: the mean of what a network sees in a crop and in its mirror image."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor, nn

from handkit.errors import ConfigError, did_you_mean
from handkit.registry import MODELS
from handkit.skeleton import SKELETONS

#: Outputs whose second axis is joints.
_PER_JOINT = ("heatmaps", "simcc_x", "simcc_y", "offsets", "coordinates", "xyz_root")


@MODELS.register_module()
class FlipTest(nn.Module):
    """Wraps an estimator: crop and mirror image go through it in one batch, the outputs are averaged.

    A joint at column x of an input of width W lies at x / s of a heat map with stride s, and at (W - 1 - x) / s of the
    mirror image's. Flipped back, the second map therefore has it (s - 1) / s cells too far left: 3/4 of a cell at
    stride 4. ``shift`` says what is done about that. Bias and largest error in x of ideal gaussian maps (sigma 2, away
    from the border) after DARK decoding, in pixels of a 256 input:

    ======== ======= ====== =====================================================================================
    shift    bias    max    what is done with the flipped map
    ======== ======= ====== =====================================================================================
    aligned   0.001  0.003  moved by exactly (s - 1) / s cells, cubic Lagrange interpolation between 4 cells, which
                            keeps the first three moments; linear interpolation skews the peak (bias 0.011)
    mmpose    0.500  0.501  moved by one column, the first one repeated: what published scores were made with
    none     -1.500  1.501  left alone; right (bias 0) for maps made with UDP, where corner centres coincide
    ======== ======= ====== =====================================================================================

    ``simcc_x`` with r bins per pixel has the joint at bin r x, and flipped back r - 1 bins too far right: 'aligned'
    moves it back, 'mmpose' and 'none' leave it, so that the mean of both is half a bin off at r = 2. ``simcc_y`` needs
    nothing, and a mirrored coordinate is exactly (W - 1) / W - x in every mode. Of bins the probabilities are averaged,
    where mmpose averages logits.

    ``offsets`` and ``displacements`` have x negated and go with maps whose mirror image needs no move, as
    `OffsetHeatmap`'s and `HandOffsets`'.

    Of the other outputs, ``mask`` is flipped back, ``presence`` is averaged as it is, ``handedness`` with 1 - p of the
    mirror image, and ``xyz_root`` and ``xyz_bone`` with x negated.

    Args:
        model: the estimator, e.g. `TopDownEstimator`. As in torch's own wrappers it becomes the attribute ``module``,
            and `handkit.checkpoints` reads and writes its weights, not the wrapper's.
        shift: how the mirrored heat maps and ``simcc_x`` are moved before they are averaged.
        skeleton: the joints, by their name in `handkit.skeleton.SKELETONS`: those of a face change places in a mirror.

    Raises:
        ConfigError: an unknown `shift` or `skeleton`; in the forward pass, an output that cannot be mirrored.
    """

    def __init__(
        self, model: nn.Module, shift: Literal["aligned", "mmpose", "none"] = "aligned", skeleton: str = "hand"
    ) -> None:
        super().__init__()
        if shift not in ("aligned", "mmpose", "none"):
            raise ConfigError(f"FlipTest: shift must be 'aligned', 'mmpose' or 'none', not {shift!r}")
        if skeleton not in SKELETONS:
            raise ConfigError(f"FlipTest: no skeleton {skeleton!r}; {did_you_mean(skeleton, SKELETONS)}")
        self.module = model
        self.shift = shift
        self.mirror = list(SKELETONS[skeleton].mirror)

    def forward(self, img: Tensor) -> dict[str, Tensor]:
        """(N, 3, H, W) -> the model's outputs, N rows each, averaged over crop and mirror image."""
        both: dict[str, Tensor] = self.module(torch.cat([img, img.flip(-1)]))
        count, width = img.shape[0], img.shape[-1]
        return {name: (out[:count] + self._mirror(name, out[count:], width)) / 2 for name, out in both.items()}

    def _mirror(self, name: str, out: Tensor, width: int) -> Tensor:
        """An output of the mirror image, brought back to the crop; hands keep their joint order when mirrored."""
        if self.mirror and name in _PER_JOINT:
            out = out[:, self.mirror]
        if name == "heatmaps":
            return self._shift(out.flip(-1), stride=width / out.shape[-1])
        if name == "mask":
            return out.flip(-1)
        if name == "simcc_x":
            return shift_columns(out.flip(-1), 1 - out.shape[-1] / width if self.shift == "aligned" else 0.0)
        if name in ("presence", "simcc_y"):
            return out
        if name == "offsets" or (name == "displacements" and not self.mirror):
            return out.flip(-1) * out.new_tensor([-1.0, 1.0])[:, None, None]
        if name == "coordinates":
            return (out - out.new_tensor([(width - 1) / width, 0])) * out.new_tensor([-1.0, 1.0])
        if name == "handedness":
            return 1 - out
        if name in ("xyz_root", "xyz_bone"):
            return out * out.new_tensor([-1.0, 1.0, 1.0])
        raise ConfigError(f"FlipTest does not know how the output {name!r} looks in a mirror; run the model without it")

    def _shift(self, heatmaps: Tensor, stride: float) -> Tensor:
        if self.shift == "aligned":
            return shift_columns(heatmaps, (stride - 1) / stride)
        if self.shift == "mmpose":
            return torch.cat([heatmaps[..., :1], heatmaps[..., :-1]], dim=-1)
        return heatmaps


def shift_columns(maps: Tensor, cells: float) -> Tensor:
    """Moves (..., w) maps to the right by any number of cells: cubic Lagrange interpolation, edges repeated.

    Args:
        maps: the maps.
        cells: to the left where negative; whole numbers copy.
    """
    whole = math.floor(cells)
    part = cells - whole
    taps = (-1, 0, 1, 2) if part else (0,)
    columns = torch.arange(maps.shape[-1], device=maps.device) - whole
    moved = torch.zeros_like(maps)
    for tap in taps:
        weight = math.prod((part - other) / (tap - other) for other in taps if other != tap)
        moved = moved + weight * maps[..., (columns - tap).clamp(0, maps.shape[-1] - 1)]
    return moved
