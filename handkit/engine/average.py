"""The moving average of a model's weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from handkit.checkpoints import unwrap


class WeightAverage:
    """Exponential moving average of all floating weights and buffers; counters are copied.

    The decay of the n-th update is min(`decay`, (1 + n) / (10 + n)), so that the random weights of the beginning are
    soon forgotten. Statistics of batch norms are averaged too: they belong to the averaged weights.

    Args:
        model: its present state is the first average.
        decay: per update, in [0, 1).
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self._model = unwrap(model)
        self.decay = decay
        self.updates = 0
        self._average = {key: value.detach().clone() for key, value in self._model.state_dict().items()}

    @torch.no_grad()
    def update(self) -> None:
        """Takes the model's present state in."""
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        self.updates += 1
        state = self._model.state_dict()
        floating = [key for key, value in state.items() if value.is_floating_point()]
        mix: Callable[[list[Tensor], list[Tensor], int], None] = get_ema_multi_avg_fn(decay)  # type: ignore[no-untyped-call]
        mix([self._average[key] for key in floating], [state[key] for key in floating], self.updates)
        for key in state.keys() - set(floating):
            self._average[key].copy_(state[key])

    @torch.no_grad()
    def swap(self) -> None:
        """Exchanges the model's state and the average; a second call undoes it."""
        for key, value in self._model.state_dict().items():
            kept = value.clone()
            value.copy_(self._average[key])
            self._average[key].copy_(kept)

    def state_dict(self) -> dict[str, Tensor]:
        """The average under the model's names."""
        return dict(self._average)

    @torch.no_grad()
    def load(self, average: Mapping[str, Tensor], updates: int) -> None:
        """Goes on from an average that was read back."""
        self.updates = updates
        for key, value in self._average.items():
            value.copy_(average[key])
