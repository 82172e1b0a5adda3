"""mmpose's heads in handkit's `TopDownEstimator`."""

from __future__ import annotations

from typing import Any

from mmpose.models import heads
from torch import Tensor

from handkit.models.heads.base import Head

#: What heads of these kinds, and those derived from them, answer.
_OUTPUTS: dict[Any, tuple[str, ...]] = {
    heads.HeatmapHead: ("heatmaps",),
    heads.SimCCHead: ("simcc_x", "simcc_y"),
    heads.RTMCCHead: ("simcc_x", "simcc_y"),
    heads.RegressionHead: ("coordinates",),
}


def adapted_head(cls: Any) -> Any:
    """A class that is mmpose's with handkit's names for what it answers; None where handkit has none.

    Its state dict is mmpose's. The loss and the decoder that mmpose's constructor takes are not used: the estimator's
    ``losses`` and the config's ``codec`` are.
    """
    outputs = next((names for kind, names in _OUTPUTS.items() if issubclass(cls, kind)), None)
    if outputs is None:
        return None
    places = {"__module__": cls.__module__, "__qualname__": cls.__qualname__, "__doc__": cls.__doc__}
    base = _SimCC if len(outputs) == 2 else _MMPoseHead
    return type(cls.__name__, (base, cls), {**places, "outputs": outputs})


class _MMPoseHead(Head):
    """What stands before mmpose's class."""

    in_channels: Any

    @property
    def map_channels(self) -> tuple[int, ...]:  # type: ignore[override]
        """Those of the last map, which is the one mmpose's heads read."""
        return (self.in_channels,) if isinstance(self.in_channels, int) else ()

    def forward(self, features: Any) -> dict[str, Tensor]:
        """Feature maps -> raw outputs by name."""
        made = super().forward(features)
        return dict(zip(self.outputs, made if isinstance(made, tuple) else (made,), strict=True))


class _SimCC(_MMPoseHead):
    """Logits; the temperature is that of the loss which mmpose's constructor takes."""

    activation = "softmax"
    loss_module: Any

    @property
    def beta(self) -> float:
        """Factor of the logits before the softmax."""
        return float(getattr(self.loss_module, "beta", 1.0))

    def activate(self, raw: dict[str, Tensor]) -> dict[str, Tensor]:
        """Logits (N, K, bins) -> probabilities."""
        return super().activate({name: value.float() * self.beta for name, value in raw.items()})
