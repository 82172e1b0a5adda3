"""The gated attention unit between the joints of an `RTMCCHead`. Attribute names are mmpose's."""

from __future__ import annotations

import math
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

#: Activations by the names mmpose gives them.
ActFn = Literal["SiLU", "ReLU"]


class ScaleNorm(nn.Module):
    """Divides vectors by their root mean square, and multiplies them by one learnt number (Nguyen & Salazar, 2019).

    Args:
        dim: length of the vectors.
        eps: the least root mean square.
    """

    def __init__(self, dim: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.scale = dim**-0.5
        self.eps = eps
        self.g = nn.Parameter(torch.ones(1))

    def forward(self, x: Tensor) -> Tensor:
        """(..., dim) -> the same shape, computed in float32 at least."""
        wide = x.to(torch.promote_types(x.dtype, torch.float32))
        length = torch.linalg.vector_norm(wide, dim=-1, keepdim=True) * self.scale
        scaled: Tensor = wide / length.clamp(min=self.eps) * self.g
        return scaled


class Scale(nn.Module):
    """Multiplies each channel by a learnt number.

    Args:
        dim: the number of channels.
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(dim))

    def forward(self, x: Tensor) -> Tensor:
        """(..., dim) -> the same shape."""
        return x * self.scale


class GatedAttention(nn.Module):
    """A gated attention unit (Hua et al., Transformer Quality in Linear Time, ICML 2022) as RTMPose uses it.

    One projection gives gates u, values v and a common base of queries and keys; the attention is the squared ReLU of
    their products, and what it gathers of v goes through the gates. Around it all lies a scaled shortcut.

    Args:
        dim: length of a token, coming in and going out.
        s: length of queries and keys.
        expansion_factor: length of u and v in shares of `dim`.
        dropout_rate: probability with which a number of the attention is left out in training.
        drop_path: probability with which the whole unit is left out for a sample in training, but for its shortcut.
        act_fn: after the projection.
    """

    def __init__(
        self,
        dim: int,
        s: int = 128,
        expansion_factor: float = 2.0,
        dropout_rate: float = 0.0,
        drop_path: float = 0.0,
        act_fn: ActFn = "SiLU",
    ) -> None:
        super().__init__()
        self.s, self.e = s, int(dim * expansion_factor)
        self.dropout_rate, self.drop_path = dropout_rate, drop_path
        self.o = nn.Linear(self.e, dim, bias=False)
        self.uv = nn.Linear(dim, 2 * self.e + s, bias=False)
        self.gamma = nn.Parameter(torch.rand(2, s))
        self.beta = nn.Parameter(torch.rand(2, s))
        self.ln = ScaleNorm(dim)
        self.act_fn = nn.SiLU() if act_fn == "SiLU" else nn.ReLU()
        self.res_scale = Scale(dim)

    def forward(self, x: Tensor) -> Tensor:
        """(N, K, dim) tokens -> (N, K, dim)."""
        attended = self._attended(x)
        if self.training and self.drop_path > 0:
            kept = torch.rand(len(x), 1, 1, device=x.device) >= self.drop_path
            attended = attended * kept / (1 - self.drop_path)
        joined: Tensor = self.res_scale(x) + attended
        return joined

    def _attended(self, x: Tensor) -> Tensor:
        u, v, base = self.act_fn(self.uv(self.ln(x))).split([self.e, self.e, self.s], dim=2)
        q, k = (base[:, :, None] * self.gamma + self.beta).unbind(dim=2)
        kernel = F.relu(q @ k.transpose(1, 2) / math.sqrt(self.s)).square()
        kernel = F.dropout(kernel, self.dropout_rate, self.training)
        gathered: Tensor = self.o(u * (kernel.to(v.dtype) @ v))
        return gathered
