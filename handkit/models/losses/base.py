"""What the losses of an estimator have in common."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from handkit.errors import ConfigError
from handkit.models.heads.base import Activation


@dataclass(frozen=True)
class Targets:
    """What the labels of N crops or whole images ask of a network; None for what the data set does not say.

    Args:
        heatmaps: (N, K, h, w) from the codec's ``encode``.
        target_weight: (N, K) share with which a joint counts, 0 where it is not labelled.
        right: (N,) 1 the person's right hand in the un-mirrored image, 0 the left one, NaN unknown.
        hand: (N,) 1 where the crop shows a hand, 0 where it does not; None when all of them do.
        simcc_x: (N, K, bins along x) from the codec's ``encode``.
        simcc_y: (N, K, bins along y), likewise.
        coordinates: (N, K, 2), x / width and y / height, likewise.
        offsets: (N, K, 2, h, w) in units of the codec's radius, likewise.
        displacements: (N, 2E, 2, h, w) in the same units, from the codec `HandOffsets`.
        displacement_weight: (N, 2E, h, w) share with which a cell of a displacement counts.
        heatmap_mask: (N, K, h, w) share with which a cell of the heat maps counts, from the codec `HandOffsets`; None
            where all cells count.
        hand_angles: (N, 3) yaw, pitch and roll of the palm in radians, NaN unknown.
        hand_classes: (N, C) 1 where the hand is of a class, else 0.
        mask: (N, H, W) 1 where the input shows a hand, other numbers where not.
        xyz_bone: (N, K, 3) joints relative to the wrist, in the axes of the crop and lengths of the forefinger's
            proximal bone.
        canonical: (N, K, 3) joints in the canonical frame of `handkit.canonical`.
        viewpoint: (N, 3, 3) rotation into that frame.
    """

    heatmaps: Tensor | None = None
    target_weight: Tensor | None = None
    right: Tensor | None = None
    hand: Tensor | None = None
    simcc_x: Tensor | None = None
    simcc_y: Tensor | None = None
    coordinates: Tensor | None = None
    offsets: Tensor | None = None
    displacements: Tensor | None = None
    displacement_weight: Tensor | None = None
    heatmap_mask: Tensor | None = None
    hand_angles: Tensor | None = None
    hand_classes: Tensor | None = None
    mask: Tensor | None = None
    xyz_bone: Tensor | None = None
    canonical: Tensor | None = None
    viewpoint: Tensor | None = None

    def need(self, name: str, loss: nn.Module) -> Tensor:
        """The target of that name.

        Raises:
            ConfigError: there is none.
        """
        target: Tensor | None = getattr(self, name)
        if target is None:
            raise ConfigError(
                f"{type(loss).__name__} needs the target {name!r}: a transform must make it, and PoseCollect(keys=...) "
                "must name it"
            )
        return target

    def hands(self, output: Tensor) -> Tensor:
        """(N,) 1 for the rows of `output` that show a hand, else 0."""
        return output.new_ones(len(output)) if self.hand is None else (self.hand > 0.5).to(output.dtype)


class Loss(nn.Module):
    """One term of the training loss, from one or more raw outputs of a head.

    Rows that a term has nothing to say about (a crop without a hand, an unknown side) are left out of its mean, so that
    they change neither the value nor the gradient, however many there are. Half precision is left before anything is
    computed.

    Args:
        loss_weight: factor of this term in the sum over all terms.

    Attributes:
        name: the term's name among those the network answers; begins with ``loss_``.
        reads: the raw outputs that are judged.
        needs: the targets it cannot do without; where a row may be no hand, it also regards ``hand``.
        activation: what this loss takes the outputs to go through later; the head must agree.

    Raises:
        ConfigError: a `loss_weight` that is not positive.
    """

    name: ClassVar[str]
    reads: ClassVar[tuple[str, ...]]
    needs: ClassVar[tuple[str, ...]]
    activation: ClassVar[Activation]
    loss_weight: float

    def __init__(self, loss_weight: float = 1.0) -> None:
        super().__init__()
        if not loss_weight > 0:
            raise ConfigError(f"{type(self).__name__}: loss_weight must be positive, not {loss_weight}")
        self.loss_weight = float(loss_weight)

    def forward(self, outputs: Mapping[str, Tensor], targets: Targets) -> Tensor:
        """The mean over the rows that count; 0 where none does; `loss_weight` is not applied.

        Raises:
            ConfigError: a target is missing or has another shape than the output.
        """
        values, counts = self.per_sample({name: at_least_float32(outputs[name]) for name in self.reads}, targets)
        return (values * counts).sum() / counts.sum().clamp(min=1)

    def per_sample(self, outputs: Mapping[str, Tensor], targets: Targets) -> tuple[Tensor, Tensor]:
        """The raw outputs of N rows -> (N,) values, and (N,) 1 for the rows that count, else 0."""
        raise NotImplementedError


def at_least_float32(output: Tensor) -> Tensor:
    """Half precision to float32, everything else as it is."""
    return output.to(torch.promote_types(output.dtype, torch.float32))


def check_shape(loss: nn.Module, name: str, target: Tensor, shape: tuple[int, ...]) -> None:
    """Refuses a target that broadcasting would quietly stretch.

    Raises:
        ConfigError: the target has another shape.
    """
    if tuple(target.shape) != shape:
        raise ConfigError(
            f"{type(loss).__name__}: the target {name!r} has the shape {tuple(target.shape)}, the network gives {shape}"
        )
