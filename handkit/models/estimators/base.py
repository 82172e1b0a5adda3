"""What the estimators of crops and of whole images have in common."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import cast

import torch
from torch import Tensor, nn

from handkit.errors import ConfigError
from handkit.models.heads import Head
from handkit.models.losses import Loss, Targets
from handkit.models.modes import Mode, check_mode


class PoseEstimator(nn.Module):
    """A backbone, its heads and their losses: a batch of images in, named outputs out. Decoding is the codec's work.

    State-dict keys: ``backbone.*``, ``head.*``, and ``aux_heads.{output}.*``, e.g. ``aux_heads.presence.fc.weight``.

    Args:
        backbone: image batch -> tuple of feature maps.
        head: feature maps -> outputs from which a codec reads the joints.
        aux_heads: feature maps, and those predictions of `head` or of an auxiliary head before them that they read ->
            further outputs.
        losses: the terms of the training loss; none are needed to predict.

    Raises:
        ConfigError: two heads give the same output, an auxiliary head reads what none before it gives, or a loss judges
            an output that no head gives or that the head activates otherwise.
    """

    def __init__(
        self, backbone: nn.Module, head: Head, aux_heads: Sequence[Head] = (), losses: Sequence[Loss] = ()
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.head: Head = head
        self.aux_heads = nn.ModuleDict({aux.name or "_".join(aux.outputs): aux for aux in aux_heads})
        self.losses = nn.ModuleList(losses)
        _check_outputs([head, *aux_heads], losses)
        _check_reads(head, aux_heads)

    def answer(self, img: Tensor, mode: Mode, targets: Targets) -> dict[str, Tensor]:
        """Runs N images (N, 3, H, W), normalised.

        Returns:
            In the mode 'predict' the heads' outputs after their activation, N rows each, without internal ones and
            those of heads for training only; in 'tensor' before it; in 'loss' a scalar for each of `losses`, and
            ``loss``, their sum weighted by each one's `loss_weight`.

        Raises:
            ConfigError: an unknown mode; a head that takes other numbers of channels than the backbone gives; in
                'loss', no losses, or a target that is missing or misshaped.
        """
        check_mode(mode, self)
        raw = list(self._raw(self.backbone(img), mode, targets.right if mode == "loss" else None))
        if mode == "predict":
            shown = ((head, head.activate(outputs)) for head, outputs in raw)
            return {name: value for head, made in shown for name, value in made.items() if name not in head.internal}
        joined = {name: value for _, outputs in raw for name, value in outputs.items()}
        return joined if mode == "tensor" else self._loss(joined, targets)

    def _raw(
        self, features: Sequence[Tensor], mode: Mode, right: Tensor | None
    ) -> Iterator[tuple[Head, dict[str, Tensor]]]:
        """Each head with its raw outputs, the main one first; heads that read the side are told `right` where known."""
        outputs = self._ask(self.head, features)
        yield self.head, outputs
        predictions = self.head.activate(outputs)
        for aux in cast("Iterator[Head]", self.aux_heads.values()):
            if not (mode == "predict" and aux.training_only):
                outputs = self._ask(aux, features, *(predictions[name] for name in aux.reads))
                predictions |= aux.activate(outputs)
                if right is not None and "handedness" in outputs:
                    predictions["handedness"] = torch.where(right.isnan(), predictions["handedness"], right)
                yield aux, outputs

    def _ask(self, head: Head, features: Sequence[Tensor], *predictions: Tensor) -> dict[str, Tensor]:
        try:
            outputs: dict[str, Tensor] = head(features, *predictions)
        except RuntimeError as error:
            channels = [maps.shape[1] for maps in features]
            # Whatever else goes wrong, such as the memory's end, is left as it is.
            if not head.map_channels or channels[head.maps] == list(head.map_channels):
                raise
            raise ConfigError(
                f"{type(head).__name__} does not fit behind {type(self.backbone).__name__}, whose maps have {channels} "
                f"channels; its in_channels say {list(head.map_channels)}: give it those of the maps it reads ({error})"
            ) from error
        return outputs

    def _loss(self, outputs: dict[str, Tensor], targets: Targets) -> dict[str, Tensor]:
        losses = cast("Sequence[Loss]", self.losses)
        if not losses:
            kind = type(self).__name__
            raise ConfigError(f"{kind} has no losses: name them, e.g. losses=[dict(type='KeypointMSELoss')]")
        terms = {loss.name: loss(outputs, targets) for loss in losses}
        weighted = [terms[loss.name] * loss.loss_weight for loss in losses]
        return {**terms, "loss": sum(weighted[1:], weighted[0])}


def _check_reads(head: Head, aux_heads: Sequence[Head]) -> None:
    given = list(head.outputs)
    for aux in aux_heads:
        for name in aux.reads:
            if name not in given:
                before = f"{type(head).__name__} gives" if given == list(head.outputs) else "the heads before it give"
                raise ConfigError(f"{type(aux).__name__} reads {name!r}, but {before} {given}")
        given += aux.outputs


def _check_outputs(heads: Sequence[Head], losses: Sequence[Loss]) -> None:
    given = {name: head for head in heads for name in head.outputs}
    if len(given) < sum(len(head.outputs) for head in heads):
        raise ConfigError(f"two heads give the same output: {[name for head in heads for name in head.outputs]}")
    names = [loss.name for loss in losses]
    if len(set(names)) < len(names):
        raise ConfigError(f"two losses judge the same output: {names}")
    for loss in losses:
        kind = type(loss).__name__
        for name in loss.reads:
            if name not in given:
                raise ConfigError(f"{kind} judges {name!r}, but the heads give {sorted(given)}")
            _check_activation(given[name], name, loss)


def _check_activation(head: Head, output: str, loss: Loss) -> None:
    kinds = type(loss).__name__, type(head).__name__
    activation = head.activation_of(output)
    if activation != loss.activation:
        raise ConfigError(
            f"{kinds[0]} is for heads with the activation {loss.activation!r}; {kinds[1]} has {activation!r}"
        )
    made, judged = getattr(head, "beta", None), getattr(loss, "beta", None)
    if activation == "softmax" and None not in (made, judged) and made != judged:
        raise ConfigError(f"{kinds[0]} has beta={judged}, but {kinds[1]} has beta={made}: they must agree")
