"""What the heads have in common."""

from __future__ import annotations

from typing import Literal

import torch
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
        reads: the main head's predictions that an auxiliary head takes beside the features, by name, in order.
        training_only: it answers in training and not in the mode 'predict'.
        activation: applied to each of its outputs by `activate`.
    """

    outputs: tuple[str, ...]
    reads: tuple[str, ...] = ()
    training_only: bool = False
    activation: Activation = "none"

    def activate(self, raw: dict[str, Tensor]) -> dict[str, Tensor]:
        """Raw outputs -> predictions; probabilities are float32 whatever the precision of the network."""
        if self.activation == "none":
            return raw
        function = spatial_softmax if self.activation == "softmax" else torch.sigmoid
        return {name: function(value.float()) for name, value in raw.items()}


def spatial_softmax(maps: Tensor) -> Tensor:
    """(N, K, h, w) or (N, K, bins) logits -> probabilities over the cells of each map, or over the bins."""
    return maps.flatten(2).softmax(dim=2).view_as(maps)
