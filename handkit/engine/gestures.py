"""Training of the gesture classifier on joints: seconds on one CPU core."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from handkit.errors import ConfigError, DataError
from handkit.gestures.classifier import GestureWeights
from handkit.gestures.features import FEATURES, hand_features
from handkit.gestures.fingers import palm_length

Array = NDArray[Any]
#: Hands of a class below which there is nothing to learn and to test on.
LEAST_HANDS = 5


@dataclass(frozen=True)
class GestureTraining:
    """Settings of a training.

    Args:
        hidden: width of the hidden layer.
        epochs: passes over the hands.
        batch_size: hands per step.
        lr: the learning rate at the start; it falls to 0 along a cosine.
        noise: deviation by which every joint is moved, drawn anew each time, in palm lengths.
        dropout: probability with which a hidden number is left out.
        held_out: part of each class that is not learnt but tested on.
        upright: see `hand_features`.
        seed: of the initial weights, the parts and the noise.

    Raises:
        ConfigError: a value out of its range.
    """

    hidden: int = 96
    epochs: int = 40
    batch_size: int = 128
    lr: float = 3e-3
    noise: float = 0.06
    dropout: float = 0.2
    held_out: float = 0.2
    upright: bool = True
    seed: int = 0

    def __post_init__(self) -> None:
        if min(self.hidden, self.epochs, self.batch_size) < 1 or not self.lr > 0 or self.noise < 0:
            raise ConfigError(f"hidden, epochs, batch_size and lr must be positive and noise not negative: {self}")
        if not (0 <= self.dropout < 1 and 0 < self.held_out < 1):
            raise ConfigError(f"dropout must be in [0, 1) and held_out in (0, 1): {self}")


@dataclass(frozen=True)
class TrainedGestures:
    """What came of it.

    Args:
        weights: of the classifier.
        accuracy: on the hands that were held out.
        confusion: (C, C) of these hands how many of a class (row) were taken for which (column).
    """

    weights: GestureWeights
    accuracy: float
    confusion: Array


def train_gestures(
    points: Array, labels: Array, classes: Sequence[str], settings: GestureTraining | None = None
) -> TrainedGestures:
    """Learns to name gestures; the same hands and settings give the same weights.

    Args:
        points: (N, 21, 2) joints in the picture.
        labels: (N,) indices into `classes`.
        classes: names, at least two.
        settings: how.

    Raises:
        DataError: fewer than two classes, or a class with fewer than `LEAST_HANDS` hands.
    """
    settings = GestureTraining() if settings is None else settings
    counts = np.bincount(labels, minlength=len(classes))
    if len(classes) < 2:
        raise DataError(f"there is one gesture, {list(classes)}: a classifier needs at least two to tell apart")
    few = [f"{name} has {count}" for name, count in zip(classes, counts, strict=True) if count < LEAST_HANDS]
    if few:
        raise DataError(f"a gesture needs {LEAST_HANDS} hands or more to learn and to test: {', '.join(few)}")
    tested = _held_out(labels, settings)
    net = _fit(points[~tested], labels[~tested], len(classes), settings)
    with torch.inference_mode():
        answers = net(torch.from_numpy(hand_features(points[tested], settings.upright))).argmax(1).numpy()
    confusion = np.zeros((len(classes), len(classes)), np.int64)
    np.add.at(confusion, (labels[tested], answers), 1)
    return TrainedGestures(_weights(net, classes, settings), float((answers == labels[tested]).mean()), confusion)


def _held_out(labels: Array, settings: GestureTraining) -> Array:
    """(N,) bool: of each class the same part, at least one hand."""
    rng, tested = np.random.default_rng(settings.seed), np.zeros(len(labels), bool)
    for label in np.unique(labels):
        rows = rng.permutation(np.flatnonzero(labels == label))
        tested[rows[: max(1, round(settings.held_out * len(rows)))]] = True
    return tested


def _fit(points: Array, labels: Array, classes: int, settings: GestureTraining) -> nn.Sequential:
    """The network; classes with few hands count as much as those with many."""
    rng = np.random.default_rng([settings.seed, 1])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        norm, hidden = nn.BatchNorm1d(FEATURES, affine=False), nn.Linear(FEATURES, settings.hidden)
        net = nn.Sequential(norm, hidden, nn.ReLU(), nn.Dropout(settings.dropout), nn.Linear(settings.hidden, classes))
        balance = torch.from_numpy(len(labels) / (classes * np.bincount(labels, minlength=classes))).float()
        optimizer = torch.optim.AdamW(net.parameters(), settings.lr, weight_decay=1e-2)
        steps = settings.epochs * -(-len(labels) // settings.batch_size)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
        size = palm_length(points)[:, None, None] * settings.noise
        for _ in range(settings.epochs):
            moved = points + size * rng.standard_normal(points.shape)
            features = torch.from_numpy(hand_features(moved, settings.upright))
            for rows in np.array_split(rng.permutation(len(labels)), steps // settings.epochs):
                target: Tensor = torch.from_numpy(labels[rows])
                loss = F.cross_entropy(net(features[torch.from_numpy(rows)]), target, balance, label_smoothing=0.05)
                optimizer.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                optimizer.step()
                schedule.step()
    return net.eval()


def _weights(net: nn.Sequential, classes: Sequence[str], settings: GestureTraining) -> GestureWeights:
    """With the normalisation of the features folded into the first layer."""
    norm = cast("nn.BatchNorm1d", net[0])
    hidden, output = (cast("nn.Linear", net[index]) for index in (1, 4))
    mean, variance = cast("Tensor", norm.running_mean), cast("Tensor", norm.running_var)
    weight = (hidden.weight * (variance + norm.eps).rsqrt()).detach()
    arrays = {
        "hidden.weight": weight,
        "hidden.bias": hidden.bias.detach() - weight @ mean,
        "output.weight": output.weight.detach(),
        "output.bias": output.bias.detach(),
    }
    return GestureWeights(
        tuple(classes), settings.upright, {name: value.contiguous().numpy() for name, value in arrays.items()}
    )
