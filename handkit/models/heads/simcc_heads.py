"""Heads that answer a distribution over the bins of either axis per joint, for the codec `SimCC`."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from handkit.errors import ConfigError
from handkit.models.heads.base import Head
from handkit.models.heads.gated_attention import ActFn, GatedAttention, ScaleNorm
from handkit.models.heads.heatmap_head import HeatmapHead
from handkit.registry import MODELS


class _SimCCHead(Head):
    """What both heads share: two outputs of logits, and what makes probabilities of them."""

    outputs = ("simcc_x", "simcc_y")
    activation = "softmax"

    def __init__(
        self,
        input_size: tuple[int, int],
        in_featuremap_size: tuple[int, int],
        simcc_split_ratio: float,
        beta: float,
        **positive: float,
    ) -> None:
        super().__init__()
        if min(*input_size, *in_featuremap_size, simcc_split_ratio, beta, *positive.values()) <= 0:
            given = ", ".join(f"{name}={value}" for name, value in positive.items())
            raise ConfigError(
                f"{type(self).__name__} needs positive numbers, got input_size={input_size}, "
                f"in_featuremap_size={in_featuremap_size}, simcc_split_ratio={simcc_split_ratio}, beta={beta}, {given}"
            )
        self.beta = float(beta)
        self.in_featuremap_size = (int(in_featuremap_size[0]), int(in_featuremap_size[1]))
        self.bins = (round(input_size[0] * simcc_split_ratio), round(input_size[1] * simcc_split_ratio))

    def activate(self, raw: dict[str, Tensor]) -> dict[str, Tensor]:
        """Logits (N, K, bins) -> probabilities over the bins, softmax(beta x logits), float32."""
        return super().activate({name: value.float() * self.beta for name, value in raw.items()})

    def _last(self, features: Sequence[Tensor]) -> Tensor:
        """The backbone's last map, whose size the linear layers know.

        Raises:
            ConfigError: a map of another size.
        """
        width, height = self.in_featuremap_size
        if tuple(features[-1].shape[2:]) != (height, width):
            raise ConfigError(
                f"{type(self).__name__}: the backbone's last map has the shape {tuple(features[-1].shape)}, but "
                f"in_featuremap_size is (width, height) {self.in_featuremap_size}"
            )
        return features[-1]

    def _initialise(self) -> None:
        for part in self.modules():
            if isinstance(part, (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)):
                nn.init.normal_(part.weight, std=0.01 if isinstance(part, nn.Linear) else 0.001)
                if part.bias is not None:
                    nn.init.zeros_(part.bias)


@MODELS.register_module()
class SimCCHead(_SimCCHead):
    """One map per joint, by deconvolutions or a 1x1 convolution alone, and a linear layer to the bins of either axis.

    Li et al., SimCC: a Simple Coordinate Classification Perspective for Human Pose Estimation, ECCV 2022. State-dict
    keys and raw outputs are those of mmpose 1.x.

    Args:
        in_channels: of the backbone's last map.
        out_channels: the number of joints.
        input_size: (width, height) of the network's input in pixels.
        in_featuremap_size: (width, height) of the backbone's last map.
        simcc_split_ratio: bins per pixel.
        deconv_out_channels: of the deconvolutions, see `HeatmapHead`; () for the 1x1 convolution alone.
        deconv_kernel_sizes: of the deconvolutions.
        beta: predictions are softmax(beta x raw outputs); that of the loss.

    Raises:
        ConfigError: numbers that are not positive; in the forward pass, a map of another size.
    """

    def __init__(
        self,
        in_channels: int = 2048,
        out_channels: int = 21,
        input_size: tuple[int, int] = (256, 256),
        in_featuremap_size: tuple[int, int] = (8, 8),
        simcc_split_ratio: float = 2.0,
        deconv_out_channels: Sequence[int] = (256, 256, 256),
        deconv_kernel_sizes: Sequence[int] = (4, 4, 4),
        beta: float = 1.0,
    ) -> None:
        channels = {"in_channels": in_channels, "out_channels": out_channels}
        super().__init__(input_size, in_featuremap_size, simcc_split_ratio, beta, **channels)
        self.map_channels = (in_channels,)
        self.deconv_head: HeatmapHead | None = None
        cells = self.in_featuremap_size[0] * self.in_featuremap_size[1]
        if deconv_out_channels:
            self.deconv_head = HeatmapHead(in_channels, out_channels, deconv_out_channels, deconv_kernel_sizes)
            cells *= 4 ** len(deconv_out_channels)
        else:
            self.final_layer = nn.Conv2d(in_channels, out_channels, 1)
        self.mlp_head_x = nn.Linear(cells, self.bins[0])
        self.mlp_head_y = nn.Linear(cells, self.bins[1])
        self._initialise()

    def forward(self, features: Sequence[Tensor]) -> dict[str, Tensor]:
        """The last map (N, in_channels, h, w) -> ``simcc_x``, ``simcc_y`` (N, K, bins), logits."""
        last = self._last(features)
        maps = self.final_layer(last) if self.deconv_head is None else self.deconv_head([last])["heatmaps"]
        flat = maps.flatten(2)
        return {"simcc_x": self.mlp_head_x(flat), "simcc_y": self.mlp_head_y(flat)}


@MODELS.register_module()
class RTMCCHead(_SimCCHead):
    """One map per joint, a vector of each, attention between the joints, and a linear layer to the bins of either axis.

    Jiang et al., RTMPose: Real-Time Multi-Person Pose Estimation based on MMPose, arXiv 2303.07399. State-dict keys and
    raw outputs are those of mmpose 1.x, with ``use_rel_bias=False`` and ``pos_enc=False`` as in all of its configs.

    Args:
        in_channels: of the backbone's last map.
        out_channels: the number of joints.
        input_size: (width, height) of the network's input in pixels.
        in_featuremap_size: (width, height) of the backbone's last map.
        simcc_split_ratio: bins per pixel.
        final_layer_kernel_size: of the convolution to one map per joint, odd.
        hidden_dims: length of a joint's vector.
        s: length of queries and keys, see `GatedAttention`.
        expansion_factor: length of gates and values in shares of `hidden_dims`.
        dropout_rate: within the attention.
        drop_path: of the attention as a whole.
        act_fn: of the attention.
        beta: predictions are softmax(beta x raw outputs); that of the loss.

    Raises:
        ConfigError: numbers that are not positive, an even kernel, a probability that is none; in the forward pass, a
            map of another size.
    """

    def __init__(
        self,
        in_channels: int = 768,
        out_channels: int = 21,
        input_size: tuple[int, int] = (256, 256),
        in_featuremap_size: tuple[int, int] = (8, 8),
        simcc_split_ratio: float = 2.0,
        final_layer_kernel_size: int = 7,
        hidden_dims: int = 256,
        s: int = 128,
        expansion_factor: float = 2.0,
        dropout_rate: float = 0.0,
        drop_path: float = 0.0,
        act_fn: ActFn = "SiLU",
        beta: float = 10.0,
    ) -> None:
        channels = {"in_channels": in_channels, "out_channels": out_channels, "hidden_dims": hidden_dims, "s": s}
        positive = {**channels, "expansion_factor": expansion_factor, "kernel": final_layer_kernel_size}
        super().__init__(input_size, in_featuremap_size, simcc_split_ratio, beta, **positive)
        if final_layer_kernel_size % 2 == 0:
            raise ConfigError(f"RTMCCHead: final_layer_kernel_size must be odd, not {final_layer_kernel_size}")
        if act_fn not in ("SiLU", "ReLU") or not (0 <= dropout_rate < 1 and 0 <= drop_path < 1):
            raise ConfigError(
                "RTMCCHead: act_fn must be 'SiLU' or 'ReLU', dropout_rate and drop_path lie in [0, 1), got "
                f"{act_fn!r}, {dropout_rate}, {drop_path}"
            )
        cells = self.in_featuremap_size[0] * self.in_featuremap_size[1]
        self.map_channels = (in_channels,)
        padding = final_layer_kernel_size // 2
        self.final_layer = nn.Conv2d(in_channels, out_channels, final_layer_kernel_size, padding=padding)
        self.mlp = nn.Sequential(ScaleNorm(cells), nn.Linear(cells, hidden_dims, bias=False))
        self.gau = GatedAttention(hidden_dims, s, expansion_factor, dropout_rate, drop_path, act_fn)
        self.cls_x = nn.Linear(hidden_dims, self.bins[0], bias=False)
        self.cls_y = nn.Linear(hidden_dims, self.bins[1], bias=False)
        self._initialise()

    def forward(self, features: Sequence[Tensor]) -> dict[str, Tensor]:
        """The last map (N, in_channels, h, w) -> ``simcc_x``, ``simcc_y`` (N, K, bins), logits."""
        tokens = self.gau(self.mlp(self.final_layer(self._last(features)).flatten(2)))
        return {"simcc_x": self.cls_x(tokens), "simcc_y": self.cls_y(tokens)}
