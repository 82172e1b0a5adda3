"""What the heads have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from torch import Tensor, nn

#: What makes a raw output a prediction: nothing, a softmax over the cells of each map (or bins), or a sigmoid.
Activation = Literal["none", "softmax", "sigmoid"]


class Head(nn.Module):
    """Feature maps in, raw outputs by name out, and what turns the raw outputs into predictions.

    A head is called with the backbone's maps, the highest resolution first, and then with what it `reads`; it gives one
    raw output of N rows for each of `outputs`.
    Training judges the raw outputs, since the logarithm of a softmax or sigmoid is exact only when taken of its input.

    Attributes:
        outputs: the names of what the head gives.
        internal: those of them that losses and other heads read, and no prediction shows.
        name: how an auxiliary head is called in state dicts; '' for its outputs' names, joined by '_'.
        reads: the predictions that an auxiliary head takes beside the features, by name, in order: the main head's, and
            those of auxiliary heads that stand before it.
        training_only: it answers in training and not in the mode 'predict'.
        maps: which of the backbone's maps it reads.
        map_channels: of each of those maps, as its arguments say; () where they do not.
        activation: applied to each of its outputs by `activate`, where `activation_of` does not say otherwise.
    """

    outputs: tuple[str, ...]
    internal: tuple[str, ...] = ()
    name: str = ""
    reads: tuple[str, ...] = ()
    training_only: bool = False
    maps: slice = slice(-1, None)
    map_channels: tuple[int, ...] = ()
    activation: Activation = "none"

    def activate(self, raw: dict[str, Tensor]) -> dict[str, Tensor]:
        """Raw outputs -> predictions; probabilities are float32 whatever the precision of the network."""
        return {name: _FUNCTIONS[self.activation_of(name)](value) for name, value in raw.items()}

    def activation_of(self, output: str) -> Activation:
        """What makes the raw output of that name a prediction."""
        return self.activation


def spatial_softmax(maps: Tensor) -> Tensor:
    """(N, K, h, w) or (N, K, bins) logits -> probabilities over the cells of each map, or over the bins."""
    return maps.flatten(2).softmax(dim=2).view_as(maps)


_FUNCTIONS: dict[Activation, Callable[[Tensor], Tensor]] = {
    "none": lambda raw: raw,
    "softmax": lambda raw: spatial_softmax(raw.float()),
    "sigmoid": lambda raw: raw.float().sigmoid(),
}
